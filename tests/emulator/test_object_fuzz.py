"""Objects asked for wrongly: each operation answers, knows its faults, and breaks nothing."""

import copy
import json
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from azure_responses.emulator import Emulator, Fault
from azure_responses.emulator.http_messages import UPGRADE
from azure_responses.emulator.operations import OPERATIONS
from tests.emulator.callers import open_client
from tests.emulator.operations.test_batches import line, show, submit
from tests.emulator.random_requests import json_places

V1 = "/openai/v1/"
ROWS = [row for row in OPERATIONS if row.method != UPGRADE and row.base == "openai" and row.is_v1]
_EXPIRY = {"anchor": "created_at", "seconds": 1_209_600}
_FILTER = {"type": "eq", "key": "a", "value": "b"}
_CHUNKS = {"max_chunk_size_tokens": 800, "chunk_overlap_tokens": 400}
_BODIES: list[tuple[str, dict[str, Any]]] = [
    (
        "batches",
        {
            "input_file_id": "{batch_file}",
            "endpoint": "/v1/responses",
            "completion_window": "24h",
            "metadata": {"a": "b"},
            "output_expires_after": _EXPIRY,
        },
    ),
    ("uploads", {"bytes": 9, "filename": "a", "purpose": "assistants", "mime_type": "text/plain",
                 "expires_after": _EXPIRY}),
    ("uploads/{upload}/complete", {"part_ids": ["a"], "md5": "x"}),
    ("vector_stores", {"name": "a", "file_ids": ["{file}"], "metadata": {"a": "b"},
                       "chunking_strategy": {"type": "static", "static": _CHUNKS},
                       "expires_after": {"anchor": "last_active_at", "days": 1}}),
    ("vector_stores/{store}", {"name": "a", "metadata": {"a": "b"}, "expires_after": None}),
    ("vector_stores/{store}/search", {"query": "apples", "max_num_results": 5,
                                      "filters": {"type": "and", "filters": [_FILTER]},
                                      "ranking_options": {"score_threshold": 0.1}}),
    ("vector_stores/{store}/files", {"file_id": "{file}", "attributes": {"a": 1}}),
    ("vector_stores/{store}/files/{file}", {"attributes": {"a": 1}}),
    ("vector_stores/{store}/file_batches", {"file_ids": ["{file}"], "attributes": {"a": 1}}),
    ("vector_stores/{store}/file_batches", {"files": [{"file_id": "{file}"}]}),
    ("containers", {"name": "a", "file_ids": ["{file}"], "memory_limit": "1g",
                    "expires_after": {"anchor": "last_active_at", "minutes": 5},
                    "skills": [{"type": "skill_reference", "skill_id": "x", "version": "1"}]}),
    ("containers/{container}/files", {"file_id": "{file}"}),
    ("conversations/{conversation}", {"metadata": {"a": "b"}}),
    ("dashboard/webhook_endpoints", {"name": "a", "url": "https://example.com",
                                     "event_types": ["response.completed"]}),
    ("embeddings", {"model": "text-embedding-3-small", "input": ["a", [1, 2]], "dimensions": 2,
                    "encoding_format": "float"}),
    ("images/generations", {"model": "gpt-image-1", "prompt": "x", "n": 1, "size": "auto",
                            "quality": "auto", "partial_images": 1, "stream": True}),
    ("audio/speech", {"model": "tts", "input": "x", "voice": "alloy", "speed": 1.0,
                      "response_format": "mp3"}),
    ("responses", {"model": "gpt-5.2", "input": "x", "tools": [
        {"type": "shell", "environment": {"type": "container_auto", "file_ids": ["{file}"],
                                          "skills": [{"type": "skill_reference"}]}}]}),
]  # fmt: skip
_ODD_PLAIN = [None, True, 0, -1, 2**63, 1.5, -1e20, 1e308, "", "x", "latest"]
_ODD_NESTED = [[], {}, [None], [[]], {"type": "x"}, {"type": None}, [1, "a"], {"a": {"b": []}}]
_ODD: st.SearchStrategy[Any] = st.sampled_from([*_ODD_PLAIN, *_ODD_NESTED])


def _made(client: httpx.Client) -> dict[str, str]:
    """Ids of one object of each kind."""

    def post(path: str, **options: Any) -> str:
        reply = client.post(V1 + path, **options)
        assert reply.status_code == 200, reply.text
        identifier: str = reply.json()["id"]
        return identifier

    def file(purpose: str) -> str:
        return post("files", data={"purpose": purpose}, files={"file": ("a", b"apples")})

    known = {"file": file("assistants"), "batch_file": file("batch")}
    known["store"] = post("vector_stores", json={"file_ids": [known["file"]]})
    known["container"] = post("containers", json={"name": "a"})
    known["conversation"] = post("conversations", json={})
    upload = {"bytes": 1, "filename": "a", "purpose": "assistants", "mime_type": "x"}
    known["upload"] = post("uploads", json=upload)
    return known


def _fill(value: Any, known: dict[str, str]) -> Any:
    return json.loads(_replace(json.dumps(value), known))


def _replace(text: str, known: dict[str, str]) -> str:
    for name, identifier in known.items():
        text = text.replace("{" + name + "}", identifier)
    return text


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_every_body_is_answered(data: st.DataObject) -> None:
    path, body = copy.deepcopy(data.draw(st.sampled_from(_BODIES)))
    for _ in range(data.draw(st.integers(0, 3))):
        container, key = data.draw(st.sampled_from(list(json_places(body)) or [(body, "model")]))
        container[key] = copy.deepcopy(data.draw(_ODD))
    with open_client(Emulator()) as client:
        known = _made(client)
        reply = client.post(V1 + _replace(path, known), json=_fill(body, known))
        assert reply.status_code in (200, 400, 404)
        # What was made can be shown.
        for collection in ("files", "vector_stores", "containers", "batches", "skills"):
            assert client.get(V1 + collection).status_code == 200


@given(st.data())
@settings(max_examples=50, deadline=None)
def test_every_line_of_a_batch_has_an_answer_or_fails_the_batch(data: st.DataObject) -> None:
    body = {"metadata": {"a": "b"}, "tools": [{"type": "function", "name": "f"}], "text": {}}
    lines = [line(1, body=body), line(2)]
    for _ in range(data.draw(st.integers(0, 2))):
        container, key = data.draw(st.sampled_from(list(json_places(lines))))
        container[key] = copy.deepcopy(data.draw(_ODD))
    with open_client(Emulator()) as client:
        shown = show(client, submit(client, lines))
        counts = shown["request_counts"]
    if shown["status"] == "failed":
        assert all(error["code"] for error in shown["errors"]["data"])
    else:
        assert (shown["status"], counts["completed"] + counts["failed"]) == ("completed", 2)


@given(st.binary(max_size=300), st.sampled_from(["files", "skills", "uploads/{upload}/parts",
       "containers/{container}/files", "images/edits", "audio/transcriptions"]))  # fmt: skip
@settings(max_examples=60, deadline=None)
def test_every_form_is_answered(content: bytes, path: str) -> None:
    head = b'--mark\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'
    headers = {"content-type": "multipart/form-data; boundary=mark"}
    with open_client(Emulator()) as client:
        path = V1 + _replace(path, _made(client))
        for body in (content, head + content, head + content + b"\r\n--mark--"):
            reply = client.post(path, content=body, headers=headers)
            assert reply.status_code in (200, 400, 404)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.method} {row.path}")
def test_every_operation_meets_its_own_fault_and_is_logged(row: Any) -> None:
    emulator = Emulator()
    emulator.faults.add(Fault("http-500", operation=row.name, retry_after=3))
    with open_client(emulator) as client:
        path = V1 + row.path.replace("*", "x")
        body = {"model": "some-model"}
        options: dict[str, Any] = {"json": body} if row.method == "POST" else {}
        if row.model_in == "form":
            options = {"data": body, "files": {"image": ("a", b"x"), "file": ("a", b"x")}}
        reply = client.request(row.method, path, **options)
    assert (reply.status_code, reply.headers["retry-after"]) == (500, "3")
    assert emulator.requests[-1].operation == row.name


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.method} {row.path}")
def test_every_operation_needs_a_key(row: Any) -> None:
    with open_client(Emulator(), key="") as client:
        reply = client.request(row.method, V1 + row.path.replace("*", "x"))
    assert reply.status_code == 401
