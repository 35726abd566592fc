"""Path, method and api-version, over the wire and at the router."""

import httpx
import pytest

from azure_responses.emulator import Emulator, Resource
from azure_responses.emulator.operations import find_route
from azure_responses.emulator.service_errors import ServiceError
from tests.emulator.callers import open_client

BODY = {"model": "gpt-4.1", "input": "Say hello"}
CHAT = {"model": "gpt-4.1", "messages": [{"role": "user", "content": "Say hello"}]}
NOT_FOUND = {"error": {"code": "404", "message": "Resource not found"}}
UNSUPPORTED = {"error": {"code": "BadRequest", "message": "API version not supported"}}
TOO_OLD = {
    "error": {
        "code": "BadRequest",
        "message": (
            "Azure OpenAI Responses API is enabled only for api-version 2025-03-01-preview and "
            "later"
        ),
    }
}


@pytest.mark.parametrize(
    "target",
    [
        "/openai/v1/responses",
        "/openai/v1/responses?api-version=v1",
        "/openai/v1/responses?api-version=preview",
        "/openai/v1/responses?beta=true&api-version=preview",
        "/openai/responses?api-version=2025-03-01-preview",
        "/openai/responses?api-version=2025-04-01-preview",
        "/openai/responses?api-version=2026-01-01-preview",
    ],
)
def test_these_paths_and_versions_create_a_response(client: httpx.Client, target: str) -> None:
    reply = client.post(target, json=BODY)
    assert reply.status_code == 200
    assert reply.json()["object"] == "response"


@pytest.mark.parametrize(
    ("target", "status", "body"),
    [
        ("/openai/responses?api-version=2023-03-15-preview", 400, TOO_OLD),
        ("/openai/responses?api-version=2024-05-01-preview", 400, TOO_OLD),
        ("/openai/responses?api-version=2024-12-01-preview", 400, TOO_OLD),
        ("/openai/responses?api-version=2025-02-28-preview", 400, TOO_OLD),
        ("/openai/responses", 404, NOT_FOUND),
        ("/openai/responses?api-version=", 404, NOT_FOUND),
        ("/openai/responses?api-version=2024-10-21", 404, NOT_FOUND),
        ("/openai/responses?api-version=preview", 404, NOT_FOUND),
        ("/openai/responses?api-version=v1", 404, NOT_FOUND),
        ("/openai/responses?api-version=latest", 404, NOT_FOUND),
        ("/openai/v1/responses?api-version=2025-01-01-preview", 400, UNSUPPORTED),
        ("/openai/v1/responses?api-version=2024-12-01-preview", 400, UNSUPPORTED),
        ("/openai/v1/responses?api-version=2025-04-01-preview", 400, UNSUPPORTED),
        ("/openai/v1/responses?api-version=latest", 400, UNSUPPORTED),
        ("/openai/v1/preview/responses", 404, NOT_FOUND),
        ("/openai/v1/deployments/d/chat/completions?api-version=preview", 404, NOT_FOUND),
        ("/openai/deployments/responses", 404, NOT_FOUND),
        ("/openai/deployments/responses?api-version=2025-04-01-preview", 404, NOT_FOUND),
        ("/openai/deployments/d/responses?api-version=2025-04-01-preview", 404, NOT_FOUND),
        ("/responses", 404, NOT_FOUND),
        ("/v1/responses", 404, NOT_FOUND),
        ("/openai/v1/responses/", 404, NOT_FOUND),
        ("/openai/v1", 404, NOT_FOUND),
        ("/", 404, NOT_FOUND),
    ],
)
def test_these_paths_and_versions_fail_with_their_own_bodies(
    client: httpx.Client, target: str, status: int, body: object
) -> None:
    reply = client.post(target, json=BODY)
    assert (reply.status_code, reply.json()) == (status, body)


@pytest.mark.parametrize("rest", ["responses/input_tokens", "responses/a/b", "chat/nothing"])
def test_an_unknown_url_below_v1_is_told_in_the_openai_way(client: httpx.Client, rest: str) -> None:
    reply = client.post(f"/openai/v1/{rest}", json=BODY)
    assert reply.status_code == 404
    assert reply.json() == {
        "error": {
            "message": (
                f"Unknown request URL: POST /v1/{rest}. Please check the URL for typos, or see "
                "the docs at https://platform.openai.com/docs/api-reference/."
            ),
            "type": "invalid_request_error",
            "param": None,
            "code": "unknown_url",
        }
    }


def test_an_unknown_version_is_only_told_to_callers_with_a_key(emulator: Emulator) -> None:
    with open_client(emulator, key="wrong") as client:
        reply = client.post("/openai/v1/responses?api-version=2024-10-21", json=BODY)
    assert reply.status_code == 401


@pytest.mark.parametrize("project", ["demo", "my%20project"])
def test_a_project_path_takes_an_entra_token_and_no_version(
    emulator: Emulator, project: str
) -> None:
    token = emulator.issuer.mint("https://ai.azure.com")
    path = f"/api/projects/{project}/openai/v1/responses"
    with open_client(emulator, "https://emulator.services.ai.azure.com", key="") as client:
        client.headers["authorization"] = f"Bearer {token}"
        assert client.post(path, json=BODY).status_code == 200
        versioned = client.post(f"{path}?api-version=v1", json=BODY)
    assert (versioned.status_code, versioned.json()) == (400, UNSUPPORTED)


@pytest.mark.parametrize(
    "host",
    [
        "https://r.openai.azure.com",
        "https://r.cognitiveservices.azure.com",
        "https://r.services.ai.azure.com",
        "https://r.openai.azure.us",
        "https://r.openai.azure.cn",
        "http://localhost:8080",
        "http://127.0.0.1:8080",
        "http://[::1]:8080",
        "https://eastus2.api.cognitive.microsoft.com",
    ],
)
def test_the_default_resource_answers_on_every_kind_of_host(emulator: Emulator, host: str) -> None:
    with open_client(emulator, host) as client:
        assert client.post("/openai/v1/responses", json=BODY).status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "operation", "ids"),
    [
        ("POST", "/openai/v1/responses", "create", ()),
        ("GET", "/openai/v1/responses/resp_1", "retrieve", ("resp_1",)),
        ("DELETE", "/openai/v1/responses/resp_1", "delete", ("resp_1",)),
        ("POST", "/openai/v1/responses/resp_1/cancel", "cancel", ("resp_1",)),
        ("GET", "/openai/v1/responses/resp_1/input_items", "input_items", ("resp_1",)),
        ("POST", "/openai/v1/responses/compact", "compact", ()),
        ("POST", "/openai/v1/chat/completions", "chat", ()),
        ("GET", "/openai/v1/models", "models", ()),
        ("GET", "/openai/v1/models/gpt-5", "model", ("gpt-5",)),
        ("GET", "/openai/v1/files/assistant-1/content", "files.content", ("assistant-1",)),
        ("GET", "/openai/v1/vector_stores/vs_1/files/f", "vector_stores.files.retrieve",
         ("vs_1", "f")),
        ("GET", "/openai/v1/containers/c/files/f/content", "containers.files.content", ("c", "f")),
        ("DELETE", "/openai/v1/conversations/c/items/i", "conversations.items.delete", ("c", "i")),
        ("GET", "/openai/v1/responses/a%2Fb", "retrieve", ("a/b",)),
    ],
)  # fmt: skip
def test_the_v1_operations(method: str, path: str, operation: str, ids: tuple[str, ...]) -> None:
    for query, surface in (
        ("", "v1"),
        ("api-version=v1", "v1"),
        ("api-version=preview", "preview"),
    ):
        route = find_route(method, path, query)
        assert (route.operation.name, route.ids, route.surface) == (operation, ids, surface)


@pytest.mark.parametrize(
    ("method", "path", "operation"),
    [
        ("POST", "/openai/responses", "create"),
        ("GET", "/openai/responses/resp_1", "retrieve"),
        ("DELETE", "/openai/responses/resp_1", "delete"),
        ("POST", "/openai/responses/resp_1/cancel", "cancel"),
        ("GET", "/openai/responses/resp_1/input_items", "input_items"),
        ("POST", "/openai/deployments/d/chat/completions", "chat"),
        ("GET", "/openai/models", "models"),
        ("POST", "/openai/files", "files.create"),
    ],
)
def test_the_dated_operations(method: str, path: str, operation: str) -> None:
    route = find_route(method, path, "api-version=2025-04-01-preview")
    assert (route.operation.name, route.surface) == (operation, "dated")
    with pytest.raises(ServiceError, match="Resource not found"):
        find_route(method, path, "")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/openai/responses/compact"),
        ("POST", "/openai/responses/input_tokens"),
        ("POST", "/openai/conversations"),
        ("POST", "/openai/containers"),
        ("POST", "/openai/chat/completions"),
        ("GET", "/openai/responses"),
    ],
)
def test_what_only_v1_has_is_not_found_on_the_dated_surface(method: str, path: str) -> None:
    with pytest.raises(ServiceError, match="Resource not found"):
        find_route(method, path, "api-version=2025-04-01-preview")


def test_chat_takes_a_dated_release_where_responses_take_previews_only(
    client: httpx.Client,
) -> None:
    path = "/openai/deployments/gpt-4.1/chat/completions?api-version=2024-10-21"
    assert client.post(path, json=CHAT).status_code == 200


def test_only_the_projects_of_a_resource_are_found() -> None:
    emulator = Emulator([Resource("r", projects=["mine"])])
    token = emulator.issuer.mint("https://ai.azure.com")
    with open_client(emulator, key="") as client:
        client.headers["authorization"] = f"Bearer {token}"
        statuses = [
            client.post(f"/api/projects/{name}/openai/v1/responses", json=BODY).status_code
            for name in ("mine", "yours")
        ]
    assert statuses == [200, 404]


def test_a_project_keeps_its_name(emulator: Emulator) -> None:
    route = find_route("POST", "/api/projects/my%20project/openai/v1/responses", "")
    assert (route.project, route.surface) == ("my project", "project")
