"""One replica of a service that uses a Router, as a process of its own.

It is told what to do line by line, as JSON, and answers each line with one of JSON:

python -m tests.router.replica '{"rows": …, "options": …, "half": "sync" or "async"}'
"""

import asyncio
import json
import sys
import time
import warnings
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from azure_responses import AzureResponsesError, Router

__all__ = ["Replica"]

_WORKERS = 6
_PAUSE = 0.1


def _told(error: AzureResponsesError) -> dict[str, Any]:
    return {
        "error": type(error).__name__,
        "message": error.message,
        "retry_after": getattr(error, "retry_after", None),
    }


def _answered(answer: Any) -> dict[str, Any]:
    return {"id": answer.id, "text": answer.output_text, "deployment": answer.route.deployment}


class Replica:
    """What the lines ask for; each method answers with what can be written as JSON."""

    def __init__(self, rows: list[dict[str, Any]], options: dict[str, Any], half: str) -> None:
        self._router = Router(rows, **options)
        self._is_async = half == "async"

    def ask(self, **arguments: Any) -> dict[str, Any]:
        """One response."""
        try:
            return _answered(self._call("responses", **arguments))
        except AzureResponsesError as error:
            return _told(error)

    def retrieve(self, response_id: str) -> dict[str, Any]:
        """A stored response."""
        try:
            return _answered(self._call("retrieve", response_id))
        except AzureResponsesError as error:
            return _told(error)

    def purge(self, end_user: str) -> dict[str, Any]:
        """The receipt of a purge."""
        receipt: dict[str, Any] = self._call("purge", end_user=end_user).to_dict()
        return receipt

    def load(self, seconds: float, pace: float = 0.0, **arguments: Any) -> dict[str, Any]:
        """As many responses as fit into some seconds, several at once, each caller at its pace."""
        load = _Load(self._router, time.monotonic() + seconds, pace, arguments)
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            if self._is_async:
                asyncio.run(load.arun())
            else:
                load.run()
        texts = [str(one.message) for one in told]
        return {"made": load.made, "failed": load.failed, "warnings": texts}

    def flush(self) -> bool:
        """Have everything written that others are to know."""
        return self._router.parts.calls.state.flush()

    def _call(self, name: str, *values: Any, **arguments: Any) -> Any:
        if not self._is_async:
            return getattr(self._router, name)(*values, **arguments)

        async def call() -> Any:
            return await getattr(self._router, f"a{name}")(*values, **arguments)

        return asyncio.run(call())


class _Load:
    """Several callers who ask again and again."""

    def __init__(
        self, router: Router, until: float, pace: float, arguments: dict[str, Any]
    ) -> None:
        self.made: list[str] = []
        self.failed: list[dict[str, Any]] = []
        self._router = router
        self._until = until
        self._pace = pace
        self._arguments = arguments

    def run(self) -> None:
        with ThreadPoolExecutor(_WORKERS) as pool:
            for done in [pool.submit(self._work) for _ in range(_WORKERS)]:
                done.result()

    async def arun(self) -> None:
        await asyncio.gather(*(self._awork() for _ in range(_WORKERS)))

    def _work(self) -> None:
        while time.monotonic() < self._until:
            try:
                self.made.append(self._router.responses(**self._arguments).id)
                time.sleep(self._pace)
            except AzureResponsesError as error:
                self.failed.append(_told(error))
                time.sleep(_PAUSE)

    async def _awork(self) -> None:
        while time.monotonic() < self._until:
            try:
                self.made.append((await self._router.aresponses(**self._arguments)).id)
                await asyncio.sleep(self._pace)
            except AzureResponsesError as error:
                self.failed.append(_told(error))
                await asyncio.sleep(_PAUSE)


def _main(settings: str) -> None:
    replica = Replica(**json.loads(settings))
    print(json.dumps("ready"), flush=True)
    for line in sys.stdin:
        name, arguments = json.loads(line)
        print(json.dumps(getattr(replica, name)(**arguments)), flush=True)


if __name__ == "__main__":
    _main(sys.argv[1])
