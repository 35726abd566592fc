"""Warnings that point at the caller's line."""

import warnings

import pytest

from azure_responses.protocol.warning import CallerWarnings, warn_caller


def test_a_warning_points_at_the_line_of_the_program() -> None:
    names = {"__name__": "azure_responses.deep", "warn_caller": warn_caller}
    exec("def inner():\n warn_caller('careful')\ndef outer():\n inner()", names)
    with pytest.warns(UserWarning, match="careful") as told:
        names["outer"]()  # type: ignore[operator]
    assert told[0].filename == __file__


def test_a_warning_of_a_program_that_is_ours_throughout_is_given_all_the_same() -> None:
    code = "from azure_responses.protocol.warning import warn_caller; warn_caller('careful')"
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        exec(code, {"__name__": "azure_responses.deep"})
    assert [str(one.message) for one in told] == ["careful"]


@pytest.mark.parametrize(
    ("text", "times"),
    [
        ("seed was left out. The deployment refuses it.", 1),
        ("'seed' has no counterpart. seed was dropped. Leave it out.", 1),
        ("temperature was dropped: models that reason refuse it.", 1),
        ("stream_options.include_usage was left out. It is not known.", 1),
        ("messages[0].content[1] was left out. It cannot be sent.", 3),
        ("max_tokens was raised from 1 to 16.", 3),
    ],
)
def test_a_parameter_that_is_left_out_is_said_once(text: str, times: int) -> None:
    warn = CallerWarnings()
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        for _ in range(3):
            warn(text)
    assert [str(one.message) for one in told] == [text] * times


def test_names_that_callers_invent_do_not_fill_the_memory() -> None:
    warn = CallerWarnings()
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        for number in [*range(1100), 5, 1050]:
            warn(f"x{number} was left out. It is not known.")
    assert len(told) == 1101
