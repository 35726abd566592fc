"""`router.files` and its kin: objects are made at one resource and found there again."""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from io import BytesIO
from typing import Any

import anyio
import httpx
import pytest

from azure_responses import (
    AsyncRouter,
    BadRequestError,
    ConfigurationError,
    InternalServerError,
    NotFoundError,
    RateLimitError,
    ResponseNotFoundError,
    Router,
)
from azure_responses.emulator import Emulator, Fault
from tests.router.both import emulate, rows_of

_SECRET = "s" * 32


@contextmanager
def _router(emulator: Emulator, count: int = 2, **options: Any) -> Iterator[Router]:
    rows = options.pop("rows", None) or _named_rows(emulator, count)
    with (
        httpx.Client(transport=emulator.httpx_transport()) as http_client,
        Router(rows, http_client=http_client, affinity_secret=_SECRET, **options) as router,
    ):
        yield router


@asynccontextmanager
async def _async_router(emulator: Emulator, count: int = 2) -> AsyncIterator[AsyncRouter]:
    async with (
        httpx.AsyncClient(transport=emulator.httpx_transport()) as http_client,
        AsyncRouter(
            _named_rows(emulator, count), async_http_client=http_client, affinity_secret=_SECRET
        ) as router,
    ):
        yield router


def _named_rows(emulator: Emulator, count: int) -> list[dict[str, Any]]:
    """The group "gpt" on all resources, and one group per resource named after it."""
    rows = rows_of(emulator, count)
    own = [{**row, "model_name": row["model_info"]["id"], "model_info": {}} for row in rows]
    return [*rows, *own]


def test_a_file_is_made_at_the_resource_of_the_model_and_found_there(emulator: Emulator) -> None:
    with _router(emulator) as router:
        for home in ("east", "west"):
            made = router.scoped(model=home, owner="ann").files.create(
                file=("notes.txt", b"My name is Ann."), purpose="assistants"
            )
            assert made.route is not None
            found = router.scoped(owner="ann").files
            for _ in range(5):
                assert found.retrieve(made.id).id == made.id
                assert emulator.requests[-1].resource == home
            assert found.content(made.id).read() == b"My name is Ann."
            assert found.delete(made.id).deleted
            with pytest.raises(NotFoundError) as caught:
                found.retrieve(made.id)
            assert made.id in caught.value.message


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_the_async_router_makes_and_reads_the_same(emulator: Emulator, backend: str) -> None:
    async def scenario() -> None:
        async with _async_router(emulator) as router:
            files = router.scoped(model="west", owner="ann").files
            made = await files.create(file=BytesIO(b"text"), purpose="assistants")
            content = await files.content(made.id)
            assert content.read() == b"text"
            async with files.with_streaming_response.content(made.id) as streamed:
                assert b"".join([piece async for piece in streamed.iter_bytes()]) == b"text"
            assert {entry.resource for entry in emulator.requests} == {"west"}

    anyio.run(scenario, backend=backend)


def test_the_async_calls_of_a_router_have_the_same_objects(emulator: Emulator) -> None:
    async def scenario() -> None:
        async with (
            httpx.AsyncClient(transport=emulator.httpx_transport()) as http_client,
            Router(_named_rows(emulator, 2), async_http_client=http_client) as router,
        ):
            made = await router.ascoped(model="east").files.create(
                file=b"text", purpose="assistants"
            )
            assert (await router.ascoped().files.retrieve(made.id)).id == made.id

    anyio.run(scenario)


def test_an_object_has_one_id_by_whichever_deployment_it_is_read(emulator: Emulator) -> None:
    rows = rows_of(emulator, 1)
    twice = [*rows, {**rows[0], "model_info": {"id": "second"}}]
    with _router(emulator, rows=twice) as router:
        made = router.files.create(file=b"x", purpose="assistants")
        deployments = set()
        for _ in range(20):
            page = router.files.list()
            assert [file.id for file in page] == [made.id]
            read = router.files.retrieve(made.id)
            deployments.add(read.route.deployment if read.route else None)
        assert deployments == {"east", "second"}


def test_another_owner_does_not_find_it(emulator: Emulator) -> None:
    with _router(emulator) as router:
        made = router.scoped(model="east", owner="ann").files.create(
            file=b"x", purpose="assistants"
        )
        sent = len(emulator.requests)
        for other in (router.scoped(owner="bob"), router.scoped()):
            with pytest.raises(ResponseNotFoundError):
                other.files.retrieve(made.id)
        assert len(emulator.requests) == sent


def test_without_a_model_the_caller_is_asked_to_choose(emulator: Emulator) -> None:
    with _router(emulator) as router:
        with pytest.raises(BadRequestError) as caught:
            router.files.create(file=b"x", purpose="assistants")
        assert caught.value.code == "missing_required_parameter"
        assert "gpt or east or west" in str(caught.value.hint)
    with _router(emulate(1), count=1) as router:
        assert router.files.create(file=b"x", purpose="assistants").id.startswith("assistant-")


@pytest.mark.parametrize("given", [{"model": 7}, {"owner": 7}, {"end_user": ""}, {"model": ""}])
def test_a_scope_of_something_else_than_names_is_refused(given: Any) -> None:
    with _router(emulate(1), count=1) as router, pytest.raises(ConfigurationError):
        router.scoped(**given)


def test_a_resource_that_fails_is_asked_again_and_no_other(
    emulator: Emulator, naps: list[float]
) -> None:
    emulator.faults.add(Fault("http-500", resource="east", operation="files.create"))
    with _router(emulator) as router, pytest.raises(InternalServerError):
        router.scoped(model="east").files.create(file=b"x", purpose="assistants")
    assert {entry.resource for entry in emulator.requests} == {"east"}
    assert len(emulator.requests) > 1


def test_a_vector_store_takes_any_files_that_its_caller_made_in_a_group(emulator: Emulator) -> None:
    with _router(emulator) as router:
        homes = set()
        for owner in map(str, range(12)):
            mine = router.scoped(model="gpt", owner=owner)
            files = [mine.files.create(file=b"x", purpose="assistants") for _ in range(3)]
            store = mine.vector_stores.create(file_ids=[file.id for file in files])
            assert mine.vector_stores.delete(store.id).deleted
            homes.add(emulator.requests[-1].resource)
        assert homes == {"east", "west"}


def test_a_resource_that_fails_gives_new_objects_of_its_group_to_another(
    emulator: Emulator, naps: list[float]
) -> None:
    with _router(emulator) as router:
        files = router.scoped(model="gpt", owner="ann").files
        files.create(file=b"x", purpose="assistants")
        home = emulator.requests[-1].resource
        emulator.faults.add(Fault("http-500", resource=home, operation="files.create"))
        made = files.create(file=b"x", purpose="assistants")
        assert emulator.requests[-1].resource != home
        assert files.retrieve(made.id).id == made.id


def test_what_can_be_read_once_is_sent_once(emulator: Emulator, naps: list[float]) -> None:
    emulator.faults.add(Fault("http-500", resource="east", operation="files.create"))

    def pieces() -> Iterator[bytes]:
        yield b"one"
        yield b"two"

    with _router(emulator) as router, pytest.raises(InternalServerError):
        router.scoped(model="east").files.create(file=pieces(), purpose="assistants")
    assert len(emulator.requests) == 1


def test_an_object_that_is_not_found_does_not_cool_its_deployment_down(
    emulator: Emulator,
) -> None:
    with _router(emulator) as router:
        made = router.scoped(model="east").files.create(file=b"x", purpose="assistants")
        router.files.delete(made.id)
        for _ in range(10):
            with pytest.raises(NotFoundError):
                router.files.retrieve(made.id)
        assert router.responses(model="east", input="hi").output_text


def test_a_limit_on_objects_is_waited_for_and_does_not_stop_calls_of_models(
    emulator: Emulator, naps: list[float]
) -> None:
    fault = Fault("http-429", operation="files.retrieve", retry_after=7.0, times=1)
    with _router(emulator, rows=rows_of(emulator, 1)) as router:
        made = router.files.create(file=b"x", purpose="assistants")
        emulator.faults.add(fault)
        assert router.files.retrieve(made.id).id == made.id
        assert sum(naps) == pytest.approx(7, abs=1)
        emulator.faults.add(replace(fault, times=None))
        with pytest.raises(RateLimitError):
            router.files.retrieve(made.id, timeout=1)
        waited = len(naps)
        assert router.responses(model="gpt", input="hi").output_text
        assert len(naps) == waited


def _callers() -> list[Callable[[Any], Any]]:
    return [
        lambda router: router.responses(model="east", input="hi"),
        lambda router: router.completion(
            model="east", messages=[{"role": "user", "content": "hi"}]
        ),
    ]


@pytest.mark.parametrize("call", _callers())
def test_calls_of_models_go_on_beside(emulator: Emulator, call: Callable[[Any], Any]) -> None:
    with _router(emulator) as router:
        router.scoped(model="east").files.create(file=b"x", purpose="assistants")
        assert call(router)


def test_a_response_finds_the_conversation_and_the_store_that_it_is_given(
    emulator: Emulator,
) -> None:
    with _router(emulator) as router:
        for home in ("east", "west"):
            owned = router.scoped(model=home)
            conversation = owned.conversations.create()
            store = owned.vector_stores.create()
            for _ in range(3):
                answer = router.responses(model="gpt", input="hi", conversation=conversation)
                assert emulator.requests[-1].resource == home
                assert answer.conversation is not None
                assert answer.conversation.id == conversation.id
                tool = {"type": "file_search", "vector_store_ids": [store]}
                router.responses(model="gpt", input="hi", tools=[tool])
                assert emulator.requests[-1].resource == home
            listed = owned.conversations.items.list(conversation.id)
            asked = [item for item in listed if getattr(item, "role", None) == "user"]
            assert len(asked) == 3


def test_every_kind_of_object_is_made_and_read_by_its_id(emulator: Emulator) -> None:
    with _router(emulator) as router:
        made, found = router.scoped(model="west", owner="ann"), router.scoped(owner="ann")
        file = made.files.create(file=("a.txt", b"My name is Ann."), purpose="assistants")
        store = found.vector_stores.create(name="v", file_ids=[file.id])
        assert [each.file_id for each in found.vector_stores.search(store.id, query="name")] == [
            file.id
        ]
        for _ in range(5):
            other = made.files.create(file=("b.txt", b"b"), purpose="assistants")
            found.vector_stores.files.create(store.id, file_id=other.id)
        listed = found.vector_stores.files.list(store.id, limit=2)
        assert len({each.id for each in listed}) == 6
        container = found.containers.create(name="c", file_ids=[file.id])
        inside = found.containers.files.create(container.id, file=("c.txt", b"inside"))
        content = found.containers.files.content.retrieve(inside.id, container_id=container.id)
        assert content.read() == b"inside"
        conversation = made.conversations.create(
            items=[{"type": "message", "role": "user", "content": "My name is Ann."}]
        )
        answer = router.responses(
            model="gpt", input="What is my name?", conversation=conversation.id, owner="ann"
        )
        assert "Ann" in answer.output_text
        items = found.conversations.items.list(conversation.id, limit=1)
        assert len(list(items)) >= 3
        assert {entry.resource for entry in emulator.requests} == {"west"}
        with pytest.raises(ResponseNotFoundError):
            router.scoped(owner="bob").conversations.retrieve(conversation.id)


def test_reasoning_that_is_left_out_of_a_conversation_is_warned_of(emulator: Emulator) -> None:
    with _router(emulator) as router:
        answer = router.responses(model="west", input="Think.", reasoning={"effort": "high"})
        conversation = router.scoped(model="east").conversations.create()
        items = [item.to_dict() for item in answer.output]
        assert "reasoning" in [item["type"] for item in items]
        with pytest.warns(UserWarning, match="left out of the items"):
            router.conversations.items.create(conversation.id, items=items)
        kept = [item.type for item in router.conversations.items.list(conversation.id)]
        assert "reasoning" not in kept
        assert "message" in kept
