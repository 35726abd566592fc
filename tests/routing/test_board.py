"""What this process knows of its deployments."""

import threading

from azure_responses.routing.ask import Bid, Grant
from azure_responses.routing.board import Board
from azure_responses.routing.outcome import Settlement
from azure_responses.routing.settings import RouterSettings
from tests.routing.fleet import deployment

_A = deployment("a", rpm=2, tpm=100)
_B = deployment("b")


def _board() -> Board:
    return Board([_A, _B], RouterSettings())


def test_the_first_bid_with_room_is_granted() -> None:
    board = _board()
    assert board.reserve([Bid(_A, 60), Bid(_B, 60)], 5.0) == Grant(Bid(_A, 60), 5)
    granted = board.reserve([Bid(_A, 60), Bid(_B, 60)], 5.0).bid
    assert granted is not None
    assert granted.deployment is _B


def test_a_refusal_says_when_there_is_room() -> None:
    board = _board()
    board.reserve([Bid(_A, 100)], 5.0)
    assert board.reserve([Bid(_A, 1)], 10.0) == Grant(None, retry_after=56.0)
    assert board.full_for(_A, 1, 10.0) == 56.0
    assert board.full_for(_B, 1, 10.0) == 0.0


def test_no_bids_are_refused_at_once() -> None:
    assert _board().reserve([], 0.0) == Grant(None, retry_after=0.0)


def test_a_deployment_that_cools_down_is_not_granted() -> None:
    board = _board()
    board.settle(Settlement(Bid(_B, 0), 0, 0, cooldown=7.0), 1.0)
    assert board.reserve([Bid(_B, 0)], 2.0) == Grant(None, retry_after=6.0)


def test_a_settlement_corrects_the_count() -> None:
    board = _board()
    bid = Bid(_A, 100)
    board.settle(Settlement(bid, board.reserve([bid], 0.0).slot, 40), 1.0)
    assert board.full_for(_A, 60, 1.0) == 0.0
    assert board.full_for(_A, 61, 1.0) > 0.0


def test_a_settlement_leaves_the_cause_as_known_here() -> None:
    board = _board()
    board.limit("b", 5.0, 0.0)
    board.settle(Settlement(Bid(_B, 0), 0, 0, cooldown=5.0), 0.1)
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


def test_a_forked_process_waits_for_nobody_who_is_not_there() -> None:
    board = _board()
    board._lock.acquire()
    board.renew_lock()
    assert board.reserve([Bid(_B, 1)], 5.0).bid == Bid(_B, 1)
