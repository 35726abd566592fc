"""Other callers and the health probe, in a process of their own: how long do they wait?

`python -m tests.gateway.bystanders HOST PORT KEY` calls until its standard input is closed, and
prints the seconds that each call and each probe took, as JSON.
"""

import http.client
import json
import sys
import threading
import time

__all__ = ["main"]

_BODY = json.dumps({"model": "chat", "input": "Say hello."}).encode()
_PAUSE = 0.01


def _measure(
    place: tuple[str, int], method: str, path: str, headers: dict[str, str], ended: threading.Event
) -> list[float]:
    seconds = []
    connection = http.client.HTTPConnection(*place, timeout=60)
    while not ended.is_set():
        began = time.perf_counter()
        connection.request(method, path, _BODY if method == "POST" else None, headers)
        reply = connection.getresponse()
        reply.read()
        if reply.status != 200:
            raise RuntimeError(f"{path}: {reply.status}")
        seconds.append(time.perf_counter() - began)
        time.sleep(_PAUSE)
    connection.close()
    return seconds


def main(host: str, port: str, key: str) -> None:
    """Call and probe until standard input is closed."""
    place, ended = (host, int(port)), threading.Event()
    found: dict[str, list[float]] = {}

    def call() -> None:
        headers = {"authorization": f"Bearer {key}", "content-type": "application/json"}
        found["calls"] = _measure(place, "POST", "/v1/responses", headers, ended)

    def probe() -> None:
        found["probes"] = _measure(place, "GET", "/health/liveliness", {}, ended)

    threads = [threading.Thread(target=work) for work in (call, probe)]
    for thread in threads:
        thread.start()
    print("ready", flush=True)
    sys.stdin.read()
    ended.set()
    for thread in threads:
        thread.join()
    print(json.dumps(found), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
