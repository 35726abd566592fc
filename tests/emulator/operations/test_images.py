"""Images: made, changed, varied and streamed."""

import base64
from typing import Any

import httpx
import pytest

from azure_responses.emulator import Clock, Emulator, Latency
from tests.emulator.callers import BEGIN, events_of, open_client

IMAGES = "/openai/v1/images"
PNG = b"\x89PNG\r\n\x1a\n"


def make(client: httpx.Client, **fields: Any) -> httpx.Response:
    body = {"model": "gpt-image-1", "prompt": "A blue cat.", **fields}
    return client.post(f"{IMAGES}/generations", json=body)


def change(
    client: httpx.Client, path: str = "edits", field: str = "image[]", **data: Any
) -> httpx.Response:
    data = {"model": "gpt-image-1", "prompt": "Make it red.", **data}
    return client.post(f"{IMAGES}/{path}", data=data, files={field: ("cat.png", PNG)})


def test_an_image_is_a_png_with_its_usage(client: httpx.Client) -> None:
    reply = make(client, n=2, size="1536x1024", quality="low").json()
    first, second = (base64.b64decode(one["b64_json"]) for one in reply["data"])
    assert first.startswith(PNG)
    assert second.startswith(PNG)
    assert first != second
    assert (reply["size"], reply["quality"], reply["output_format"]) == (
        "1536x1024", "low", "png",
    )  # fmt: skip
    usage = reply["usage"]
    assert usage["output_tokens"] == 2 * 272
    assert usage["total_tokens"] == usage["input_tokens"] + usage["output_tokens"]


def test_a_stream_has_its_partial_images_and_a_completed_one(client: httpx.Client) -> None:
    reply = make(client, stream=True, partial_images=2)
    assert reply.headers["content-type"].startswith("text/event-stream")
    events = events_of(reply)
    assert [event["type"] for event in events] == [
        "image_generation.partial_image",
        "image_generation.partial_image",
        "image_generation.completed",
    ]
    assert [event.get("partial_image_index") for event in events] == [0, 1, None]
    assert events[2]["usage"]["total_tokens"] > 0
    assert len({event["b64_json"] for event in events}) == 3


def test_images_are_changed_and_varied(client: httpx.Client) -> None:
    for reply in (
        change(client),
        change(client, field="image", n="2", stream="false"),
        change(client, "variations", "image", model="dall-e-2", response_format="b64_json"),
    ):
        assert reply.status_code == 200, reply.text
        assert base64.b64decode(reply.json()["data"][0]["b64_json"]).startswith(PNG)
    events = events_of(change(client, stream="true", partial_images="1"))
    assert [event["type"] for event in events] == [
        "image_edit.partial_image",
        "image_edit.completed",
    ]


def test_dall_e_answers_with_addresses_unless_told_otherwise(client: httpx.Client) -> None:
    reply = make(client, model="dall-e-3").json()
    assert reply.keys() == {"created", "data"}
    assert reply["data"][0]["url"].endswith(".png")
    inline = make(client, model="dall-e-3", response_format="b64_json").json()
    assert "b64_json" in inline["data"][0]


@pytest.mark.parametrize(
    "fields",
    [
        {"prompt": None},
        {"prompt": 7},
        {"prompt": "x" * 32_001},
        {"n": 0},
        {"n": 11},
        {"n": "many"},
        {"size": 1024},
        {"output_format": "gif"},
        {"partial_images": 4},
        {"prompt": "[[azure:block-prompt]]"},
    ],
)
def test_an_invalid_call_is_refused(client: httpx.Client, fields: dict[str, Any]) -> None:
    assert make(client, **fields).status_code == 400


def test_a_change_needs_an_image(client: httpx.Client) -> None:
    assert change(client, field="picture").json()["error"]["param"] == "image"
    data = {"model": "gpt-image-1", "prompt": "x"}
    empty = client.post(f"{IMAGES}/edits", data=data, files={"image": ("a.png", b"")})
    assert (empty.status_code, empty.json()["error"]["param"]) == (400, "image")
    assert change(client, "variations", "image[]").status_code == 400


def test_a_form_without_a_model_or_an_end_is_refused(client: httpx.Client) -> None:
    reply = client.post(f"{IMAGES}/edits", files={"image": ("a.png", PNG)})
    assert reply.json()["error"]["code"] == "model_not_found"
    headers = {"content-type": "multipart/form-data; boundary=mark"}
    reply = client.post(f"{IMAGES}/edits", content=b"--mark\r\n", headers=headers)
    assert reply.status_code == 400


def test_the_dated_surface_has_images_below_the_deployment(client: httpx.Client) -> None:
    base, version = "/openai/deployments/gpt-image-1/images", "?api-version=2025-04-01-preview"
    assert client.post(f"{base}/generations{version}", json={"prompt": "x"}).status_code == 200
    reply = client.post(
        f"{base}/edits{version}", data={"prompt": "x"}, files={"image": ("a.png", PNG)}
    )
    assert reply.status_code == 200


def test_an_image_takes_the_deployment_s_time() -> None:
    emulator = Emulator(clock=Clock(BEGIN), latency=Latency(first_token=5))
    with open_client(emulator) as client:
        make(client)
        assert emulator.clock.now() == BEGIN + 5
        make(client, stream=True)
        assert emulator.clock.now() == BEGIN + 10
