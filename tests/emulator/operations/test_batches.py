"""Batches: their states by the clock, their files, their limits and their errors."""

import json
from typing import Any

import httpx
import pytest

from azure_responses.emulator import (
    Assumptions,
    BatchTiming,
    Clock,
    EmulatedDeployment,
    Emulator,
    Fault,
    Resource,
)
from tests.emulator.callers import BEGIN, create, open_client

BATCHES, FILES = "/openai/v1/batches", "/openai/v1/files"
TIMING = BatchTiming(validating=60, per_line=10, finalizing=30, cancelling=600)
DEPLOYMENTS = [
    EmulatedDeployment("batch", model="gpt-5", sku="GlobalBatch"),
    EmulatedDeployment("zone", model="gpt-5", sku="DataZoneBatch"),
    EmulatedDeployment("online", model="gpt-5"),
    EmulatedDeployment("small", model="gpt-5", sku="GlobalBatch", enqueued_tokens=1000),
]


def make_emulator(**options: Any) -> Emulator:
    options = {"clock": Clock(BEGIN), "batch_timing": TIMING, **options}
    return Emulator([Resource("east", deployments=DEPLOYMENTS)], **options)


def line(number: int = 0, **fields: Any) -> dict[str, Any]:
    body = {"model": "batch", "input": f"Reply with exactly: {number}"}
    return {
        "custom_id": f"task-{number}",
        "method": "POST",
        "url": "/v1/responses",
        "body": {**body, **fields.pop("body", {})},
        **fields,
    }


def upload(client: httpx.Client, content: bytes | list[dict[str, Any]]) -> str:
    if isinstance(content, list):
        content = b"\n".join(json.dumps(one).encode() for one in content)
    files = {"file": ("input.jsonl", content)}
    reply = client.post(FILES, data={"purpose": "batch"}, files=files)
    assert reply.status_code == 200, reply.text
    file_id: str = reply.json()["id"]
    return file_id


def submit(client: httpx.Client, content: bytes | list[dict[str, Any]], **fields: Any) -> str:
    reply = post(client, upload(client, content), **fields)
    assert reply.status_code == 200, reply.text
    assert reply.json()["status"] == "validating"
    batch_id: str = reply.json()["id"]
    return batch_id


def post(client: httpx.Client, file_id: str, **fields: Any) -> httpx.Response:
    body = {"input_file_id": file_id, "endpoint": "/v1/responses", "completion_window": "24h"}
    return client.post(BATCHES, json={**body, **fields})


def show(client: httpx.Client, batch_id: str) -> dict[str, Any]:
    shown: dict[str, Any] = client.get(f"{BATCHES}/{batch_id}").json()
    return shown


def read(client: httpx.Client, file_id: str) -> list[dict[str, Any]]:
    text = client.get(f"{FILES}/{file_id}/content").text
    return [json.loads(one) for one in text.splitlines()]


def test_a_batch_passes_through_its_states_by_the_clock() -> None:
    emulator = make_emulator()
    with open_client(emulator) as client:
        batch_id = submit(client, [line(number) for number in range(3)], metadata={"a": "b"})
        shown = show(client, batch_id)
        assert shown["status"] == "validating"
        assert (shown["output_file_id"], shown["error_file_id"], shown["errors"]) == (None,) * 3
        emulator.clock.advance(60 + 20)
        shown = show(client, batch_id)
        assert (shown["status"], shown["in_progress_at"]) == ("in_progress", BEGIN + 60)
        assert shown["request_counts"] == {"total": 3, "completed": 2, "failed": 0}
        emulator.clock.advance(10)
        assert show(client, batch_id)["status"] == "finalizing"
        emulator.clock.advance(30)
        shown = show(client, batch_id)
        assert (shown["status"], shown["completed_at"]) == ("completed", BEGIN + 120)
        assert (shown["metadata"], shown["endpoint"]) == ({"a": "b"}, "/v1/responses")
        assert shown["expires_at"] == BEGIN + 24 * 3600
        answers = read(client, shown["output_file_id"])
        # With zero bytes, as nothing failed.
        assert read(client, shown["error_file_id"]) == []
        file = client.get(f"{FILES}/{shown['output_file_id']}").json()
        assert (file["purpose"], file["filename"]) == ("batch_output", f"{batch_id}_output.jsonl")
    assert {one["custom_id"] for one in answers} == {"task-0", "task-1", "task-2"}
    for one in answers:
        assert one.keys() == {"custom_id", "response", "error"}
        assert one["response"]["status_code"] == 200
        number = one["custom_id"].removeprefix("task-")
        output = one["response"]["body"]["output"][-1]
        assert output["content"][0]["text"] == number


def test_without_a_timing_a_batch_has_ended_when_it_is_asked_for(client: httpx.Client) -> None:
    shown = show(client, submit(client, [line()]))
    assert shown["status"] == "completed"


def test_chat_is_executed_whatever_stands_before_its_path(client: httpx.Client) -> None:
    body = {"model": "gpt-4.1", "messages": [{"role": "user", "content": "Reply with exactly: a"}]}
    lines = [
        {"custom_id": url, "method": "POST", "url": url, "body": body}
        for url in ("/chat/completions", "/v1/chat/completions")
    ]
    shown = show(client, submit(client, lines, endpoint="/chat/completions"))
    assert shown["endpoint"] == "/chat/completions"
    answers = read(client, shown["output_file_id"])
    texts = [one["response"]["body"]["choices"][0]["message"]["content"] for one in answers]
    assert texts == ["a", "a"]


def test_embeddings_are_executed_too(client: httpx.Client) -> None:
    body = {"model": "text-embedding-3-small", "input": "apples", "dimensions": 2}
    one = {"custom_id": "a", "method": "POST", "url": "/v1/embeddings", "body": body}
    shown = show(client, submit(client, [one], endpoint="/v1/embeddings"))
    (answer,) = read(client, shown["output_file_id"])
    assert len(answer["response"]["body"]["data"][0]["embedding"]) == 2


def test_what_fails_is_in_the_error_file_with_its_status(client: httpx.Client) -> None:
    lines = [line(1), line(2, body={"temperature": 7}), line(3, body={"conversation": "conv_0"})]
    shown = show(client, submit(client, lines))
    assert shown["request_counts"] == {"total": 3, "completed": 1, "failed": 2}
    errors = {one["custom_id"]: one for one in read(client, shown["error_file_id"])}
    assert errors["task-2"]["response"]["status_code"] == 400
    assert errors["task-3"]["response"]["status_code"] == 404
    assert errors["task-2"]["response"]["body"]["error"]["param"] == "temperature"


def test_a_request_of_a_batch_meets_the_faults_of_its_own_operation() -> None:
    emulator = Emulator()
    emulator.faults.add(Fault("http-500", operation="batches.line", times=1))
    with open_client(emulator) as client:
        shown = show(client, submit(client, [line(1), line(2)]))
        assert shown["request_counts"]["failed"] == 1
        (error,) = read(client, shown["error_file_id"])
    assert error["response"]["status_code"] == 500
    assert [one.operation for one in emulator.requests if one.operation] == [
        "files.create", "batches.create", "batches.retrieve", "files.content",
    ]  # fmt: skip


def test_a_stored_response_of_a_batch_can_be_continued(client: httpx.Client) -> None:
    shown = show(client, submit(client, [line()]))
    (answer,) = read(client, shown["output_file_id"])
    reply = create(client, previous_response_id=answer["response"]["body"]["id"])
    assert reply.status_code == 200


@pytest.mark.parametrize(
    ("content", "code", "number"),
    [
        (b"", "empty_file", None),
        (b"\n \n", "empty_file", None),
        (b"{nonsense", "invalid_json_line", 1),
        (b"[]", "invalid_request", 1),
        (b"\xef\xbb\xbf" + json.dumps(line()).encode(), "invalid_request", None),
        ([line(1), line(1)], "duplicate_custom_id", 2),
        ([line(1), line(2, url="/v1/chat/completions")], "url_mismatch", 2),
        ([line(1), line(2, body={"model": "zone"})], "model_mismatch", 2),
        ([line(1, body={"model": "other"})], "model_not_found", 1),
        ([line(1, body={"model": "online"})], "invalid_request", 1),
        ([line(1, body={"model": None})], "invalid_request", 1),
        ([line(1), line(2, method="GET")], "invalid_request", 2),
        ([line(1, custom_id=7)], "invalid_request", 1),
        ([line(1, body={"stream": True})], "invalid_request", 1),
    ],
)
def test_an_invalid_file_fails_with_a_code_and_a_line(
    content: bytes | list[dict[str, Any]], code: str, number: int | None
) -> None:
    emulator = make_emulator()
    with open_client(emulator) as client:
        batch_id = submit(client, content)
        emulator.clock.advance(60)
        shown = show(client, batch_id)
    assert (shown["status"], shown["failed_at"]) == ("failed", BEGIN + 60)
    error = shown["errors"]["data"][0]
    assert (error["code"], error["line"]) == (code, number)
    assert shown["errors"]["object"] == "list"


def test_more_than_100_000_lines_are_too_many(client: httpx.Client) -> None:
    one = json.dumps(line()).encode()
    lines = b"\n".join(one.replace(b"task-0", b"%d" % number) for number in range(100_001))
    shown = show(client, submit(client, lines))
    assert [error["code"] for error in shown["errors"]["data"]] == ["too_many_tasks"]


def test_a_file_that_is_deleted_meanwhile_fails_the_batch() -> None:
    emulator = make_emulator()
    with open_client(emulator) as client:
        file_id = upload(client, [line()])
        batch_id = post(client, file_id).json()["id"]
        client.delete(f"{FILES}/{file_id}")
        emulator.clock.advance(60)
        assert show(client, batch_id)["errors"]["data"][0]["code"] == "input_modified"


def test_a_cancelled_batch_keeps_what_was_executed() -> None:
    emulator = make_emulator()
    with open_client(emulator) as client:
        batch_id = submit(client, [line(number) for number in range(5)])
        emulator.clock.advance(60 + 20)
        shown = client.post(f"{BATCHES}/{batch_id}/cancel").json()
        assert (shown["status"], shown["cancelling_at"]) == ("cancelling", BEGIN + 80)
        emulator.clock.advance(300)
        again = client.post(f"{BATCHES}/{batch_id}/cancel").json()
        assert again["cancelling_at"] == BEGIN + 80
        emulator.clock.advance(300)
        shown = show(client, batch_id)
        assert (shown["status"], shown["cancelled_at"]) == ("cancelled", BEGIN + 680)
        assert len(read(client, shown["output_file_id"])) == 2
        refused = client.post(f"{BATCHES}/{batch_id}/cancel")
    assert refused.status_code == 409
    assert "'cancelled'" in refused.json()["error"]["message"]


def test_a_batch_that_takes_no_time_can_be_cancelled_before_it_is_looked_at(
    client: httpx.Client,
) -> None:
    batch_id = submit(client, [line()])
    assert client.post(f"{BATCHES}/{batch_id}/cancel").json()["status"] == "cancelling"
    shown = show(client, batch_id)
    assert (shown["status"], shown["request_counts"]["completed"]) == ("cancelled", 0)
    assert read(client, shown["output_file_id"]) == []
    other = submit(client, [line()])
    show(client, other)
    assert client.post(f"{BATCHES}/{other}/cancel").status_code == 409


def test_a_batch_expires_after_24_hours_with_what_was_executed() -> None:
    emulator = make_emulator(batch_timing=BatchTiming(per_line=10 * 3600))
    with open_client(emulator) as client:
        batch_id = submit(client, [line(number) for number in range(3)])
        emulator.clock.advance(30 * 3600)
        shown = show(client, batch_id)
        assert (shown["status"], shown["expired_at"]) == ("expired", BEGIN + 24 * 3600)
        assert len(read(client, shown["output_file_id"])) == 2
        (error,) = read(client, shown["error_file_id"])
    assert (error["response"], error["error"]["code"]) == (None, "batch_expired")


def test_a_batch_goes_on_beyond_24_hours_where_batches_do_not_expire() -> None:
    emulator = make_emulator(
        batch_timing=BatchTiming(per_line=10 * 3600),
        assumptions=Assumptions(batches_expire=False),
    )
    with open_client(emulator) as client:
        batch_id = submit(client, [line(number) for number in range(3)])
        emulator.clock.advance(29 * 3600)
        assert show(client, batch_id)["status"] == "in_progress"
        emulator.clock.advance(3600)
        assert show(client, batch_id)["status"] == "completed"


def test_output_files_expire_where_the_batch_says_so() -> None:
    emulator = make_emulator(batch_timing=None)
    with open_client(emulator) as client:
        expiry = {"anchor": "created_at", "seconds": 1_209_600}
        shown = show(client, submit(client, [line()], output_expires_after=expiry))
        file = client.get(f"{FILES}/{shown['output_file_id']}").json()
        assert file["expires_at"] == BEGIN + 1_209_600
        emulator.clock.advance(1_209_600)
        assert client.get(f"{FILES}/{shown['output_file_id']}/content").status_code == 404
        # As in Microsoft's REST sample.
        beside = {"anchor": "created_at", "output_expires_after": {"seconds": 1_209_600}}
        assert submit(client, [line()], **beside)


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"input_file_id": None}, "input_file_id"),
        ({"input_file_id": "file-0"}, "input_file_id"),
        ({"endpoint": None}, "endpoint"),
        ({"endpoint": "/v1/files"}, "endpoint"),
        ({"completion_window": "1h"}, "completion_window"),
        ({"completion_window": 24}, "completion_window"),
        ({"metadata": {str(number): "" for number in range(17)}}, "metadata"),
        ({"metadata": {"a": "b" * 513}}, "metadata.a"),
        ({"metadata": {"a" * 65: "b"}}, "metadata." + "a" * 65),
        ({"metadata": {"a": []}}, "metadata.a"),
        ({"output_expires_after": {"seconds": 60}}, "expires_after.seconds"),
    ],
)
def test_an_invalid_call_is_refused(
    client: httpx.Client, fields: dict[str, Any], param: str
) -> None:
    reply = post(client, upload(client, [line()]), **fields)
    assert reply.status_code in (400, 404)
    assert reply.json()["error"]["param"] == param
    assert client.get(BATCHES).json()["data"] == []


def test_a_file_of_another_purpose_is_no_input(client: httpx.Client) -> None:
    body = {"filename": "a", "purpose": "assistants", "content": "x"}
    reply = post(client, client.post(FILES, json=body).json()["id"])
    assert (reply.status_code, reply.json()["error"]["param"]) == (400, "input_file_id")


def test_a_full_queue_refuses_a_batch_until_another_has_ended() -> None:
    emulator = make_emulator()
    long = [line(1, body={"model": "small", "input": "word " * 700})]
    with open_client(emulator) as client:
        submit(client, long)
        file_id = upload(client, long)
        refused = post(client, file_id)
        error = refused.json()["error"]
        assert (refused.status_code, error["code"]) == (400, "token_limit_exceeded")
        assert "configured limit of 1K for the deployment 'small'" in error["message"]
        emulator.clock.advance(60 + 10 + 30)
        assert post(client, file_id).status_code == 200


def test_a_full_queue_fails_a_batch_in_validation_where_it_is_not_refused() -> None:
    emulator = make_emulator(assumptions=Assumptions(refuses_full_queue=False))
    long = [line(1, body={"model": "small", "input": "word " * 700})]
    with open_client(emulator) as client:
        first, second = submit(client, long), submit(client, long)
        emulator.clock.advance(60)
        assert show(client, first)["status"] == "in_progress"
        shown = show(client, second)
    assert shown["status"] == "failed"
    assert [error["code"] for error in shown["errors"]["data"]] == ["token_limit_exceeded"]


def test_deployments_for_batches_answer_no_other_calls() -> None:
    with open_client(make_emulator()) as client:
        for model, status in (("batch", 400), ("zone", 400), ("online", 200)):
            assert create(client, model=model).status_code == status
        body = {"model": "batch", "messages": [{"role": "user", "content": "hi"}]}
        reply = client.post("/openai/v1/chat/completions", json=body)
    assert reply.json()["error"]["code"] == "OperationNotSupported"


def test_batches_are_listed_newest_first_and_page_by_page(client: httpx.Client) -> None:
    made = [submit(client, [line()]) for _ in range(3)]
    page = client.get(BATCHES, params={"limit": 2}).json()
    assert [one["id"] for one in page["data"]] == made[:0:-1]
    assert page["has_more"] is True
    rest = client.get(BATCHES, params={"after": page["last_id"]}).json()
    assert [one["id"] for one in rest["data"]] == made[:1]


def test_lists_and_ids_can_have_the_form_of_single_samples() -> None:
    assumptions = Assumptions(lists_batches_as_data=False, nulls_batch_file_ids=False)
    with open_client(make_emulator(assumptions=assumptions)) as client:
        batch_id = submit(client, [line()])
        assert [one["id"] for one in client.get(BATCHES).json()["value"]] == [batch_id]
        shown = show(client, batch_id)
    assert (shown["output_file_id"], shown["error_file_id"]) == ("", "")


def test_a_batch_belongs_to_its_resource() -> None:
    emulator = Emulator([Resource("a"), Resource("b")])
    with open_client(emulator) as client:
        batch_id = submit(client, [line()])
        for path in (f"{BATCHES}/{batch_id}", f"{BATCHES}/batch_0"):
            assert client.get(f"https://b.openai.azure.com{path}").status_code == 404
        assert client.post(f"{BATCHES}/batch_0/cancel").status_code == 404


def test_the_dated_surface_has_batches_too(client: httpx.Client) -> None:
    batch_id = submit(client, [line()])
    reply = client.get(f"/openai/batches/{batch_id}?api-version=2025-04-01-preview")
    assert reply.json()["id"] == batch_id


def test_a_large_batch_goes_on_with_each_look_at_it(client: httpx.Client) -> None:
    batch_id = submit(client, [line(number) for number in range(3000)])
    for _ in range(60):
        shown = show(client, batch_id)
        if shown["status"] == "completed":
            break
        assert shown["status"] == "in_progress"
    assert shown["request_counts"] == {"total": 3000, "completed": 3000, "failed": 0}
