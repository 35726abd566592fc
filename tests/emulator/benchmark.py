"""How many replies a second the emulator gives in process: `python -m tests.emulator.benchmark`."""

import time

import httpx

from azure_responses.emulator import Emulator
from tests.emulator.callers import V1

__all__ = ["measure"]

BODY = {"model": "gpt-4.1", "input": "Say hello"}


def measure(count: int = 5000, *, stream: bool = False) -> float:
    """Replies a second through the transport alone, bodies read to the end."""
    emulator = Emulator()
    transport = emulator.httpx_transport()
    requests = [
        httpx.Request(
            "POST",
            emulator.endpoint + V1,
            headers={"api-key": emulator.api_key},
            json={**BODY, "stream": stream},
        )
        for _ in range(count)
    ]
    begin = time.perf_counter()
    for request in requests:
        transport.handle_request(request).read()
    return count / (time.perf_counter() - begin)


if __name__ == "__main__":
    for stream in (False, True):
        best = max(measure(stream=stream) for _ in range(3))
        print(f"{'streamed' if stream else 'whole'} replies a second: {best:,.0f}")
