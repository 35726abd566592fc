"""Two processes with a router each, over one emulator, with one real Redis or with nothing."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from azure_responses.emulator import EmulatedDeployment, Emulator, Fault, Resource
from azure_responses.emulator.server import RunningServer
from tests.store.redis_server import PROGRAM, RedisServer, running
from tests.tree import TESTS

_SECRET = "one secret for all replicas"
_TPM = 40_000
_QUESTION = "What is my name?"


class Process:
    """A replica in a process of its own."""

    def __init__(self, rows: list[dict[str, Any]], half: str, options: dict[str, Any]) -> None:
        settings = json.dumps({"rows": rows, "options": options, "half": half})
        command = [sys.executable, "-m", "tests.router.replica", settings]
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(
            command, stdin=pipe, stdout=pipe, text=True, cwd=TESTS.parent
        )
        assert self.answer() == "ready"

    def tell(self, name: str, **arguments: Any) -> None:
        """Have it begin something."""
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps([name, arguments]) + "\n")
        self.process.stdin.flush()

    def answer(self) -> Any:
        """What came of it."""
        assert self.process.stdout is not None
        return json.loads(self.process.stdout.readline())

    def do(self, name: str, **arguments: Any) -> Any:
        """Begin something and wait for what comes of it."""
        self.tell(name, **arguments)
        return self.answer()

    def kill(self) -> None:
        """End it at once, as a crash would."""
        self.process.kill()
        self.process.communicate()


class Site:
    """An emulator that is served, perhaps a Redis, and the replicas started."""

    def __init__(self, stack: ExitStack, emulator: Emulator, server: RunningServer) -> None:
        self.emulator = emulator
        self.redis: RedisServer | None = None
        self._stack = stack
        self._server = server

    def start_redis(self) -> None:
        """Share a state between the replicas started from now on."""
        if PROGRAM is None:
            pytest.skip("neither redis-server nor valkey-server is installed")
        pytest.importorskip("redis")
        self.redis = self._stack.enter_context(running(RedisServer()))

    def rows(self, *names: str, **params: Any) -> list[dict[str, Any]]:
        """A row of "gpt" on each of some resources."""
        return [
            {
                "model_name": "gpt",
                "params": {
                    "model": "azure/gpt-5",
                    "api_key": self.emulator.api_key,
                    "api_base": self._server.resource_url(name),
                    **params,
                },
                "model_info": {"id": name},
            }
            for name in names or ("east", "west")
        ]

    def replicas(self, rows: list[dict[str, Any]], **options: Any) -> tuple[Process, Process]:
        """Two, of which one uses the sync calls and the other the async ones."""
        options = {"affinity_secret": _SECRET, **options}
        if self.redis is not None:
            # A loaded machine is slow, which is no outage.
            options |= {"state": self.redis.url, "state_timeout": 5.0}
        first, second = (Process(rows, half, options) for half in ("sync", "async"))
        for process in (first, second):
            self._stack.callback(process.kill)
        return first, second

    def tokens_served(self, name: str) -> int:
        """What the emulator counts in this minute of a resource's deployment."""
        with self.emulator._lock:
            window = self.emulator._accounts[name].windows["gpt-5"]
            return window.tokens(self.emulator.clock.now())

    def creations(self, name: str) -> int:
        """Calls that reached a resource to create something."""
        found = [each.resource for each in self.emulator.requests if each.operation == "create"]
        return found.count(name)


@pytest.fixture
def site() -> Iterator[Site]:
    emulator = Emulator(
        [
            Resource(name, deployments=[EmulatedDeployment("gpt-5", tokens_per_minute=10_000_000)])
            for name in ("east", "west")
        ],
        log_size=50_000,
    )
    with ExitStack() as stack:
        yield Site(stack, emulator, stack.enter_context(emulator.serve()))


@pytest.fixture
def shared_site(site: Site) -> Site:
    site.start_redis()
    return site


def test_the_load_of_two_processes_together_keeps_to_the_limit_of_a_row(shared_site: Site) -> None:
    replicas = shared_site.replicas(shared_site.rows("east", tpm=_TPM), num_retries=0)
    for replica in replicas:
        replica.tell(
            "load",
            seconds=6,
            # So that the one that is ready first does not take it all.
            pace=0.2,
            model="gpt",
            input="Tell me of the sea. [[azure:length:200]]",
            max_output_tokens=300,
            reasoning={"effort": "minimal"},
            timeout=5,
        )
    reports = [replica.answer() for replica in replicas]
    assert all(len(report["made"]) > 10 for report in reports), "both got their share"
    for report in reports:
        assert report["warnings"] == []
        assert {each["error"] for each in report["failed"]} == {"RateLimitError"}
        assert all(0 < each["retry_after"] <= 61 for each in report["failed"])
    # All within one minute, which is how the emulator counts.
    assert 0.98 * _TPM <= shared_site.tokens_served("east") <= 1.02 * _TPM
    assert shared_site.creations("east") == sum(len(report["made"]) for report in reports)


def test_no_call_is_lost_when_redis_is_killed(shared_site: Site) -> None:
    replicas = shared_site.replicas(shared_site.rows(tpm=5_000_000, rpm=100_000))
    for replica in replicas:
        replica.tell("load", seconds=4, model="gpt", input="hi", safety_identifier="ann")
    time.sleep(1.5)
    assert shared_site.redis is not None
    shared_site.redis.kill()
    reports = [replica.answer() for replica in replicas]
    for report in reports:
        assert report["failed"] == []
        assert len(report["made"]) > 20
        assert [text for text in report["warnings"] if "does not answer" in text] != []
        assert len(report["warnings"]) == 1
    made = sum(len(report["made"]) for report in reports)
    assert made == shared_site.creations("east") + shared_site.creations("west")
    # Nor afterwards, nor do ids depend on it.
    first = replicas[0].do("ask", model="gpt", input="My name is Ann.")
    again = replicas[1].do("ask", model="gpt", input=_QUESTION, previous_response_id=first["id"])
    assert "Ann" in again["text"]


@pytest.mark.parametrize("purger", [0, 1])
def test_a_purge_deletes_what_both_processes_made(shared_site: Site, purger: int) -> None:
    replicas = shared_site.replicas(shared_site.rows())
    made = [
        replica.do("ask", model="gpt", input="hi", safety_identifier="ann")
        for replica in replicas * 4
    ]
    kept = replicas[0].do("ask", model="gpt", input="hi", safety_identifier="bob")
    assert all(replica.do("flush") for replica in replicas)
    receipt = replicas[purger].do("purge", end_user="ann")
    assert receipt["is_complete"]
    assert (len(receipt["deleted"]), receipt["already_gone"], receipt["failed"]) == (8, [], {})
    for response in made:
        # Whoever made it would wait a while for it to become readable.
        found = replicas[purger].do("retrieve", response_id=response["id"])
        assert found["error"] == "ResponseNotFoundError"
    for replica in replicas:
        assert replica.do("retrieve", response_id=kept["id"])["id"] == kept["id"]
    assert replicas[1 - purger].do("purge", end_user="ann")["deleted"] == []


def test_a_purge_goes_on_in_another_process_when_its_own_crashes(shared_site: Site) -> None:
    first, second = shared_site.replicas(shared_site.rows())
    made = [
        replica.do("ask", model="gpt", input="hi", safety_identifier="ann")
        for replica in (first, second) * 5
    ]
    assert first.do("flush")
    assert second.do("flush")
    shared_site.emulator.faults.add(Fault("stall-before-headers", operation="delete", nth=5))
    first.tell("purge", end_user="ann")
    deadline = time.monotonic() + 10
    while shared_site.emulator.requests[-1].faults == [] and time.monotonic() < deadline:
        time.sleep(0.02)
    # What was deleted is noted by another thread; what is not, may not be gone.
    time.sleep(0.5)
    first.kill()
    receipt = second.do("purge", end_user="ann")
    assert receipt["is_complete"]
    assert receipt["failed"] == {}
    # The fifth was never answered.
    assert len(receipt["deleted"]) == 6
    assert receipt["already_gone"] == []
    for response in made:
        found = second.do("retrieve", response_id=response["id"])
        assert found["error"] == "ResponseNotFoundError"


def test_a_cooldown_that_one_process_learnt_is_kept_by_the_other(shared_site: Site) -> None:
    first, second = shared_site.replicas(shared_site.rows("east"))
    shared_site.emulator.faults.add(Fault("http-429", operation="create", retry_after=20.4))
    learnt = first.do("ask", model="gpt", input="hi", timeout=5)
    assert learnt["error"] == "RateLimitError"
    assert 20 <= learnt["retry_after"] <= 20.4
    assert first.do("flush")
    told = second.do("ask", model="gpt", input="hi", timeout=5)
    assert told["error"] == "RateLimitError"
    # In milliseconds: the header in seconds said 21.
    assert 5 < told["retry_after"] <= 20.4
    assert shared_site.creations("east") == 1


def test_a_cooldown_of_one_process_sends_the_other_elsewhere(shared_site: Site) -> None:
    first, second = shared_site.replicas(shared_site.rows())
    shared_site.emulator.faults.add(
        Fault("http-429", operation="create", resource="east", retry_after=30)
    )
    for _ in range(20):
        assert first.do("ask", model="gpt", input="hi")["deployment"] == "west"
    assert shared_site.creations("east") == 1
    assert first.do("flush")
    for _ in range(10):
        assert second.do("ask", model="gpt", input="hi")["deployment"] == "west"
    assert shared_site.creations("east") == 1


@pytest.mark.parametrize("is_shared", [False, True], ids=["nothing shared", "state shared"])
def test_ids_of_one_process_are_known_to_the_other(site: Site, is_shared: bool) -> None:
    if is_shared:
        site.start_redis()
    replicas = site.replicas(site.rows())
    served = set()
    for maker, follower in (replicas, replicas[::-1]):
        for _ in range(6):
            made = maker.do("ask", model="gpt", input="My name is Ann.")
            again = follower.do(
                "ask", model="gpt", input=_QUESTION, previous_response_id=made["id"]
            )
            assert "Ann" in again["text"]
            assert again["deployment"] == made["deployment"]
            assert follower.do("retrieve", response_id=made["id"])["id"] == made["id"]
            served.add(made["deployment"])
    assert served == {"east", "west"}


def test_a_conversation_goes_on_where_another_process_began_it(shared_site: Site) -> None:
    options = {"routing_strategy": "least-busy"}
    first, second = shared_site.replicas(shared_site.rows(), **options)
    for number in range(6):
        asked = {"model": "gpt", "prompt_cache_key": f"conversation {number}"}
        items = [{"role": "user", "content": _QUESTION}]
        place = first.do("ask", input=items, **asked)["deployment"]
        assert first.do("flush")
        items += [{"role": "assistant", "content": "Ann."}, {"role": "user", "content": _QUESTION}]
        assert second.do("ask", input=items, **asked)["deployment"] == place


def test_a_conversation_that_moved_is_followed_by_other_processes(shared_site: Site) -> None:
    first, second = shared_site.replicas(shared_site.rows())
    items = [{"role": "user", "content": text} for text in ("Hello", _QUESTION)]
    asked = {"model": "gpt", "prompt_cache_key": "moved", "input": items}
    origin = first.do("ask", **asked)["deployment"]
    shared_site.emulator.faults.add(
        Fault("http-429", operation="create", resource=origin, times=1, retry_after=0.05)
    )
    moved = first.do("ask", **asked)["deployment"]
    assert moved != origin
    assert first.do("flush")
    time.sleep(0.1)
    assert second.do("ask", **asked)["deployment"] == moved
