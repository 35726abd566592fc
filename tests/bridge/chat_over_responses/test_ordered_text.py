from itertools import permutations

from hypothesis import given, settings
from hypothesis import strategies as st

from azure_responses.bridge.chat_over_responses.ordered_text import OrderedText


def test_text_of_the_open_part_goes_through_at_once() -> None:
    text = OrderedText()
    assert [text.add((0, 0), piece) for piece in ("a", "", "b")] == ["a", "", "b"]


def test_a_later_part_waits_until_the_one_before_is_complete() -> None:
    text = OrderedText(" ")
    assert text.add((0, 0), "one") == "one"
    assert text.add((1, 0), "tw") == ""
    assert text.close((0, 0), "one!") == "! tw"
    assert text.add((1, 0), "o") == "o"
    assert text.offset((1, 0)) == 5
    assert text.text() == "one! two"


def test_a_part_known_only_by_its_end_is_handed_on_then() -> None:
    text = OrderedText()
    assert text.close((0, 0), "whole") == "whole"
    assert text.close((0, 0), "whole") == ""
    assert text.close((0, 0), "whole and more") == " and more"


def test_an_end_that_contradicts_the_deltas_adds_nothing() -> None:
    text = OrderedText()
    text.add((0, 0), "abc")
    assert text.close((0, 0), "xyz") == ""


def test_empty_parts_take_no_place_and_no_separator() -> None:
    text = OrderedText("|")
    assert text.finish([((0,), ""), ((1,), "a"), ((2,), ""), ((3,), "b")]) == "a|b"
    assert text.offset((0,)) is None


def test_an_empty_first_delta_opens_nothing() -> None:
    text = OrderedText()
    assert text.add((0, 0), "") == ""
    assert text.add((0, 0), "a") == "a"
    assert text.texts_by_item() == {0: "a"}


def test_what_separates_items_does_not_separate_the_parts_of_one() -> None:
    text = OrderedText("|", joins_items=True)
    handed = "".join(
        text.add(place, piece) + text.close(place, piece)
        for place, piece in [((0, 0), "a"), ((0, 1), "b"), ((1, 0), ""), ((2, 0), "c")]
    )
    assert handed == text.text() == "ab|c"
    assert [text.offset(place) for place in [(0, 0), (0, 1), (2, 0)]] == [0, 1, 3]


def test_what_follows_lost_text_waits_for_the_whole_part() -> None:
    text = OrderedText("|")
    assert text.add((0,), "a") == "a"
    text.hold((0,))
    assert text.add((0,), "c") == ""
    assert text.add((1,), "d") == ""
    assert text.close((0,), "abc") == "bc|d"
    text.hold((2,))
    assert text.add((2,), "f") == ""
    assert text.close((2,), "ef") == ""
    assert text.close((1,), "d") == "|ef"


def test_parts_that_end_in_any_order_come_out_in_theirs() -> None:
    parts = [((0,), "a"), ((1,), "b"), ((2,), "c")]
    for order in permutations(parts[1:]):
        text = OrderedText("-")
        handed_on = text.add((0,), "a")
        handed_on += "".join(text.close(place, words) for place, words in order)
        handed_on += text.finish(parts)
        assert handed_on == "a-b-c"


@settings(deadline=None)
@given(st.lists(st.text(max_size=6), min_size=1, max_size=5), st.data())
def test_any_split_of_parts_comes_out_whole(texts: list[str], data: st.DataObject) -> None:
    lane = OrderedText("|")
    handed_on = []
    for index, words in enumerate(texts):
        cut = data.draw(st.integers(0, len(words)))
        # A part that says nothing before a later one begins cannot be waited for.
        arrived = words[: data.draw(st.integers(min(1, len(words)), len(words)))]
        handed_on += [lane.add((index,), arrived[:cut]), lane.add((index,), arrived[cut:])]
        if data.draw(st.booleans()):
            handed_on.append(lane.close((index,), words))
    handed_on.append(lane.finish(((index,), words) for index, words in enumerate(texts)))
    assert "".join(handed_on) == "|".join(words for words in texts if words)
    assert lane.text() == "".join(handed_on)
