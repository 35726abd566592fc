"""The text of multipart forms."""

from email import message_from_bytes
from email.message import Message

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azure_responses.errors import ConfigurationError
from azure_responses.protocol.multipart import closing_line, form_fields, form_type, part_head


def _parse(*parts: bytes) -> list[Message]:
    head = f"Content-Type: {form_type('b0')}\r\n\r\n".encode()
    message = message_from_bytes(head + b"".join(parts) + closing_line("b0"))
    payload = message.get_payload()
    assert isinstance(payload, list)
    return [part for part in payload if isinstance(part, Message)]


def test_a_field_and_a_file_are_read_back_by_another_parser() -> None:
    field, file = _parse(
        part_head("b0", "purpose") + b"batch\r\n",
        part_head("b0", "file", "a.jsonl", {"Content-Type": "text/plain", "X-A": "1"}) + b"{}\r\n",
    )
    assert field["content-disposition"] == 'form-data; name="purpose"'
    assert field.get_payload(decode=True) == b"batch"
    assert file.get_filename() == "a.jsonl"
    assert (file.get_content_type(), file["x-a"]) == ("text/plain", "1")
    assert file.get_payload(decode=True) == b"{}"


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ('a"b.txt', b'filename="a%22b.txt"'),
        ("a\\b.txt", b'filename="a\\\\b.txt"'),
        ("Übersicht.pdf", 'filename="Übersicht.pdf"'.encode()),
        ("a\r\nX-Admin: 1", b'filename="a%0D%0AX-Admin: 1"'),
        ("\udcff.txt", b'filename="?.txt"'),
        ("", b'filename=""'),
    ],
)
def test_a_file_name_stays_inside_its_quotes(name: str, written: bytes) -> None:
    assert written in part_head("b0", "file", name)


@given(st.text(), st.text())
def test_no_name_ends_its_line(name: str, file_name: str) -> None:
    lines = part_head("b0", name, file_name).split(b"\r\n")
    assert len(lines) == 4
    assert lines[1].count(b'"') == 4
    assert not {0, 10, 13} & set(lines[1])


@pytest.mark.parametrize(
    "headers",
    [
        {"X-A": "1\r\nX-B: 2"},
        {"X-A\r\n": "1"},
        {"Content-Length": "3"},
        {"Content-Disposition": "form-data"},
    ],
)
def test_headers_that_would_change_the_form_are_refused(headers: dict[str, str]) -> None:
    with pytest.raises(ConfigurationError):
        part_head("b0", "file", "a.txt", dict(headers))


def test_parameters_become_fields_as_the_openai_package_names_them() -> None:
    fields = form_fields(
        {
            "purpose": "batch",
            "expires_after": {"anchor": "created_at", "seconds": 3600},
            "tags": ["a", "b"],
            "strict": True,
            "loose": False,
            "left_out": None,
            "share": 0.5,
        }
    )
    assert list(fields) == [
        ("purpose", "batch"),
        ("expires_after[anchor]", "created_at"),
        ("expires_after[seconds]", "3600"),
        ("tags[]", "a"),
        ("tags[]", "b"),
        ("strict", "true"),
        ("loose", "false"),
        ("share", "0.5"),
    ]


def test_a_value_that_is_no_text_is_refused_by_its_name() -> None:
    with pytest.raises(ConfigurationError, match=r"a\[b\] is a bytes"):
        list(form_fields({"a": {"b": b"x"}}))
