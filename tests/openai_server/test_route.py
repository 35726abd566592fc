"""Paths of every client find their operation; everything else is told why not."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from azure_responses.errors import APIStatusError, BadRequestError, NotFoundError
from azure_responses.openai_server.route import MethodNotAllowedError, RouteFinder, find_route
from azure_responses.protocol.object_table import OBJECT_OPERATIONS, SERVED_OPERATIONS
from azure_responses.protocol.operation_table import OPERATIONS, APIOperation

PREFIXES = ("", "/v1", "/openai/v1", "/openai")


@pytest.mark.parametrize("prefix", PREFIXES)
def test_every_operation_is_found_below_every_prefix(prefix: str) -> None:
    for name, row in SERVED_OPERATIONS.items():
        values = {variable: f"{variable}_1" for variable in row.variables}
        route = find_route(row.method, prefix + row.path.format(**values))
        assert route.operation == name
        assert route.values == values
        assert route.response_id == values.get("response_id")


def test_what_only_the_client_offers_is_not_served() -> None:
    for row in OBJECT_OPERATIONS.values():
        if not row.is_served:
            with pytest.raises(NotFoundError):
                find_route(row.method, "/v1" + row.path.format(webhook_endpoint_id="we_1"))


def test_each_id_of_a_path_is_decoded_by_itself() -> None:
    route = find_route("GET", "/v1/containers/cntr%5F1/files/a%2Fb/content")
    assert route.operation == "containers.files.content"
    assert route.values == {"container_id": "cntr_1", "file_id": "a/b"}
    assert find_route("GET", "/v1/files/content").values == {"file_id": "content"}
    with pytest.raises(NotFoundError):
        find_route("GET", "/v1/containers/a/b/files/c")


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
    assert (made.row, made.values, made.model) == (rows[-2], {}, None)
    read = table.find("GET", "/openai/conversations/conv_1")
    assert (read.row, read.response_id) == (rows[-1], None)
    assert read.values == {"conversation_id": "conv_1"}
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
        ("PUT", "/v1/vector_stores/vs_1/files/f", ("GET", "POST", "DELETE")),
        ("POST", "/v1/files/f/content", ("GET",)),
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
        "/openai/deployments/d/moderations",
        "/openai/deployments/d",
        "/v1/moderations",
    ],
)
def test_an_unknown_path_is_not_found(path: str) -> None:
    with pytest.raises(NotFoundError) as caught:
        find_route("GET", path)
    assert caught.value.code == "unknown_url"


@pytest.mark.parametrize("segment", ["..", "%2e", "%00", "a%0d%0ab", "é", "%ff", "x" * 3000])
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
    assert found in {*SERVED_OPERATIONS, "400", "404", "405"}
