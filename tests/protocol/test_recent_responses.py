"""The responses a client made lately."""

import threading

from azure_responses.protocol.call import RecentResponses


def test_a_response_keeps_the_time_of_its_birth() -> None:
    recent = RecentResponses()
    recent.remember("a", 1.0)
    recent.remember("a", 2.0)
    assert recent.born("a") == 1.0


def test_what_was_never_made_has_no_birth() -> None:
    recent = RecentResponses()
    assert recent.born("a") is None
    assert recent.born(None) is None
    assert recent.born("") is None


def test_a_deleted_response_is_forgotten_and_forgetting_twice_is_fine() -> None:
    recent = RecentResponses()
    recent.remember("a", 1.0)
    recent.forget("a")
    recent.forget("a")
    assert recent.born("a") is None


def test_the_oldest_makes_room() -> None:
    recent = RecentResponses(capacity=2)
    for number, name in enumerate("abc"):
        recent.remember(name, float(number))
    assert [recent.born(name) for name in "abc"] == [None, 1.0, 2.0]


def test_only_so_many_doubtful_deletions_are_remembered() -> None:
    recent = RecentResponses(capacity=2)
    for name in "abc":
        recent.doubt(name)
    assert [recent.is_doubtful(name) for name in "abc"] == [False, True, True]
    recent.forget("b")
    assert not recent.is_doubtful("b")


def test_threads_may_share_it() -> None:
    recent = RecentResponses(capacity=10)

    def work(name: str) -> None:
        for number in range(500):
            recent.remember(f"{name}{number}", 0.0)
            recent.forget(f"{name}{number - 1}")

    threads = [threading.Thread(target=work, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(recent.born(f"{name}499") == 0.0 for name in "abcd") == 4


def test_a_response_that_is_stored_here_can_be_read_at_once() -> None:
    recent = RecentResponses()
    recent.remember("resp_bridged_1", 1.0)
    assert recent.born("resp_bridged_1") is None
