"""Embeddings: shapes, nearness, limits, and which models make them."""

import base64
import struct
from typing import Any

import httpx
import pytest

from azure_responses.emulator import Clock, EmulatedDeployment, Emulator, Fault, Resource
from tests.emulator.callers import BEGIN, create, open_client

EMBEDDINGS = "/openai/v1/embeddings"


def embed(client: httpx.Client, given: Any, **fields: Any) -> httpx.Response:
    return client.post(
        EMBEDDINGS, json={"model": "text-embedding-3-small", "input": given, **fields}
    )


def vectors(reply: httpx.Response) -> list[list[float]]:
    assert reply.status_code == 200, reply.text
    return [one["embedding"] for one in reply.json()["data"]]


def nearness(one: list[float], other: list[float]) -> float:
    return sum(a * b for a, b in zip(one, other, strict=True))


def test_texts_that_share_words_are_near_each_other(client: httpx.Client) -> None:
    near, like, far = vectors(embed(client, ["green apples", "apples, green", "a red car"]))
    assert nearness(near, near) == pytest.approx(1)
    assert nearness(near, like) == pytest.approx(1)
    assert nearness(near, far) < 0.5
    assert vectors(embed(client, "green apples")) == [near]


def test_a_reply_names_its_model_and_usage(client: httpx.Client) -> None:
    reply = embed(client, ["one", "two words"]).json()
    assert (reply["object"], reply["model"]) == ("list", "text-embedding-3-small")
    assert [one["index"] for one in reply["data"]] == [0, 1]
    assert reply["usage"] == {"prompt_tokens": 3, "total_tokens": 3}


def test_fewer_dimensions_are_the_beginning_of_more(client: httpx.Client) -> None:
    (short,) = vectors(embed(client, "apples", dimensions=8))
    (long,) = vectors(embed(client, "apples"))
    assert (len(short), len(long)) == (8, 1536)
    assert short[0] / short[1] == pytest.approx(long[0] / long[1])
    (large,) = vectors(embed(client, "apples", model="text-embedding-3-large"))
    assert len(large) == 3072


def test_base64_holds_the_same_floats(client: httpx.Client) -> None:
    (plain,) = vectors(embed(client, "apples", dimensions=4))
    (packed,) = embed(client, "apples", dimensions=4, encoding_format="base64").json()["data"]
    floats = struct.unpack("<4f", base64.b64decode(packed["embedding"]))
    assert list(floats) == pytest.approx(plain, abs=1e-6)


def test_numbers_of_tokens_are_input_too(client: httpx.Client) -> None:
    assert len(vectors(embed(client, [1, 2, 3]))) == 1
    reply = embed(client, [[1, 2], [3]])
    assert (len(vectors(reply)), reply.json()["usage"]["total_tokens"]) == (2, 3)


@pytest.mark.parametrize(
    "fields",
    [
        {"input": None},
        {"input": ""},
        {"input": []},
        {"input": ["a", ""]},
        {"input": 7},
        {"input": [["a"]]},
        {"input": [True]},
        {"input": ["a"] * 2049},
        {"input": "word " * 9000},
        {"dimensions": 0},
        {"dimensions": 1537},
        {"dimensions": "8"},
        {"encoding_format": "hex"},
        {"model": "text-embedding-ada-002", "dimensions": 8},
    ],
)
def test_an_invalid_call_is_refused(client: httpx.Client, fields: dict[str, Any]) -> None:
    reply = embed(client, "a", **fields)
    assert (reply.status_code, "error" in reply.json()) == (400, True)


def test_models_of_text_make_no_vectors_and_models_of_vectors_no_text(
    client: httpx.Client,
) -> None:
    for reply in (
        embed(client, "a", model="gpt-4.1"),
        create(client, model="text-embedding-3-small"),
        client.post(
            "/openai/v1/chat/completions",
            json={"model": "gpt-image-1", "messages": [{"role": "user", "content": "hi"}]},
        ),
    ):
        assert (reply.status_code, reply.json()["error"]["code"]) == (400, "OperationNotSupported")
    # The name of a deployment need not say what it runs.
    assert embed(client, "a", model="team-a").status_code == 200


def test_the_dated_surface_has_embeddings_below_the_deployment(client: httpx.Client) -> None:
    path = "/openai/deployments/text-embedding-3-small/embeddings?api-version=2024-10-21"
    assert client.post(path, json={"input": "a"}).status_code == 200
    assert client.post("/openai/embeddings?api-version=2024-10-21", json={}).status_code == 404


def test_limits_faults_and_the_log_know_embeddings() -> None:
    deployment = EmulatedDeployment("vectors", "text-embedding-3-small", requests_per_minute=1)
    emulator = Emulator([Resource("east", deployments=[deployment])], clock=Clock(BEGIN))
    with open_client(emulator) as client:
        assert embed(client, "a", model="vectors").status_code == 200
        limited = embed(client, "a", model="vectors")
        assert (limited.status_code, limited.headers["retry-after"]) == (429, "60")
        path = "/openai/deployments/vectors/embeddings?api-version=2024-10-21"
        dated = client.post(path, json={"input": "a"}).json()["error"]["message"]
        assert "Embeddings_Create" in dated
        emulator.clock.advance(60)
        emulator.faults.add(Fault("http-503", operation="embeddings", deployment="vectors"))
        assert embed(client, "a", model="vectors").status_code == 503
    last = emulator.requests[-1]
    assert (last.operation, last.deployment, last.faults) == ("embeddings", "vectors", ["http-503"])
