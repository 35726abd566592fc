"""Findings and what they add up to."""

import pytest

from azure_responses.doctor.findings import (
    STEPS,
    Diagnosis,
    Finding,
    arrange,
    redact_findings,
    skip,
)


def test_every_step_has_its_finding_in_order() -> None:
    findings = arrange([Finding("tcp", False, "no"), Finding("dns", True, "yes")])
    assert tuple(finding.name for finding in findings) == STEPS
    assert findings[STEPS.index("call")] == skip("call", "not reached, because tcp failed")


def test_the_later_finding_of_a_step_counts() -> None:
    findings = arrange([Finding("endpoint", True, "a"), Finding("endpoint", False, "b")])
    assert findings[0].detail == "b"


def test_a_diagnosis_is_fine_unless_a_step_failed() -> None:
    fine = Diagnosis((Finding("dns", True, "a"), Finding("tcp", None, "b")))
    assert fine.ok
    assert fine.failures == ()
    broken = Diagnosis((*fine.findings, Finding("tls", False, "c", "d")))
    assert not broken.ok
    assert broken.failures == (Finding("tls", False, "c", "d"),)


def test_a_finding_is_found_by_its_name() -> None:
    diagnosis = Diagnosis((Finding("dns", True, "a"),))
    assert diagnosis["dns"].detail == "a"
    with pytest.raises(KeyError):
        diagnosis["tcp"]


def test_secrets_are_taken_out_of_details_and_fixes() -> None:
    found = redact_findings(
        [Finding("dns", False, "about s3cret", "drop s3cret"), Finding("tcp", True, "s3cret")],
        ["s3cret", ""],
    )
    assert found == (
        Finding("dns", False, "about [redacted]", "drop [redacted]"),
        Finding("tcp", True, "[redacted]"),
    )


def test_a_diagnosis_is_plain_data_for_a_ticket() -> None:
    finding = Finding("dns", True, "a", None, 0.5)
    diagnosis = Diagnosis((finding,), "d", "id", "2027-01-15T08:00:00+00:00", {"python": "3.11"})
    assert diagnosis.to_dict() == {
        "ok": True,
        "checked_at": "2027-01-15T08:00:00+00:00",
        "deployment": "d",
        "request_id": "id",
        "versions": {"python": "3.11"},
        "findings": [{"name": "dns", "ok": True, "detail": "a", "fix": None, "seconds": 0.5}],
    }
