"""A load generator in a process of its own: `python -m tests.benchmarks.load URL KEY …`.

So many callers at once, each of whom asks again as soon as they are answered.
"""

import asyncio
import json
import subprocess
import sys
import time

import aiohttp

from tests.benchmarks.bodies import PROMPT

__all__ = ["run_load"]


def run_load(url: str, *, at_once: int, calls: int, model: str, key: str) -> float:
    """Seconds per call."""
    command = [sys.executable, "-m", "tests.benchmarks.load"]
    arguments = [url, str(at_once), str(calls), model, key]
    done = subprocess.run([*command, *arguments], check=True, capture_output=True, text=True)
    return float(done.stdout)


async def _measure(url: str, at_once: int, calls: int, model: str, key: str) -> float:
    fields = {"model": model, "input": PROMPT, "max_output_tokens": 100}
    if model == "stream":
        fields["stream"] = True
    body = json.dumps(fields).encode()
    headers = {"authorization": f"Bearer {key}", "content-type": "application/json"}
    left = calls
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:

        async def ask() -> None:
            async with session.post(url, data=body, headers=headers) as reply:
                content = await reply.read()
                if reply.status != 200:
                    raise RuntimeError(f"{reply.status}: {content[:200]!r}")

        async def ask_on() -> None:
            nonlocal left
            while left > 0:
                left -= 1
                await ask()

        await asyncio.gather(*(ask() for _ in range(at_once)))
        began = time.perf_counter()
        await asyncio.gather(*(ask_on() for _ in range(at_once)))
        return (time.perf_counter() - began) / calls


if __name__ == "__main__":
    url, at_once, calls, model, key = sys.argv[1:]
    print(asyncio.run(_measure(url, int(at_once), int(calls), model, key)))
