"""Keys, tokens, roles and networks: who is let in, and what the others are told."""

import httpx
import pytest

from azure_responses.emulator import Clock, Emulator, Resource
from azure_responses.emulator.token_issuer import PRINCIPAL
from tests.emulator.callers import BEGIN, V1, open_client

BODY = {"model": "gpt-4.1", "input": "Say hello"}
DATED = "/openai/responses?api-version=2025-04-01-preview"
PROJECT = "/api/projects/p/openai/v1/responses"
AI = "https://ai.azure.com"
COGNITIVE = "https://cognitiveservices.azure.com"
WRONG_KEY = {
    "error": {
        "code": "401",
        "message": (
            "Access denied due to invalid subscription key or wrong API endpoint. Make sure to "
            "provide a valid key for an active subscription and use a correct regional API "
            "endpoint for your resource."
        ),
    }
}


def wrong_token(named: str) -> dict[str, object]:
    message = (
        "Unauthorized. Access token is missing, invalid, audience is incorrect "
        f"({named}), or have expired."
    )
    return {"statusCode": 401, "message": message}


V1_TOKEN = wrong_token("https://cognitiveservices.azure.com/ or https://ai.azure.com/")
DATED_TOKEN = wrong_token("https://cognitiveservices.azure.com")
PROJECT_TOKEN = wrong_token("https://ai.azure.com")


def post(
    emulator: Emulator, path: str = V1, endpoint: str | None = None, **headers: str
) -> httpx.Response:
    with open_client(emulator, endpoint, key="") as client:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return client.post(path, json=BODY, headers=named)


@pytest.mark.parametrize("path", [V1, f"{V1}?api-version=preview", DATED])
def test_a_key_opens_every_resource_surface(emulator: Emulator, path: str) -> None:
    assert post(emulator, path, api_key="emulator-key").status_code == 200


@pytest.mark.parametrize("path", [V1, DATED])
def test_a_wrong_or_missing_key_is_refused(emulator: Emulator, path: str) -> None:
    for headers in ({}, {"api_key": "no"}, {"api_key": ""}, {"authorization": "Basic eDp5"}):
        reply = post(emulator, path, **headers)
        assert (reply.status_code, reply.json()) == (401, WRONG_KEY)


def test_either_key_opens_and_a_rotated_one_does_not() -> None:
    resource = Resource("r", keys=["one", "two"])
    emulator = Emulator([resource])
    assert post(emulator, api_key="one").status_code == 200
    assert post(emulator, api_key="two").status_code == 200
    resource.rotate_key(0, "three")
    assert post(emulator, api_key="one").status_code == 401
    assert post(emulator, api_key="three").status_code == 200


def test_a_key_as_bearer_opens_v1_only(emulator: Emulator) -> None:
    assert post(emulator, authorization="Bearer emulator-key").status_code == 200
    refused = post(emulator, authorization="Bearer not-the-key")
    assert (refused.status_code, refused.json()) == (401, WRONG_KEY)
    dated = post(emulator, DATED, authorization="Bearer emulator-key")
    assert (dated.status_code, dated.json()) == (401, DATED_TOKEN)


@pytest.mark.parametrize("path", [V1, f"{V1}?api-version=preview", DATED])
@pytest.mark.parametrize("audience", [AI, COGNITIVE, AI + "/", COGNITIVE + "/"])
def test_a_resource_takes_tokens_for_either_audience(
    emulator: Emulator, path: str, audience: str
) -> None:
    token = emulator.issuer.mint(audience)
    assert post(emulator, path, authorization=f"Bearer {token}").status_code == 200


def test_a_project_takes_only_tokens_for_its_own_audience(emulator: Emulator) -> None:
    good = emulator.issuer.mint(AI)
    assert post(emulator, PROJECT, authorization=f"Bearer {good}").status_code == 200
    wrong = f"Bearer {emulator.issuer.mint(COGNITIVE)}"
    for headers in ({"authorization": wrong}, {"api_key": "emulator-key"}, {}):
        reply = post(emulator, PROJECT, **headers)
        assert (reply.status_code, reply.json()) == (401, PROJECT_TOKEN)


def test_government_hosts_take_the_government_audience(emulator: Emulator) -> None:
    endpoint = "https://r.openai.azure.us"
    token = emulator.issuer.mint("https://cognitiveservices.azure.us")
    assert post(emulator, V1, endpoint, authorization=f"Bearer {token}").status_code == 200
    public = emulator.issuer.mint(COGNITIVE)
    reply = post(emulator, V1, endpoint, authorization=f"Bearer {public}")
    assert reply.json() == wrong_token("https://cognitiveservices.azure.us")


@pytest.mark.parametrize(("path", "body"), [(V1, V1_TOKEN), (DATED, DATED_TOKEN)])
def test_a_token_that_is_expired_early_forged_or_for_others_is_refused(
    emulator: Emulator, path: str, body: object
) -> None:
    issuer = emulator.issuer
    good = issuer.mint()
    tokens = [
        issuer.mint(lifetime=-1),
        issuer.mint(starts_in=60),
        issuer.mint("https://graph.microsoft.com"),
        good[:-8] + "AAAAAAAA",
        "a.b.c",
    ]
    for token in tokens:
        reply = post(emulator, path, authorization=f"Bearer {token}")
        assert (reply.status_code, reply.json()) == (401, body)


def test_a_token_expires_by_the_emulators_clock(emulator: Emulator) -> None:
    token = emulator.issuer.mint(lifetime=100)
    emulator.clock.advance(99)
    assert post(emulator, authorization=f"Bearer {token}").status_code == 200
    emulator.clock.advance(1)
    assert post(emulator, authorization=f"Bearer {token}").status_code == 401


def test_a_token_of_another_tenant_is_a_500(emulator: Emulator) -> None:
    token = emulator.issuer.mint(tenant="00000000-0000-0000-0000-000000000000")
    reply = post(emulator, authorization=f"Bearer {token}")
    assert reply.status_code == 500
    message = "Unable to get resource information."
    assert reply.json() == {"error": {"code": "InternalServerError", "message": message}}


def test_a_role_without_the_data_action_is_a_401_that_names_it(emulator: Emulator) -> None:
    token = emulator.issuer.mint(roles=["Reader"])
    reply = post(emulator, authorization=f"Bearer {token}")
    message = (
        f"The principal `{PRINCIPAL}` lacks the required data action "
        "`Microsoft.CognitiveServices/accounts/OpenAI/responses/write` to perform "
        "`POST /openai/v1/responses` operation."
    )
    assert reply.status_code == 401
    assert reply.json() == {"error": {"code": "PermissionDenied", "message": message}}


def test_a_principal_without_any_role_is_told_so_in_general(emulator: Emulator) -> None:
    token = emulator.issuer.mint(roles=[])
    reply = post(emulator, authorization=f"Bearer {token}")
    message = "Principal does not have access to API/Operation."
    assert reply.status_code == 401
    assert reply.json() == {"error": {"code": "PermissionDenied", "message": message}}


@pytest.mark.parametrize(
    "role",
    [
        "Cognitive Services OpenAI User",
        "Cognitive Services OpenAI Contributor",
        "Azure AI User",
        "Foundry User",
    ],
)
def test_each_documented_role_is_enough(emulator: Emulator, role: str) -> None:
    token = emulator.issuer.mint(roles=[role])
    assert post(emulator, authorization=f"Bearer {token}").status_code == 200


def test_role_assignments_of_the_resource_beat_the_roles_of_the_token() -> None:
    emulator = Emulator([Resource("r", role_assignments={"someone": ["Azure AI User"]})])
    stranger = emulator.issuer.mint(roles=["Azure AI User"], object_id="stranger")
    assert post(emulator, authorization=f"Bearer {stranger}").status_code == 401
    someone = emulator.issuer.mint(roles=[], object_id="someone")
    assert post(emulator, authorization=f"Bearer {someone}").status_code == 200


def test_credentials_are_of_the_first_resources_tenant() -> None:
    emulator = Emulator([Resource("r", tenant="00000000-0000-0000-0000-00000000000a")])
    token = emulator.token_credential().get_token("https://ai.azure.com/.default").token
    assert post(emulator, authorization=f"Bearer {token}").status_code == 200


def test_keys_can_be_disabled_and_tokens_then_still_work() -> None:
    emulator = Emulator([Resource("r", keys_enabled=False)])
    for headers in ({"api_key": "emulator-key"}, {"authorization": "Bearer emulator-key"}):
        reply = post(emulator, **headers)
        message = "Key based authentication is disabled for this resource."
        error = {"code": "AuthenticationTypeDisabled", "message": message}
        assert (reply.status_code, reply.json()) == (403, {"error": error})
    assert post(emulator, api_key="wrong").status_code == 401
    token = emulator.issuer.mint()
    assert post(emulator, authorization=f"Bearer {token}").status_code == 200


@pytest.mark.parametrize(
    ("network", "message"),
    [
        ("firewall", "Access denied due to Virtual Network/Firewall rules."),
        ("private", "Public access is disabled. Please configure private endpoint."),
        ("blocked", "resource has been temporarily blocked"),
    ],
)
def test_a_closed_network_is_a_403_even_with_the_key(network: str, message: str) -> None:
    resource = Resource("r")
    resource.network = network  # type: ignore[assignment]
    reply = post(Emulator([resource]), api_key="emulator-key")
    assert reply.status_code == 403
    assert message in reply.json()["error"]["message"]


def test_a_regional_host_takes_keys_but_no_tokens(emulator: Emulator) -> None:
    endpoint = "https://eastus2.api.cognitive.microsoft.com"
    assert post(emulator, V1, endpoint, api_key="emulator-key").status_code == 200
    token = emulator.issuer.mint()
    reply = post(emulator, V1, endpoint, authorization=f"Bearer {token}")
    message = (
        "Please provide a custom subdomain for token authentication, otherwise API key is required."
    )
    assert reply.status_code == 400
    assert reply.json() == {"error": {"code": "BadRequest", "message": message}}


def test_where_a_key_and_a_bearer_are_both_sent_the_key_decides(emulator: Emulator) -> None:
    ok = post(emulator, api_key="emulator-key", authorization="Bearer placeholder")
    assert ok.status_code == 200
    token = emulator.issuer.mint()
    refused = post(emulator, api_key="wrong", authorization=f"Bearer {token}")
    assert refused.json() == WRONG_KEY


def test_a_resource_does_not_take_anothers_key() -> None:
    emulator = Emulator([Resource("a", keys=["for-a"]), Resource("b", keys=["for-b"])],
                        clock=Clock(BEGIN))  # fmt: skip
    assert post(emulator, V1, "https://a.openai.azure.com", api_key="for-a").status_code == 200
    assert post(emulator, V1, "https://b.openai.azure.com", api_key="for-a").status_code == 401
