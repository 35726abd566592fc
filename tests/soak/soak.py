"""A soak, from the first call to the last figure."""

import asyncio
import random
import statistics
import tempfile
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp

from tests.soak.accounts import Accounts, balance
from tests.soak.calls import KINDS, Call, Visit
from tests.soak.client import ApiCaller, Wrong
from tests.soak.served import Served
from tests.soak.stage import FAULTS, MASTER_KEY, Stage, staged

__all__ = ["Figures", "drive", "soak"]

_KEYS = 4
_SAMPLE_SECONDS = 0.25
# Tokens take their time, so that a caller who leaves does so before the end.
_LATENCY = {"first_token": 0.02, "tokens_per_second": 1000}
# Two threads of the gateway use the database: one writes what was spent, one reads the keys. The
# pool opens a second connection when they first meet, which may be at any time, and keeps it. All
# connections of a process share one `-shm` file.
_DATABASE = Counter({"gateway.db": 2, "gateway.db-wal": 2})
_CLOSING_SECONDS = 10.0


@dataclass
class Figures:
    """What a soak has found.

    Attributes:
        calls: all that were made.
        seconds: they took.
        wrong: what no gateway may do.
        memory: resident megabytes of the gateway, a few times a second.
        descriptors: of the gateway by kind, before the first call and after the last, with the
            callers and Azure gone.
        accounts: of money.
        tracebacks: lines of the gateway's log that begin one.
        leaks: secrets found in the gateway's log or spend log.
        exit_code: of the gateway.
    """

    calls: list[Call] = field(default_factory=list)
    seconds: float = 0.0
    wrong: list[str] = field(default_factory=list)
    memory: list[float] = field(default_factory=list)
    descriptors: tuple[Counter[str], Counter[str]] = (Counter(), Counter())
    accounts: Accounts = field(default_factory=Accounts)
    tracebacks: int = 0
    leaks: list[str] = field(default_factory=list)
    exit_code: int | None = None

    @property
    def growth(self) -> float:
        """Megabytes between the second quarter and the last."""
        quarter = len(self.memory) // 4
        early, late = self.memory[quarter : 2 * quarter], self.memory[-quarter:]
        return statistics.median(late) - statistics.median(early)

    @property
    def lost_descriptors(self) -> Counter[str]:
        """Descriptors that the calls opened and that nothing will close."""
        before, after = self.descriptors
        return after - (before | _DATABASE)

    @property
    def repeated_ids(self) -> list[str]:
        """Ids that two calls were given."""
        counts = Counter(call.response_id for call in self.calls if call.response_id)
        return [name for name, count in counts.items() if count > 1]

    def unfinished(self) -> list[Call]:
        """Calls that never ended."""
        return [call for call in self.calls if not call.outcome]


class _Sampler(threading.Thread):
    """Reads the memory of a process until told to stop."""

    def __init__(self, process: Served, into: list[float]) -> None:
        super().__init__(daemon=True)
        self._process = process
        self._into = into
        self._is_over = threading.Event()

    def run(self) -> None:
        while not self._is_over.wait(_SAMPLE_SECONDS):
            self._into.append(self._process.resident_mb())

    def end(self) -> None:
        self._is_over.set()
        self.join()


async def drive(
    figures: Figures, urls: list[str], keys: list[str], count: int, *, at_once: int, seed: int = 1
) -> None:
    """Make at least `count` calls, `at_once` at a time, taking the gateways in turn.

    What is wrong is noted in the figures; the other calls go on.
    """
    dice = random.Random(seed)
    visits, weights = list(KINDS), list(KINDS.values())
    timeout = aiohttp.ClientTimeout(total=110)
    async with aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0), timeout=timeout
    ) as session:

        async def work(place: int) -> None:
            number = 0
            while len(figures.calls) < count:
                number += 1
                mine = dice.randrange(len(keys))
                url = urls[dice.randrange(len(urls))]
                visit = Visit(
                    ApiCaller(session, url, keys[mine]),
                    ApiCaller(session, url, keys[mine - 1]),
                    f"n{seed}-{place}-{number}",
                    dice,
                    figures.calls,
                )
                try:
                    await dice.choices(visits, weights)[0](visit)
                except (Wrong, KeyError, TypeError, TimeoutError) as error:
                    figures.wrong.append(f"{visit.nonce}: {error!r}")

        await asyncio.gather(*(work(place) for place in range(at_once)))


def soak(
    count: int, *, at_once: int = 100, folder: Path | None = None, redis_url: str | None = None
) -> Figures:
    """Make calls to a gateway of its own over a faulty emulator of its own.

    Without a Redis the gateway itself remembers which responses it has made, up to 100,000 of
    them, and grows until then.
    """
    general = {} if redis_url is None else {"redis_url": redis_url}
    with tempfile.TemporaryDirectory() as made:
        stage = Stage(folder or Path(made), faults=FAULTS, latency=_LATENCY)
        with staged(stage, **general) as (azure, gateway):
            return _measure(stage, azure, gateway, count, at_once)


def _measure(stage: Stage, azure: Served, gateway: Served, count: int, at_once: int) -> Figures:
    figures = Figures()
    keys = stage.make_keys(_KEYS)
    _await_keys(gateway, keys[-1])
    # The first calls open what stays open: all that does not lead to Azure.
    asyncio.run(drive(figures, [gateway.url], keys, 1, at_once=1, seed=0))
    before = gateway.open_kinds()
    # These end with their peers; none of them may count for one that stays after the calls.
    for kind in ("from a caller", f"to port {azure.port}"):
        del before[kind]
    sampler = _Sampler(gateway, figures.memory)
    sampler.start()
    began = time.monotonic()
    asyncio.run(drive(figures, [gateway.url], keys, count, at_once=at_once))
    figures.seconds = time.monotonic() - began
    sampler.end()
    azure.kill()  # Its idle connections end with it; whatever is open then is lost.
    deadline = time.monotonic() + _CLOSING_SECONDS
    figures.descriptors = (before, gateway.open_kinds())
    while figures.lost_descriptors and time.monotonic() < deadline:
        time.sleep(0.2)
        figures.descriptors = (before, gateway.open_kinds())
    figures.exit_code = gateway.stop()
    figures.accounts = balance(
        figures.calls, stage.spend_lines(), f"sqlite:///{stage.folder / 'gateway.db'}"
    )
    log = gateway.log.read_text()
    figures.tracebacks = log.count("Traceback (most recent call last)")
    written = log + (stage.folder / "spend.jsonl").read_text()
    figures.leaks = [key for key in [*keys, MASTER_KEY, "east-key", "west-key"] if key in written]
    return figures


def _await_keys(gateway: Served, key: str) -> None:
    """Wait until the gateway has read the keys that were made after it began."""

    async def ask() -> None:
        async with aiohttp.ClientSession() as session:
            caller = ApiCaller(session, gateway.url, key)
            deadline = time.monotonic() + 20
            while (await caller.ask("GET", "/v1/models", "wait")).status != 200:
                assert time.monotonic() < deadline, "the gateway does not learn of new keys"
                await asyncio.sleep(0.2)

    asyncio.run(ask())
