"""Who asks is told once, and at once where it is too late to wait."""

from azure_responses.gateway.departure import Departure


def test_whoever_still_watches_is_told_once() -> None:
    departure, told = Departure(), list[str]()

    def tell_first() -> None:
        told.append("first")

    def tell_second() -> None:
        told.append("second")

    departure.watch(tell_first)
    departure.watch(tell_second)
    departure.forget(tell_first)
    departure.happen()
    departure.happen()
    assert told == ["second"]


def test_who_watches_too_late_is_told_at_once() -> None:
    departure, told = Departure(), list[str]()
    departure.happen()
    departure.watch(lambda: told.append("late"))
    assert told == ["late"]


def test_who_is_told_may_stop_the_others_from_watching() -> None:
    departure, told = Departure(), list[str]()

    def tell() -> None:
        told.append("told")
        departure.forget(tell)

    departure.watch(tell)
    departure.happen()
    assert told == ["told"]
