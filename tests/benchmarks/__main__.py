"""`python -m tests.benchmarks [import] [start] [sync] [async] [events] [chat] [converted] [large]
[memory] [router] [gateway] [websocket]`.
"""

import argparse
import os
import platform
from collections.abc import Callable, Iterable, Iterator
from functools import partial

from tests.benchmarks.calls import compare_async_calls, compare_sync_calls
from tests.benchmarks.chat import compare_chat
from tests.benchmarks.comparison import Comparison
from tests.benchmarks.converted import compare_converted
from tests.benchmarks.gateway import describe_gateway
from tests.benchmarks.import_time import compare_first_calls, compare_imports
from tests.benchmarks.memory import describe_memory
from tests.benchmarks.router import compare_router
from tests.benchmarks.streams import compare_events, compare_large_event
from tests.benchmarks.stub import serve_stub
from tests.benchmarks.websocket import describe_websocket


def _printed(compare: Callable[[str], Iterable[Comparison]], stub: str) -> Iterator[str]:
    for comparison in compare(stub):
        yield from comparison.lines()


_BENCHMARKS: dict[str, Callable[[str], Iterable[str]]] = {
    "import": partial(_printed, compare_imports),
    "start": partial(_printed, compare_first_calls),
    "sync": partial(_printed, compare_sync_calls),
    "async": partial(_printed, compare_async_calls),
    "events": partial(_printed, compare_events),
    "chat": partial(_printed, compare_chat),
    "converted": partial(_printed, compare_converted),
    "large": partial(_printed, compare_large_event),
    "memory": describe_memory,
    "router": partial(_printed, compare_router),
    "gateway": describe_gateway,
    "websocket": describe_websocket,
}


def main() -> None:
    """Run the benchmarks that are named, or all of them."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks")
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(_BENCHMARKS))
    names = parser.parse_args().names or list(_BENCHMARKS)
    if unknown := [name for name in names if name not in _BENCHMARKS]:
        parser.error(f"no benchmark {unknown[0]!r}; there are {', '.join(_BENCHMARKS)}")
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0
    print(f"Python {platform.python_version()}, {os.cpu_count()} cores, load {load:.1f}")
    with serve_stub() as stub:
        for name in names:
            # Each line as it comes: on a busy machine one comparison alone takes a minute.
            for line in _BENCHMARKS[name](stub):
                print(line, flush=True)


if __name__ == "__main__":
    main()
