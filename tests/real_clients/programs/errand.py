"""What the programs have in common: how to reach the gateway, what to report.

A program runs in the interpreter that has its client. It is given a JSON object as its one
argument, runs its cases one after the other in every mode, and prints one JSON object: what each
case saw, and which requests had reached which resource by then.
"""

import asyncio
import inspect
import json
import sys
import traceback
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Case", "Errand", "run"]

Case = Callable[["Errand"], Any]


@dataclass
class Errand:
    """Where a program is to send its calls.

    Attributes:
        mode: "gateway" or "emulator", over HTTP, or "injected", by a transport in this process.
        url: of the gateway, without a path.
        key: that the gateway takes, or the first row's resource where it is called itself.
        emulator: URL of the emulator behind everything.
        rows: of the router that an injected transport calls.
    """

    mode: str
    url: str
    key: str
    emulator: str
    rows: list[dict[str, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        if self.mode == "emulator":
            self.key = self.rows[0]["litellm_params"]["api_key"]

    @property
    def endpoint(self) -> str:
        """What Azure's clients take; nothing listens there where calls are injected."""
        azure: str = self.rows[0]["litellm_params"]["api_base"]
        return {"gateway": self.url, "emulator": azure}.get(self.mode, "http://unused.invalid")

    @property
    def base_url(self) -> str:
        """What OpenAI's clients take."""
        return f"{self.endpoint}/openai/v1" if self.mode == "emulator" else f"{self.endpoint}/v1"

    @property
    def carriers(self) -> dict[str, Any]:
        """`http_client=` for a blocking client, where calls are injected."""
        if self.mode != "injected":
            return {}
        from azure_responses.openai_transport import transport

        return {"http_client": _library().Client(transport=transport(self._router()))}

    @property
    def async_carriers(self) -> dict[str, Any]:
        """`http_client=` for an async client, where calls are injected."""
        if self.mode != "injected":
            return {}
        from azure_responses.openai_transport import async_transport

        return {"http_client": _library().AsyncClient(transport=async_transport(self._router()))}

    def client(self) -> Any:
        """A blocking client of the openai package."""
        import openai

        return openai.OpenAI(base_url=self.base_url, api_key=self.key, **self.carriers)

    def async_client(self) -> Any:
        """An async client of the openai package."""
        import openai

        return openai.AsyncOpenAI(base_url=self.base_url, api_key=self.key, **self.async_carriers)

    def azure_client(self) -> Any:
        """Azure's client of the openai package."""
        import openai

        return openai.AzureOpenAI(
            azure_endpoint=self.endpoint,
            api_key=self.key,
            api_version="2025-04-01-preview",
            **self.carriers,
        )

    def _router(self) -> Any:
        from azure_responses import Router

        return Router(self.rows)


def _library() -> Any:
    """The HTTP library that the installed openai package is made for."""
    import openai

    if openai.__version__.startswith("2."):
        import httpx

        return httpx
    import httpx2

    return httpx2


def run(*cases: Case) -> None:
    """Run the cases and print what they saw; the name of a case is that of its function."""
    given = json.loads(sys.argv[1])
    report = {}
    for mode in given.pop("modes"):
        errand = Errand(mode, **given)
        report[mode] = {case.__name__: _report(case, errand) for case in cases}
    print(json.dumps(report))


def _report(case: Case, errand: Errand) -> dict[str, Any]:
    _ask_emulator(errand, "DELETE")
    try:
        seen = case(errand)
        if inspect.iscoroutine(seen):
            seen = asyncio.run(seen)
    except Exception:
        return {"error": traceback.format_exc(), "requests": _requests(errand)}
    return {"seen": seen, "requests": _requests(errand)}


def _requests(errand: Errand) -> list[dict[str, Any]]:
    entries = json.loads(_ask_emulator(errand, "GET"))["requests"]
    kept = ("resource", "operation", "status", "query", "body")
    return [{name: entry[name] for name in kept} for entry in entries]


def _ask_emulator(errand: Errand, method: str) -> bytes:
    request = urllib.request.Request(f"{errand.emulator}/_emulator/requests", method=method)
    with urllib.request.urlopen(request, timeout=30) as reply:
        content: bytes = reply.read()
    return content
