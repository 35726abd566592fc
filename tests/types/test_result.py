import copy
import pickle
import threading
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

import pytest

from azure_responses.types import (
    DeletedResponse,
    ParsedResponse,
    RateLimit,
    Response,
    Result,
)
from azure_responses.types.result import Route

HEADERS = {
    "apim-request-id": "apim-1",
    "x-request-id": "req-1",
    "x-ms-region": "East US 2",
    "x-ms-deployment-name": "gpt-standard",
    "x-ms-spillover-from-deployment": "gpt-ptu",
    "x-ratelimit-remaining-tokens": "12",
}


def _response(**fields: Any) -> Response:
    return Response.model_validate({"id": "resp_1", "output": [], **fields})


class _Untouchable(Mapping[str, str]):
    def __getitem__(self, name: str) -> str:
        raise AssertionError("read too early")

    def __iter__(self) -> Iterator[str]:
        raise AssertionError("read too early")

    def __len__(self) -> int:
        raise AssertionError("read too early")


def test_a_result_without_headers_answers_none() -> None:
    response = _response()
    assert dict(response.headers) == {}
    assert response.request_id is None
    assert response.rate_limit is None
    assert response.region is None
    assert response.served_deployment is None
    assert response.spillover_from is None
    assert response.cost is None


def test_headers_answer_where_a_reply_came_from() -> None:
    response = _response()
    response.attach(HEADERS)
    assert response.request_id == "apim-1"
    assert response.region == "East US 2"
    assert response.served_deployment == "gpt-standard"
    assert response.spillover_from == "gpt-ptu"
    assert response.rate_limit == RateLimit(remaining_tokens=12)
    assert response.cost is None


def test_a_route_is_told_with_headers_and_without() -> None:
    route = Route("east", "gpt", attempts=2)
    bare, attached = Response(id="resp_1"), Response(id="resp_1")
    attached.attach({"x-ms-region": "East US 2"})
    for response in (bare, attached):
        assert response.route is None
        response.attach_route(route)
        assert response.route is route
    assert (bare.region, attached.region) == (None, "East US 2")
    assert route.retries == 1


def test_x_request_id_serves_where_azure_gave_none() -> None:
    response = _response()
    response.attach({"x-request-id": "req-1"})
    assert response.request_id == "req-1"


def test_header_names_are_lower_case_and_the_mapping_is_read_only() -> None:
    response = _response()
    response.attach({"X-MS-Region": "Sweden Central"})
    assert response.headers == {"x-ms-region": "Sweden Central"}
    assert response.headers is response.headers
    with pytest.raises(TypeError):
        response.headers["x"] = "y"  # type: ignore[index]


def test_attaching_reads_nothing() -> None:
    def price(result: Any) -> Decimal:
        raise AssertionError("priced too early")

    _response().attach(_Untouchable(), price)


def test_the_pricer_sees_the_result_and_is_asked_once() -> None:
    seen: list[Any] = []

    def price(result: Any) -> Decimal:
        seen.append(result)
        return Decimal("0.0125")

    response = _response()
    response.attach({}, price)
    assert response.cost == Decimal("0.0125")
    assert response.cost == Decimal("0.0125")
    assert seen == [response]


def test_a_pricer_may_not_know() -> None:
    response = _response()
    response.attach({}, lambda result: None)
    assert response.cost is None


def test_headers_are_not_part_of_what_a_result_says() -> None:
    plain, attached, other = _response(), _response(), _response()
    attached.attach(HEADERS, lambda result: Decimal(1))
    other.attach({})
    assert plain == attached
    assert attached == plain
    assert attached == other
    assert attached != _response(status="failed")
    assert attached.to_dict() == plain.to_dict()
    assert attached.model_dump() == plain.model_dump()
    assert attached.to_json() == plain.to_json()
    assert repr(attached) == repr(plain)


def test_an_attached_result_pickles_with_its_headers_and_cost() -> None:
    lock = threading.Lock()

    def price(result: Any) -> Decimal:
        with lock:
            return Decimal(3)

    response = _response()
    response.attach(HEADERS, price)
    loaded = pickle.loads(pickle.dumps(response))
    assert loaded == response
    assert loaded.headers == HEADERS
    assert loaded.cost == Decimal(3)


def test_results_pickle_before_and_after_their_headers_were_read() -> None:
    response = _response()
    assert pickle.loads(pickle.dumps(response)) == response
    response.attach({"X-MS-Region": "East US"})
    assert pickle.loads(pickle.dumps(response)).region == "East US"
    assert response.region == "East US"
    assert pickle.loads(pickle.dumps(response)).region == "East US"


@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy])
def test_copies_keep_headers_and_price_for_themselves(duplicate: Any) -> None:
    class Pricer:
        def __init__(self) -> None:
            self.lock = threading.Lock()

        def price(self, result: Any) -> Decimal:
            return Decimal(len(result.id))

    response = _response()
    response.attach(HEADERS, Pricer().price)
    twin = duplicate(response)
    assert twin == response
    assert twin.request_id == "apim-1"
    assert twin.cost == Decimal(6)


def test_a_parsed_response_carries_a_value_beside_its_text() -> None:
    response: ParsedResponse[list[int]] = ParsedResponse.model_validate({"id": "resp_1"})
    response.attach_parsed([1, 2])
    response.attach(HEADERS)
    assert response.output_parsed == [1, 2]
    assert response.request_id == "apim-1"
    assert response.to_dict() == {"id": "resp_1"}
    assert copy.deepcopy(response).output_parsed == [1, 2]
    assert pickle.loads(pickle.dumps(response)).output_parsed == [1, 2]


def test_a_response_nobody_parsed_has_no_parsed_value() -> None:
    response: ParsedResponse[str] = ParsedResponse.model_validate({"id": "resp_1"})
    assert response.output_parsed is None


def test_every_top_level_reply_is_a_result() -> None:
    deleted = DeletedResponse.model_validate({"id": "resp_1", "deleted": True})
    assert isinstance(deleted, Result)
    assert deleted.deleted
