"""A failure is said when it begins and when it ends, and known meanwhile."""

import pytest

from azure_responses.gateway.outages import DatabaseError, Outages


@pytest.mark.parametrize("error", [DatabaseError("It is away."), OSError("It is away")])
def test_a_failure_is_said_once_and_its_end_once(
    error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    def fail() -> None:
        raise error

    outages = Outages()
    for _ in range(3):
        outages.attempt("reading", "So it is.", fail)
        assert outages
    assert caplog.messages == ["The reading fails: It is away. So it is."]
    for _ in range(2):
        outages.attempt("reading", "So it is.", lambda: None)
        assert not outages
    assert caplog.messages[1:] == ["The reading works again"]


def test_one_subject_that_works_hides_no_other(caplog: pytest.LogCaptureFixture) -> None:
    def fail() -> None:
        raise OSError("full")

    outages = Outages()
    outages.attempt("writing", "It is kept.", fail)
    outages.attempt("reading", "It is kept.", lambda: None)
    assert outages
    assert len(caplog.messages) == 1


def test_a_mistake_of_ours_is_not_taken_for_a_trouble() -> None:
    def fail() -> None:
        raise ValueError("ours")

    with pytest.raises(ValueError, match="ours"):
        Outages().attempt("reading", "", fail)
