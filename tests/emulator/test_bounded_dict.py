"""A dict that stays small."""

from azure_responses.emulator.bounded_dict import BoundedDict


def test_what_was_added_first_is_dropped() -> None:
    bounded: BoundedDict[int] = BoundedDict(2)
    for number, name in enumerate("abcb"):
        bounded[name] = number
    assert bounded == {"b": 3, "c": 2}


def test_an_owner_can_drop_an_entry_itself() -> None:
    dropped: list[str] = []

    def drop(key: str) -> None:
        dropped.append(key)
        del bounded[key]

    bounded: BoundedDict[int] = BoundedDict(1, drop)
    bounded["a"] = 1
    bounded["b"] = 2
    assert (dropped, bounded) == (["a"], {"b": 2})
