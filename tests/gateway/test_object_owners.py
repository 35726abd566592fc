"""Two owners, three resources and two replicas: whose an object is, whichever replica is asked."""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import openai
import pytest

from azure_responses.emulator import EmulatedDeployment, Emulator, Fault, Resource
from azure_responses.emulator.server import RunningServer
from tests.gateway.gateways import KEY, Running, config_of, serve
from tests.store.conftest import redis_server
from tests.store.redis_server import RedisServer

__all__ = ["redis_server"]

ANN, BOB = "sk-ann-0123456789-abcdef", "sk-bob-0123456789-abcdef"
_NAMES = ("east", "west", "north")


@pytest.fixture
def azure() -> Iterator[RunningServer]:
    deployments = [EmulatedDeployment("gpt", model="gpt-5-mini")]
    resources = [
        Resource(name, keys=[f"key-of-{name}"], deployments=deployments) for name in _NAMES
    ]
    with Emulator(resources).serve() as running:
        yield running


def _config(azure: RunningServer, **general: Any) -> dict[str, Any]:
    config = config_of(azure.url, *_NAMES, **general)
    for name in _NAMES:
        config["model_list"] += config_of(azure.url, name)["model_list"]
        config["model_list"][-1] |= {"model_name": name, "model_info": {"id": f"only-{name}"}}
    config["virtual_keys"] = [
        {"name": "ann", "key": ANN, "owner": "ann"},
        {"name": "bob", "key": BOB, "owner": "bob"},
    ]
    return config


@contextmanager
def _client(gateway: Running, key: str) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{gateway.url}/v1", api_key=key, max_retries=0) as client:
        yield client


def _upload(client: openai.OpenAI, name: str, **headers: str) -> str:
    found = client.files.create(
        file=(name, b"My name is Ann."), purpose="assistants", extra_headers=headers
    )
    return found.id


def test_what_one_replica_makes_the_other_lists_for_its_owner_alone(
    azure: RunningServer, redis_server: RedisServer
) -> None:
    made: dict[str, list[str]] = {ANN: [], BOB: []}
    config = _config(azure, redis_url=redis_server.url)
    with serve(config) as first, serve(config) as second:
        for number in range(24):
            key = (ANN, BOB)[number % 2]
            with _client((first, second)[number % 3 % 2], key) as client:
                header = {"x-azr-model": _NAMES[number % 3]}
                made[key].append(_upload(client, f"{number}.txt", **header))
        for gateway in (first, second):
            for key, ids in made.items():
                with _client(gateway, key) as client:
                    assert {file.id for file in client.files.list(limit=5)} == set(ids)
                    page = client.files.list(limit=100, order="asc")
                    assert (len(page.data), page.has_more) == (12, False)
            with _client(gateway, KEY) as client:
                assert list(client.files.list()) == []


def test_pages_may_come_from_different_replicas(
    azure: RunningServer, redis_server: RedisServer
) -> None:
    config = _config(azure, redis_url=redis_server.url)
    with (
        serve(config) as first,
        serve(config) as second,
        _client(first, ANN) as one,
        _client(second, ANN) as other,
    ):
        made = {_upload(one, f"{n}.txt", **{"x-azr-model": _NAMES[n % 3]}) for n in range(9)}
        seen: list[str] = []
        after: Any = openai.omit
        while True:
            page = random.choice((one, other)).files.list(limit=2, after=after)
            seen += [file.id for file in page.data]
            # The next page is asked for once the last object of this one is gone.
            for file in page.data:
                random.choice((one, other)).files.delete(file.id)
            if not page.has_more:
                break
            after = page.data[-1].id
        assert sorted(seen) == sorted(made)
        assert list(other.files.list()) == []


def test_a_file_of_all_resources_is_used_and_deleted_by_any_replica(
    azure: RunningServer, redis_server: RedisServer
) -> None:
    config = _config(azure, redis_url=redis_server.url)
    with (
        serve(config) as first,
        serve(config) as second,
        _client(first, ANN) as one,
        _client(second, ANN) as other,
    ):
        file_id = _upload(one, "a.txt", **{"x-azr-replicate": "true"})
        assert [file.id for file in other.files.list()] == [file_id]
        served = set()
        for _ in range(20):
            content = [{"type": "input_file", "file_id": file_id}]
            asked: Any = [{"role": "user", "content": content}]
            other.responses.create(model="chat", input=asked, store=False)
            served.add(azure.emulator.requests[-1].resource)
        assert served == set(_NAMES)
        assert other.files.content(file_id).read() == b"My name is Ann."
        store = other.vector_stores.create(
            name="s", file_ids=[file_id], extra_headers={"x-azr-model": "west"}
        )
        assert [file.id for file in one.vector_stores.files.list(store.id)] == [file_id]
        with _client(second, BOB) as bob:
            for forbidden in (bob.files.retrieve, bob.files.delete, bob.files.content):
                with pytest.raises(openai.NotFoundError):
                    forbidden(file_id)
        assert other.files.delete(file_id).deleted
        with pytest.raises(openai.NotFoundError):
            one.files.retrieve(file_id)
        assert list(one.files.list()) == []
    assert not any(account.objects.files for account in azure.emulator._accounts.values())


def test_follow_ups_never_go_to_another_resource(azure: RunningServer) -> None:
    with serve(_config(azure)) as gateway, _client(gateway, ANN) as client:
        homes = {}
        for number in range(12):
            name = _NAMES[number % 3]
            homes[_upload(client, f"{number}.txt", **{"x-azr-model": name})] = name
        for _ in range(200):
            file_id, home = random.choice(list(homes.items()))
            client.files.retrieve(file_id)
            assert azure.emulator.requests[-1].resource == home


def _sizes(azure: RunningServer) -> dict[str, list[int]]:
    return {
        name: [file.content.size for file in azure.emulator._accounts[name].objects.files.values()]
        for name in _NAMES
    }


def test_a_large_file_is_streamed_to_each_resource(azure: RunningServer) -> None:
    content = b"0123456789abcdef" * (512 * 1024)
    with serve(_config(azure)) as gateway, _client(gateway, ANN) as client:
        made = client.files.create(
            file=("large.txt", content),
            purpose="assistants",
            extra_body={"replicate": "true", "model": "chat"},
        )
        assert made.bytes == len(content)
        assert _sizes(azure) == {name: [len(content)] for name in _NAMES}
        assert client.files.content(made.id).read() == content
        assert client.files.delete(made.id).deleted
    # What is for the gateway was not sent on.
    sent = [one for one in azure.emulator.requests if one.path.endswith("/files")]
    assert len(sent) == 3
    assert not any(b"replicate" in bytes(one.body[:2000]) for one in sent)


def test_litellms_target_models_each_get_the_file(azure: RunningServer) -> None:
    with serve(_config(azure)) as gateway, _client(gateway, ANN) as client:
        made = client.files.create(
            file=("a.txt", b"My name is Ann."),
            purpose="assistants",
            extra_body={"target_model_names": "east, north"},
        )
        assert _sizes(azure) == {"east": [15], "west": [], "north": [15]}
        content: Any = [{"type": "input_file", "file_id": made.id}]
        for model in ("east", "north"):
            asked: Any = [{"role": "user", "content": content}]
            client.responses.create(model=model, input=asked, store=False)
            assert azure.emulator.requests[-1].resource == model
        for _ in range(10):
            client.responses.create(model="chat", input=asked, store=False)
            assert azure.emulator.requests[-1].resource in ("east", "north")
        # A deployment of the same model, where the file is, stands in.
        client.responses.create(model="west", input=asked, store=False)
        assert azure.emulator.requests[-1].resource in ("east", "north")


def test_a_key_cannot_reach_further_with_target_models(azure: RunningServer) -> None:
    config = _config(azure)
    config["virtual_keys"][0]["models"] = ["east"]
    with serve(config) as gateway, _client(gateway, ANN) as client:
        with pytest.raises(openai.PermissionDeniedError):
            client.files.create(
                file=("a.txt", b"x"),
                purpose="assistants",
                extra_body={"target_model_names": "east,west"},
            )
        _upload(client, "a.txt", **{"x-azr-replicate": "true"})
    assert _sizes(azure) == {"east": [13 + 2], "west": [], "north": []}


def test_a_form_that_ends_too_early_leaves_no_copy(azure: RunningServer) -> None:
    head = (
        b'--b\r\ncontent-disposition: form-data; name="replicate"\r\n\r\ntrue\r\n'
        b'--b\r\ncontent-disposition: form-data; name="purpose"\r\n\r\nassistants\r\n'
        b'--b\r\ncontent-disposition: form-data; name="file"; filename="a.txt"\r\n\r\n'
    )
    headers = {"content-type": "multipart/form-data; boundary=b"}
    with serve(_config(azure)) as gateway, gateway.client(ANN) as client:
        for size in (10, 3_000_000):
            refused = client.post("/v1/files", content=head + b"x" * size, headers=headers)
            assert refused.status_code == 400, refused.text
    assert _sizes(azure) == {name: [] for name in _NAMES}


def test_copies_are_all_made_or_none(azure: RunningServer) -> None:
    azure.emulator.faults.add(Fault("http-500", resource="north"))
    with serve(_config(azure)) as gateway, _client(gateway, ANN) as client:
        with pytest.raises(openai.InternalServerError, match="could not be uploaded to"):
            _upload(client, "a.txt", **{"x-azr-replicate": "true"})
        assert list(client.files.list()) == []
    assert _sizes(azure) == {name: [] for name in _NAMES}
