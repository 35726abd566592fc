"""Who asks is told once, and at once where it is too late to wait."""

from azure_responses.gateway.asgi_reply import Disconnect


def test_whoever_still_watches_is_told_once() -> None:
    disconnect, told = Disconnect(), list[str]()

    def tell_first() -> None:
        told.append("first")

    def tell_second() -> None:
        told.append("second")

    disconnect.watch(tell_first)
    disconnect.watch(tell_second)
    disconnect.forget(tell_first)
    disconnect.happen()
    disconnect.happen()
    assert told == ["second"]


def test_who_watches_too_late_is_told_at_once() -> None:
    disconnect, told = Disconnect(), list[str]()
    disconnect.happen()
    disconnect.watch(lambda: told.append("late"))
    assert told == ["late"]


def test_who_is_told_may_stop_the_others_from_watching() -> None:
    disconnect, told = Disconnect(), list[str]()

    def tell() -> None:
        told.append("told")
        disconnect.forget(tell)

    disconnect.watch(tell)
    disconnect.happen()
    assert told == ["told"]
