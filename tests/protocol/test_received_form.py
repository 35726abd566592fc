"""Fields of a form that was received, and other fields in their place."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azure_responses.protocol.form_reader import FormError, FormReader
from azure_responses.protocol.received_form import FormFields, HeldForm, read_form

TYPE = "multipart/form-data; boundary=XX"


def part(name: str, value: bytes, more: str = "") -> bytes:
    head = f'Content-Disposition: form-data; name="{name}"{more}'
    return b"--XX\r\n%b\r\n\r\n%b\r\n" % (head.encode(), value)


FILE = part("file", b"--X\r\n\xff" * 50, '; filename="a"')
END = b"--XX--\r\n"


def test_the_fields_of_a_form_are_read_and_its_files_are_not() -> None:
    fields = read_form(part("model", b"gpt") + FILE + part("n", "é".encode()) + END, TYPE)
    assert fields.values == {"model": "gpt", "n": "é"}
    assert fields.names == ["model", "file", "n"]


def test_a_file_is_known_while_it_is_read() -> None:
    fields = FormFields(FormReader(TYPE))
    assert [one.name for one in fields.feed(part("model", b"gpt") + FILE[:90])] == ["model", "file"]
    assert fields.values == {"model": "gpt"}
    assert fields.file is not None
    assert fields.file.name == "file"
    assert list(fields.feed(FILE[90:] + END)) == []
    assert fields.file is None


def test_a_field_is_replaced_where_it_stands() -> None:
    form = FILE + part("model", b"gpt") + part("n", b"1") + END
    fields = read_form(form, TYPE)
    assert (
        fields.replace(form, {"model": "mine"})
        == FILE + part("model", b"mine") + part("n", b"1") + END
    )
    assert fields.replace(form, {"model": None, "n": "2"}) == FILE + part("n", b"2") + END


def test_a_field_that_lacks_is_added_in_front() -> None:
    form = FILE + END
    fields = read_form(form, TYPE)
    assert fields.replace(form, {"model": "mine", "n": None}) == part("model", b"mine") + form
    assert fields.replace(form, {}) == form


_VALUES = st.text(max_size=20).filter(lambda text: "--XX" not in text)


@given(
    st.lists(st.tuples(st.sampled_from("abc"), _VALUES), max_size=5),
    st.dictionaries(st.sampled_from("abcd"), _VALUES, max_size=3),
)
def test_what_was_replaced_reads_as_it_was_written(
    given_fields: list[tuple[str, str]], values: dict[str, str]
) -> None:
    form = b"".join(part(name, value.encode()) for name, value in given_fields) + FILE + END
    changed = read_form(form, TYPE).replace(form, values)
    assert read_form(changed, TYPE).values == {**dict(given_fields), **values}


def test_a_field_that_decides_may_stand_only_once() -> None:
    fields = read_form(part("model", b"a") + part("n", b"1") + part("model", b"b") + END, TYPE)
    fields.refuse_repeated(["n", "purpose"])
    with pytest.raises(FormError, match="field model more than once"):
        fields.refuse_repeated(["n", "model"])


def test_a_file_does_not_stand_for_a_field_of_its_name() -> None:
    fields = read_form(part("model", b"a") + part("model", b"b", '; filename="x"') + END, TYPE)
    with pytest.raises(FormError, match="more than once"):
        fields.refuse_repeated(["model"])


@pytest.mark.parametrize(
    ("form", "reason"),
    [
        (part("a", b"\xff") + END, "not UTF-8"),
        (part("a", b"x" * 1_048_577) + END, "longer than 1,048,576"),
        (part("a", b"x" * 524_289) * 2 + END, "longer than 1,048,576"),
        (part("a", b"x"), "before its last boundary"),
    ],
)
def test_fields_that_cannot_be_read_are_refused(form: bytes, reason: str) -> None:
    with pytest.raises(FormError, match=reason):
        read_form(form, TYPE)


def test_a_form_without_parts_has_no_fields() -> None:
    assert read_form(END, TYPE).values == {}


def test_a_form_that_is_held_is_sent_on_with_other_fields() -> None:
    form = part("model", b"gpt") + FILE + END
    held = HeldForm(form, TYPE)
    assert (held.values, held.fields.filename) == ({"model": "gpt"}, "a")
    assert held.content({"model": None}) == FILE + END
