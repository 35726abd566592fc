import pytest

from azure_responses.gateway.admission import check_model
from azure_responses.gateway.asgi_reply import ErrorResponse
from azure_responses.gateway.authentication import Access, read_key
from azure_responses.gateway.key_table import (
    ANYONE,
    MASTER,
    ApiCaller,
    KeyTable,
    StoredKey,
    hash_key,
)

_KEYS = {
    "sk-master": MASTER,
    "sk-old": ApiCaller(key_id="old", expires=100.0),
    "sk-gone": ApiCaller(key_id="gone", revoked=50.0),
}
_TABLE = KeyTable(StoredKey(caller, hash_key(key)) for key, caller in _KEYS.items())


@pytest.mark.parametrize(
    ("headers", "key"),
    [
        ({"authorization": "Bearer sk-1"}, "sk-1"),
        ({"authorization": "bearer   sk-1 "}, "sk-1"),
        ({"authorization": "Basic c2s="}, None),
        ({"authorization": "Bearer "}, None),
        ({"api-key": "sk-1"}, "sk-1"),
        ({"x-litellm-api-key": "Bearer sk-1"}, "sk-1"),
        ({"x-litellm-api-key": "sk-1"}, "sk-1"),
        ({"authorization": "Bearer other", "api-key": "sk-1"}, "sk-1"),
        ({"api-key": "other", "x-litellm-api-key": "sk-1"}, "sk-1"),
        ({"api-key": "x" * 5000}, None),
        ({"api-key": ""}, None),
        ({}, None),
    ],
)
def test_a_key_is_read_from_any_of_the_three_headers(
    headers: dict[str, str], key: str | None
) -> None:
    assert read_key(headers) == key


def test_the_master_key_is_let_in() -> None:
    assert Access(_TABLE).authenticate({"api-key": "sk-master"}, 0.0) is MASTER


@pytest.mark.parametrize(
    ("headers", "reason"),
    [
        ({}, "No API key"),
        ({"api-key": "sk-wrong"}, "Incorrect"),
        ({"api-key": "sk-old"}, "expired"),
        ({"api-key": "sk-gone"}, "revoked"),
    ],
)
def test_everybody_else_gets_a_401_that_says_why(headers: dict[str, str], reason: str) -> None:
    response = Access(_TABLE).authenticate(headers, 100.0)
    assert isinstance(response, ErrorResponse)
    assert response.status == 401
    assert response.code == "invalid_api_key"
    assert reason in response.body["error"]["message"]
    assert response.headers["www-authenticate"] == "Bearer"
    assert "sk-" not in str(response.body)


def test_a_key_works_until_it_expires() -> None:
    assert Access(_TABLE).authenticate({"api-key": "sk-old"}, 99.0) is _KEYS["sk-old"]


def test_an_open_gateway_takes_any_key_or_none() -> None:
    access = Access(_TABLE, allow_unauthenticated=True)
    assert access.authenticate({}, 0.0) is ANYONE
    assert access.authenticate({"api-key": "your-api-key"}, 0.0) is ANYONE
    assert access.authenticate({"api-key": "sk-master"}, 0.0) is MASTER


def test_an_open_gateway_still_refuses_a_key_that_was_taken_back() -> None:
    access = Access(_TABLE, allow_unauthenticated=True)
    assert isinstance(access.authenticate({"api-key": "sk-gone"}, 0.0), ErrorResponse)


@pytest.mark.parametrize("key", [{}, {"api-key": "anything"}])
@pytest.mark.parametrize(
    "origin", ["https://elsewhere.example", "http://elsewhere.example:4000", "null", "http://[x"]
)
def test_pages_of_other_machines_may_not_use_a_gateway_without_keys(
    key: dict[str, str], origin: str
) -> None:
    access = Access(_TABLE, allow_unauthenticated=True)
    response = access.authenticate({**key, "origin": origin}, 0.0)
    assert isinstance(response, ErrorResponse)
    assert response.status == 403
    assert response.code == "origin_not_allowed"
    assert access.authenticate({"api-key": "sk-master", "origin": origin}, 0.0) is MASTER
    open_to_pages = Access(_TABLE, allow_unauthenticated=True, allow_pages=True)
    assert open_to_pages.authenticate({**key, "origin": origin}, 0.0) is ANYONE


@pytest.mark.parametrize("origin", ["http://localhost:3000", "http://127.0.0.1", "http://[::1]:8"])
def test_pages_of_this_machine_may_use_it(origin: str) -> None:
    access = Access(_TABLE, allow_unauthenticated=True)
    assert access.authenticate({"origin": origin}, 0.0) is ANYONE


def test_a_model_the_key_is_not_for_is_a_403_that_names_those_it_is_for() -> None:
    caller = ApiCaller(key_id="k", models=("gpt-5*", "o1-pro"))
    assert check_model(caller, "gpt-5-mini") is None
    response = check_model(caller, "gpt-4.1")
    assert response is not None
    assert response.status == 403
    assert response.code == "key_model_access_denied"
    assert "gpt-5*, o1-pro" in response.body["error"]["message"]


def test_metrics_are_open_to_all_unless_a_key_is_set() -> None:
    assert Access(_TABLE).refuse_metrics({}, 0.0) is None


@pytest.mark.parametrize(
    ("key", "opens_with_metrics_key", "opens_with_any_key"),
    [
        (None, False, False),
        ("sk-metrics", True, False),
        ("sk-master", True, True),
        ("sk-old", False, True),
        ("sk-gone", False, False),
        ("sk-wr\xf6ng", False, False),
    ],
)
def test_metrics_can_be_put_behind_a_key(
    key: str | None, opens_with_metrics_key: bool, opens_with_any_key: bool
) -> None:
    headers = {} if key is None else {"authorization": f"Bearer {key}"}
    with_key = Access(_TABLE, allow_unauthenticated=True, metrics_key="sk-metrics")
    with_any = Access(_TABLE, allow_unauthenticated=True, metrics_need_key=True)
    for access, opens in ((with_key, opens_with_metrics_key), (with_any, opens_with_any_key)):
        response = access.refuse_metrics(headers, 50.0)
        assert (response is None) == opens
        assert response is None or response.status == 401


def test_a_key_that_has_expired_opens_no_metrics() -> None:
    access = Access(_TABLE, metrics_need_key=True)
    assert access.refuse_metrics({"api-key": "sk-old"}, 100.0) is not None
