"""Both relays behind one face: the sync one, and the async one driven from a loop of its own."""

import asyncio
import json
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx

from azure_responses.emulator import EmulatedDeployment, Emulator, Resource
from azure_responses.openai_server import ApiRequest, AsyncOpenAIServer, CallSummary, OpenAIServer
from azure_responses.router import Router

__all__ = [
    "FORM", "Answered", "Asker", "form", "make_emulator", "open_asker", "open_asker_over", "row",
    "rows",
]  # fmt: skip

FORM = "multipart/form-data; boundary=b"


def make_emulator(*names: str, **options: Any) -> Emulator:
    """Resources with a deployment `gpt` each: those named, or two."""
    deployments = [EmulatedDeployment("gpt", model="gpt-5-mini")]
    resources = [
        Resource(name, keys=[f"key-of-{name}"], deployments=deployments)
        for name in names or ("east", "west")
    ]
    return Emulator(resources, **options)


def row(name: str, group: str) -> dict[str, Any]:
    """The row of a group for a resource."""
    return {
        "model_name": group,
        "litellm_params": {
            "model": "azure/gpt",
            "api_base": f"https://{name}.openai.azure.com",
            "api_key": f"key-of-{name}",
        },
        "model_info": {"id": f"{name}-{group}", "base_model": "gpt-5-mini"},
    }


def rows(*names: str) -> list[dict[str, Any]]:
    """Rows of the group `chat`, one for each resource named, whose name is their id."""
    return [
        {**row(name, "chat"), "model_info": {"id": name, "base_model": "gpt-5-mini"}}
        for name in names
    ]


def form(
    *fields: tuple[str, str], field: str = "file", name: str = "a.txt", content: str = "abc"
) -> bytes:
    """A body of the type `FORM`: these fields, and a file."""
    parts = "".join(
        f'--b\r\ncontent-disposition: form-data; name="{key}"\r\n\r\n{value}\r\n'
        for key, value in fields
    )
    return (
        f'{parts}--b\r\ncontent-disposition: form-data; name="{field}"; filename="{name}"\r\n'
        f"content-type: text/plain\r\n\r\n{content}\r\n--b--\r\n"
    ).encode()


@dataclass
class Answered:
    """A reply, read to its end."""

    status: int
    headers: Mapping[str, str]
    content: bytes
    summary: CallSummary

    @property
    def json(self) -> Any:
        return json.loads(self.content)

    @property
    def events(self) -> list[dict[str, Any]]:
        lines = [line for line in self.content.decode().split("\n") if line.startswith("data: ")]
        return [json.loads(line[6:]) for line in lines if line != "data: [DONE]"]


@dataclass
class Asker:
    """Asks a server of either kind."""

    router: Router
    kind: str
    runner: asyncio.Runner
    owner: str | None = "alice"
    headers: dict[str, str] = field(default_factory=dict)

    def __call__(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        query: str = "",
        pieces: int = 0,
        **more: Any,
    ) -> Answered:
        """The answer; of a stream only so many pieces, if `pieces` is not 0."""
        content = (
            body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        )
        request = ApiRequest(
            method, path, query, self.headers, content, more.pop("owner", self.owner), **more
        )
        if self.kind == "sync":
            return self._ask(request, pieces)
        return self.runner.run(self._ask_async(request, pieces))

    def _ask(self, request: ApiRequest, pieces: int) -> Answered:
        reply = OpenAIServer(self.router).handle(request)
        body: Any = reply.body
        if not isinstance(body, bytes):
            events, taken = body, []
            for piece in events:
                taken.append(piece)
                if len(taken) == pieces:
                    break
            events.close()
            body = b"".join(taken)
        return _answered(reply, body)

    async def _ask_async(self, request: ApiRequest, pieces: int) -> Answered:
        reply = await AsyncOpenAIServer(self.router).handle(request)
        body: Any = reply.body
        if not isinstance(body, bytes):
            events, taken = body, []
            async for piece in events:
                taken.append(piece)
                if len(taken) == pieces:
                    break
            await events.aclose()
            body = b"".join(taken)
        return _answered(reply, body)


def _answered(reply: Any, body: bytes) -> Answered:
    headers = {name.decode(): value.decode() for name, value in reply.headers}
    return Answered(reply.status, headers, body, reply.summary)


@contextmanager
def open_asker(kind: str, emulator: Emulator, *names: str, **options: Any) -> Iterator[Asker]:
    """An asker over the resources named, in process, or over another transport."""
    transport = options.pop("transport", None) or emulator.httpx_transport()
    clients: dict[str, Any] = {
        "http_client": httpx.Client(transport=transport),
        "async_http_client": httpx.AsyncClient(transport=transport),
    }
    model_list = options.pop("model_list", None) or rows(*names)
    with asyncio.Runner() as runner:
        try:
            with open_asker_over(kind, model_list, **clients, **options) as asker:
                yield asker
        finally:
            runner.run(clients["async_http_client"].aclose())
            clients["http_client"].close()


@contextmanager
def open_asker_over(kind: str, model_list: list[dict[str, Any]], **options: Any) -> Iterator[Asker]:
    """An asker over any rows."""
    options.setdefault("affinity_secret", "s" * 32)
    with warnings.catch_warnings(), asyncio.Runner() as runner:
        router = Router(model_list, **options)
        try:
            yield Asker(router, kind, runner)
        finally:
            runner.run(router.aclose())
            router.close()
