from azure_responses.bridge.chat_over_responses.history import History


def test_what_was_left_out_is_told_once() -> None:
    history = History(foreign_items=2, unreadable_items=3)
    history.settle()
    assert [warning.split(" ")[0] for warning in history.warnings] == ["2", "3"]


def test_nothing_left_out_is_nothing_told() -> None:
    history = History()
    history.settle()
    history.warn_of_unknown({"role": "user", "x": None, "y": [], "z": {}}, frozenset({"role"}), "p")
    assert history.warnings == []
