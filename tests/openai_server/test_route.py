"""Paths of every client find their operation; everything else is told why not."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from azure_responses.errors import APIStatusError, BadRequestError, NotFoundError
from azure_responses.openai_server.route import MethodNotAllowedError, RouteFinder, find_route
from azure_responses.protocol.operation_table import OPERATIONS, APIOperation

PREFIXES = ("", "/v1", "/openai/v1", "/openai")


@pytest.mark.parametrize("prefix", PREFIXES)
def test_every_operation_is_found_below_every_prefix(prefix: str) -> None:
    for name, row in OPERATIONS.items():
        filled = row.path.format(response_id="resp_1", model="gpt")
        route = find_route(row.method, prefix + filled)
        assert route.operation == name
        assert route.response_id == ("resp_1" if "{response_id}" in row.path else None)


def test_a_deployment_in_the_path_is_the_model() -> None:
    path = "/openai/deployments/my%20gpt/chat/completions"
    route = find_route("POST", path)
    assert (route.operation, route.model) == ("chat", "my gpt")
    route = find_route("POST", "/openai/deployments/d/responses")
    assert (route.operation, route.model) == ("create", "d")


def test_a_slash_at_the_end_is_forgiven() -> None:
    route = find_route("GET", "/v1/responses/resp_1/")
    assert (route.operation, route.response_id) == ("retrieve", "resp_1")


def test_a_model_may_have_slashes_in_its_name() -> None:
    for path in ("/v1/models/openai/o1-pro", "/v1/models/openai%2Fo1-pro"):
        route = find_route("GET", path)
        assert (route.operation, route.model) == ("model", "openai/o1-pro")


def test_a_row_is_all_that_a_further_path_needs() -> None:
    rows = [
        *OPERATIONS.values(),
        APIOperation("make", "POST", "/conversations", "Make one.", ("conversations",)),
        APIOperation(
            "read",
            "GET",
            "/conversations/{conversation_id}",
            "Read one.",
            ("conversations", None),
        ),
    ]
    table = RouteFinder(rows)
    made = table.find("POST", "/v1/conversations")
    assert (made.row, made.value, made.model) == (rows[-2], None, None)
    read = table.find("GET", "/openai/conversations/conv_1")
    assert (read.row, read.value, read.response_id) == (rows[-1], "conv_1", None)
    with pytest.raises(MethodNotAllowedError):
        table.find("DELETE", "/v1/conversations/conv_1")


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", "/v1/responses", ("POST",)),
        ("PUT", "/v1/responses/resp_1", ("GET", "DELETE")),
        ("GET", "/v1/responses/resp_1/cancel", ("POST",)),
        ("POST", "/v1/models/gpt", ("GET",)),
        ("DELETE", "/openai/deployments/d/chat/completions", ("POST",)),
    ],
)
def test_a_wrong_method_is_told_the_right_ones(
    method: str, path: str, allowed: tuple[str, ...]
) -> None:
    with pytest.raises(MethodNotAllowedError) as caught:
        find_route(method, path)
    assert caught.value.status_code == 405
    assert caught.value.allowed == allowed


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/",
        "/v2/responses",
        "/v1/responses/",
        "/v1/responses/resp_1/other",
        "/v1/responses//cancel",
        "/v1/models/",
        "/openai/deployments/d/embeddings",
        "/openai/deployments/d",
        "/v1/embeddings",
    ],
)
def test_an_unknown_path_is_not_found(path: str) -> None:
    with pytest.raises(NotFoundError) as caught:
        find_route("GET", path)
    assert caught.value.code == "unknown_url"


@pytest.mark.parametrize("segment", ["%00", "a%0d%0ab", "é", "%ff", "x" * 3000])
def test_an_id_nobody_gave_is_refused(segment: str) -> None:
    with pytest.raises(BadRequestError) as caught:
        find_route("GET", f"/v1/responses/{segment}")
    assert caught.value.code == "invalid_id"


@settings(deadline=None)
@given(st.text(max_size=8), st.text(max_size=60))
def test_any_method_and_path_has_a_route_or_an_honest_answer(method: str, path: str) -> None:
    try:
        found = find_route(method, "/" + path).operation
    except APIStatusError as error:
        found = str(error.status_code) if error.message.isprintable() else error.message
    assert found in {*OPERATIONS, "400", "404", "405"}
