"""Warnings that point at the caller's line."""

import warnings

import pytest

from azure_responses.protocol.warning import warn_caller


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
