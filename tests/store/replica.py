"""One replica of a router, as a process of its own; prints what it did as JSON.

A load begins when a line is read, after "ready" was printed.

python -m tests.store.replica load <url> <prefix> <seconds> <pace> <tpm>
python -m tests.store.replica purge <url> <prefix> <file> <deletions before it hangs>
"""

import json
import random
import sys
import time
from collections.abc import Callable
from pathlib import Path

from azure_responses.errors import ResponseNotFoundError
from azure_responses.routing.purge_ledger import LedgerEntry
from azure_responses.routing.route_request import Settlement
from azure_responses.store.connection import read_address
from azure_responses.store.purge import purge
from azure_responses.store.redis_state import RedisState
from tests.store.samples import candidate_for

__all__ = ["PacedClock", "deletion_from", "reserve_for"]


class PacedClock:
    """Unix milliseconds that pass faster; remembers what it said last."""

    def __init__(self, pace: float) -> None:
        self._pace = pace
        self.last = 0

    def __call__(self) -> int:
        self.last = int(time.time() * 1000 * self._pace)
        return self.last


def reserve_for(
    state: RedisState, seconds: float, clock: PacedClock, tpm: int
) -> list[list[float]]:
    """Ask for as much as there is; [second in which it was counted, tokens used] of each call."""
    taken = []
    end = time.time() + seconds
    while time.time() < end:
        reservation = state.reserve(
            [candidate_for(tokens=random.randint(1, tpm // 200), tpm=tpm)], time.time()
        )
        time.sleep(0.002)
        if reservation.candidate is None:
            continue
        # Half as much is used, in every second call; what is given back may be taken again.
        used = reservation.candidate.tokens // random.choice((1, 2))
        taken.append([clock.last / 1000, used])
        state.settle(Settlement(reservation.candidate, reservation.slot, used), time.time())
    return taken


def deletion_from(folder: Path, most: int | None = None) -> Callable[[LedgerEntry], None]:
    """Deletes a response, a file here; hangs after `most` of them."""
    deleted = 0

    def delete(entry: LedgerEntry) -> None:
        nonlocal deleted
        if deleted == most:
            print("hanging", flush=True)
            time.sleep(60)
        try:
            (folder / entry.response_id).unlink()
        except FileNotFoundError:
            raise ResponseNotFoundError("It is gone.", status_code=404) from None
        deleted += 1

    return delete


def _main(task: str, url: str, prefix: str, *words: str) -> None:
    if task == "load":
        seconds, pace, tpm = float(words[0]), float(words[1]), int(words[2])
        clock = PacedClock(pace)
        address = read_address(url, timeout=5)
        state = RedisState(address, prefix=prefix, clock=clock if pace != 1 else None)
        print("ready", flush=True)
        sys.stdin.readline()
        print(json.dumps(reserve_for(state, seconds, clock, tpm)))
    else:
        state = RedisState(read_address(url, timeout=5), prefix=prefix)
        folder, most = Path(words[0]), int(words[1])
        receipt = purge(state, "ann", deletion_from(folder, most if most >= 0 else None))
        print(json.dumps(receipt.to_dict()))
    assert state.flush()
    state.close()


if __name__ == "__main__":
    _main(*sys.argv[1:])
