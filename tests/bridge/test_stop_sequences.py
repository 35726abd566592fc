from hypothesis import given
from hypothesis import strategies as st

from azure_responses.bridge.stop_sequences import StopCutter

_TEXTS = st.text("ab#", max_size=30)
_SEQUENCES = st.lists(st.text("ab#", min_size=1, max_size=4), max_size=3)


def _cut(sequences: list[str], pieces: list[str]) -> tuple[str, str | None]:
    cutter = StopCutter(sequences)
    text = "".join(map(cutter.feed, pieces)) + cutter.finish()
    return text, cutter.matched


def test_the_text_ends_before_the_sequence_that_is_complete_first() -> None:
    assert _cut(["bcd", "abcde"], ["abcdef"]) == ("a", "bcd")
    assert _cut(["##"], ["one #", "# two"]) == ("one ", "##")


def test_text_without_a_sequence_passes_whole() -> None:
    assert _cut(["##"], ["one #", " two #"]) == ("one # two #", None)
    assert _cut([""], ["one"]) == ("one", None)


def test_nothing_follows_a_match() -> None:
    cutter = StopCutter(["b"])
    assert [cutter.feed("ab"), cutter.feed("c"), cutter.finish()] == ["a", "", ""]


@given(_TEXTS, _SEQUENCES, st.integers(1, 5))
def test_pieces_give_what_the_whole_gives(text: str, sequences: list[str], size: int) -> None:
    pieces = [text[at : at + size] for at in range(0, len(text), size)]
    whole, matched = _cut(sequences, [text])
    assert _cut(sequences, pieces) == (whole, matched)
    assert text.startswith(whole)
    assert not any(sequence in whole for sequence in sequences)
    assert (matched is None) == (whole == text)
