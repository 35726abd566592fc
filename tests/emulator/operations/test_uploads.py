"""Uploads in parts: order, sizes, checksums and the hour they have."""

import hashlib
from typing import Any

import httpx
import pytest

from azure_responses.emulator import Assumptions, Emulator
from tests.emulator.callers import BEGIN, open_client

UPLOADS, FILES = "/openai/v1/uploads", "/openai/v1/files"
WHOLE = b"first part, second part"


def begin(client: httpx.Client, **fields: Any) -> httpx.Response:
    body = {"filename": "a.txt", "purpose": "assistants", "mime_type": "text/plain"}
    return client.post(UPLOADS, json={**body, "bytes": len(WHOLE), **fields})


def add(client: httpx.Client, upload_id: str, content: bytes) -> str:
    reply = client.post(f"{UPLOADS}/{upload_id}/parts", files={"data": ("part", content)})
    assert reply.status_code == 200, reply.text
    part = reply.json()
    assert (part["object"], part["upload_id"]) == ("upload.part", upload_id)
    part_id: str = part["id"]
    return part_id


def test_parts_become_a_file_in_the_order_that_is_named(client: httpx.Client) -> None:
    upload = begin(client).json()
    assert (upload["status"], upload["expires_at"]) == ("pending", BEGIN + 3600)
    second = add(client, upload["id"], WHOLE[10:])
    first = add(client, upload["id"], WHOLE[:10])
    # A part that is not named does not count.
    add(client, upload["id"], b"left out")
    body = {"part_ids": [first, second], "md5": hashlib.md5(WHOLE).hexdigest()}
    done = client.post(f"{UPLOADS}/{upload['id']}/complete", json=body).json()
    assert (done["status"], done["file"]["bytes"]) == ("completed", len(WHOLE))
    assert client.get(f"{FILES}/{done['file']['id']}/content").content == WHOLE
    again = client.post(f"{UPLOADS}/{upload['id']}/complete", json=body)
    assert (again.status_code, "'completed'" in again.text) == (400, True)


@pytest.mark.parametrize(
    ("choose", "status", "param"),
    [
        (lambda one, two: {"part_ids": [one]}, 400, "part_ids"),
        (lambda one, two: {"part_ids": []}, 400, "part_ids"),
        (lambda one, two: {}, 400, "part_ids"),
        (lambda one, two: {"part_ids": [one, one]}, 400, "part_ids"),
        (lambda one, two: {"part_ids": [one, "part_0"]}, 404, "part_ids"),
        (lambda one, two: {"part_ids": [one, two], "md5": "0" * 32}, 400, "md5"),
    ],
)
def test_other_parts_than_announced_do_not_complete_it(
    client: httpx.Client, choose: Any, status: int, param: str
) -> None:
    upload_id = begin(client).json()["id"]
    one, two = add(client, upload_id, WHOLE[:5]), add(client, upload_id, WHOLE[5:])
    reply = client.post(f"{UPLOADS}/{upload_id}/complete", json=choose(one, two))
    assert (reply.status_code, reply.json()["error"]["param"]) == (status, param)
    # Nothing is lost by it.
    body = {"part_ids": [one, two]}
    assert client.post(f"{UPLOADS}/{upload_id}/complete", json=body).status_code == 200


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"bytes": None}, "bytes"),
        ({"bytes": "many"}, "bytes"),
        ({"bytes": 0}, "bytes"),
        ({"bytes": 8 * 1024**3 + 1}, "bytes"),
        ({"filename": ""}, "filename"),
        ({"mime_type": None}, "mime_type"),
        ({"purpose": "user_data"}, "purpose"),
    ],
)
def test_an_invalid_upload_is_refused(
    client: httpx.Client, fields: dict[str, Any], param: str
) -> None:
    reply = begin(client, **fields)
    assert (reply.status_code, reply.json()["error"]["param"]) == (400, param)


def test_a_cancelled_upload_takes_no_more_parts(client: httpx.Client) -> None:
    upload_id = begin(client).json()["id"]
    assert client.post(f"{UPLOADS}/{upload_id}/cancel").json()["status"] == "cancelled"
    reply = client.post(f"{UPLOADS}/{upload_id}/parts", files={"data": ("part", b"x")})
    assert reply.status_code == 400


def test_an_upload_expires_after_an_hour(emulator: Emulator, client: httpx.Client) -> None:
    upload_id = begin(client).json()["id"]
    part = add(client, upload_id, WHOLE)
    emulator.clock.advance(3600)
    reply = client.post(f"{UPLOADS}/{upload_id}/complete", json={"part_ids": [part]})
    assert (reply.status_code, "'expired'" in reply.text) == (400, True)


def test_the_file_expires_as_the_upload_said(emulator: Emulator, client: httpx.Client) -> None:
    expiry = {"anchor": "created_at", "seconds": 3600}
    upload_id = begin(client, expires_after=expiry).json()["id"]
    part = add(client, upload_id, WHOLE)
    emulator.clock.advance(60)
    done = client.post(f"{UPLOADS}/{upload_id}/complete", json={"part_ids": [part]}).json()
    assert done["file"]["expires_at"] == BEGIN + 60 + 3600


def test_unknown_uploads_and_parts_without_data_are_refused(client: httpx.Client) -> None:
    assert client.post(f"{UPLOADS}/upload_0/cancel").status_code == 404
    upload_id = begin(client).json()["id"]
    reply = client.post(f"{UPLOADS}/{upload_id}/parts", data={"a": "b"}, files={"": b""})
    assert reply.status_code == 400
    large = client.post(
        f"{UPLOADS}/{upload_id}/parts", files={"data": ("part", b"x" * (64 * 1024**2 + 1))}
    )
    assert (large.status_code, "64 MB" in large.text) == (400, True)


def test_uploads_can_be_missing() -> None:
    with open_client(Emulator(assumptions=Assumptions(offers_uploads=False))) as client:
        reply = begin(client)
    assert reply.status_code == 404
    assert reply.json()["error"] == {"code": "404", "message": "Resource not found"}
