"""A deletion, which may have been done although its answer was lost."""

import json

import pytest

from azure_responses.errors import (
    APIConnectionError,
    APIStatusError,
    APITimeoutError,
    AzureResponsesError,
    InternalServerError,
    RateLimitError,
    ResponseNotFoundError,
)
from azure_responses.protocol.call import Call, RecentResponses
from azure_responses.protocol.http_message import Reply
from azure_responses.protocol.operations import Operations
from azure_responses.protocol.options import Options
from azure_responses.protocol.retry import RetryPolicy
from azure_responses.protocol.settings import resolve_settings

_GONE = Reply(404, {}, b'{"error":{"code":"not_found","message":"No such response."}}')


def _operations(max_retries: int = 2) -> Operations:
    settings = resolve_settings({}, endpoint="https://r.openai.azure.com", api_key="k")
    return Operations(settings, RetryPolicy(max_retries), RecentResponses(), lambda: "id")


def _delete(call: Call, *failures: AzureResponsesError) -> Reply | APIStatusError:
    for failure in failures:
        call.next_attempt(failure, 0.0, 0.0)
    return call.outcome(_GONE, 0.0)


@pytest.mark.parametrize(
    "lost",
    [
        APIConnectionError("reset"),
        APITimeoutError("late"),
        InternalServerError("m", status_code=502),
        APIStatusError("m", status_code=408),
    ],
)
def test_not_finding_what_an_attempt_without_an_answer_may_have_deleted_confirms_it(
    lost: AzureResponsesError,
) -> None:
    outcome = _delete(_operations().delete("resp_1", Options()), lost)
    assert isinstance(outcome, Reply)
    assert outcome.status == 200
    assert json.loads(outcome.body) == {
        "id": "resp_1",
        "object": "response.deleted",
        "deleted": True,
    }


def test_not_finding_it_at_the_first_attempt_is_an_error() -> None:
    assert isinstance(_delete(_operations().delete("resp_1", Options())), ResponseNotFoundError)


def test_a_refusal_says_that_nothing_was_done() -> None:
    call = _operations().delete("resp_1", Options())
    refused = RateLimitError("m", status_code=429)
    assert isinstance(_delete(call, refused), ResponseNotFoundError)


def test_the_next_call_of_the_client_knows_of_the_lost_answer_too() -> None:
    operations = _operations(max_retries=0)
    with pytest.raises(APIConnectionError):
        operations.delete("resp_1", Options()).next_attempt(APIConnectionError("reset"), 0.0, 0.0)
    assert isinstance(_delete(operations.delete("resp_1", Options())), Reply)
    assert isinstance(_delete(operations.delete("resp_2", Options())), ResponseNotFoundError)
    operations.recent.forget("resp_1")
    assert isinstance(_delete(operations.delete("resp_1", Options())), ResponseNotFoundError)


def test_other_operations_are_not_confirmed_by_a_404() -> None:
    call = _operations().cancel("resp_1", Options())
    assert isinstance(_delete(call, APIConnectionError("reset")), ResponseNotFoundError)


@pytest.mark.parametrize("body", [b"", b" \r\n"])
def test_an_empty_reply_is_a_confirmation(body: bytes) -> None:
    call = _operations().delete("resp_1", Options())
    outcome = call.outcome(Reply(204, {"apim-request-id": "a"}, body), 0.0)
    assert isinstance(outcome, Reply)
    assert json.loads(outcome.body)["deleted"] is True
    assert outcome.headers == {"apim-request-id": "a"}
    told = Reply(200, {}, b'{"id":"resp_1","deleted":true}')
    assert call.outcome(told, 0.0) is told
