"""What this process knows of its deployments."""

import threading

from azure_responses.routing.ask import Bid
from azure_responses.routing.board import Board
from azure_responses.routing.settings import RouterSettings
from tests.routing.fleet import deployment

_A = deployment("a")
_B = deployment("b")


def _board() -> Board:
    return Board([_A, _B], RouterSettings())


def test_a_cooldown_learnt_of_others_leaves_the_cause_as_known_here() -> None:
    board = _board()
    board.limit("b", 5.0, 0.0)
    board.learn({"b": 5.0}, 0.1)
    assert board.statuses["b"].cooldown.cause == "rate limit"


def test_cooldowns_of_others_count_and_end() -> None:
    board = _board()
    board.learn({"a": 3.0, "b": 0.0, "unknown": 9.0}, 0.0)
    assert board.cooldowns(1.0) == {"a": 2.0}
    assert board.statuses["a"].cooldown.cause == "another replica"
    assert board.tidy(2.0)
    assert not board.tidy(3.0)
    assert board.troubled == frozenset()
    assert board.cooldowns(3.0) == {}


def test_threads_do_not_lose_counts() -> None:
    board = _board()

    def work() -> None:
        for _ in range(500):
            mark = board.begin(Bid(_B, 1), 0.0)
            board.end(Bid(_B, 1), mark, 1)
        board.begin(Bid(_B, 1), 0.0)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert board.in_flight("b") == 8


def test_calls_and_probes_under_way_can_be_forgotten() -> None:
    board = _board()
    board.begin(Bid(_B, 1), 5.0)
    board.fail("b", "failures", 5.0, hint=None, at_once=True, is_probe=False)
    assert board.claim_probe("b", 1000.0)
    assert not board.is_open("b", 1000.0)
    board.forget_calls()
    assert board.in_flight("b") == 0
    assert board.is_open("b", 1000.0)
