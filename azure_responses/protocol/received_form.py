"""A multipart form as it was received: its fields, and its bytes with some fields replaced."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from azure_responses.protocol.form_reader import FormError, FormPart, FormReader

__all__ = ["FormEdit", "FormFields", "HeldForm", "read_form"]

# Of all plain fields together; the prompt of an image has up to 32,000 characters.
_LONGEST_FIELDS = 1024 * 1024


class FormEdit(NamedTuple):
    """Bytes of a form, from `start` to before `end`, in whose place others are sent."""

    start: int
    end: int
    new: bytes


@dataclass(slots=True)
class FormFields:
    """The plain fields of a form, as far as it was read, and where each stands.

    Attributes:
        reader: of the form.
        values: the fields by name; of a name that stands more than once the last.
        names: of all parts read so far, in order, files among them.
        filename: of the first file; empty without one.
        places: each plain field's name, and where its part begins and ends in the form.
    """

    reader: FormReader
    values: dict[str, str] = field(default_factory=dict)
    names: list[str] = field(default_factory=list)
    filename: str = ""
    places: list[tuple[str, int, int]] = field(default_factory=list)
    _part: FormPart | None = None
    _content: bytearray = field(default_factory=bytearray)
    _size: int = 0

    @property
    def file(self) -> FormPart | None:
        """The file whose content is being read; None between files."""
        return self._part if self._part is not None and self._part.is_file else None

    def feed(self, data: bytes) -> Iterator[FormPart]:
        """Read bytes, and give each part that begins in them; its field is known at the next.

        Raises:
            FormError: the form is invalid, or its fields are too long.
        """
        for found in self.reader.feed(data):
            if isinstance(found, FormPart):
                self._end_part(found.start)
                self._part = found
                self.names.append(found.name)
                self.filename = self.filename or found.filename or ""
                yield found
            elif self._part is not None and not self._part.is_file:
                self._content += found
                self._size += len(found)
                if self._size > _LONGEST_FIELDS:
                    raise FormError(f"The form's fields are longer than {_LONGEST_FIELDS:,} bytes.")
        if self.reader.is_over:
            self._end_part(self.reader.last_start)

    def refuse_repeated(self, names: Iterable[str]) -> None:
        """Raise FormError where one of these fields stands twice: which counts is not certain."""
        for name in names:
            if self.names.count(name) > 1:
                raise FormError(f"The form has the field {name} more than once.")

    def edits(self, values: Mapping[str, str | None]) -> list[FormEdit]:
        """What has to be changed for other values of some fields, in the order of the form.

        Args:
            values: None leaves a field out; what is not there is added in front.
        """
        changed = [
            FormEdit(start, end, self._field(name, values[name]))
            for name, start, end in self.places
            if name in values
        ]
        missing = [name for name in values if name not in self.values]
        added = b"".join(self._field(name, values[name]) for name in missing)
        return [FormEdit(0, 0, added), *changed] if added else changed

    def replace(self, content: bytes, values: Mapping[str, str | None]) -> bytes:
        """The form, or its beginning up to a part, with other values of some fields."""
        pieces, place = [], 0
        for start, end, new in self.edits(values):
            pieces += [content[place:start], new]
            place = end
        return b"".join([*pieces, content[place:]])

    def _field(self, name: str, value: str | None) -> bytes:
        if value is None:
            return b""
        head = f'Content-Disposition: form-data; name="{name}"'
        return b"%b\r\n%b\r\n\r\n%b\r\n" % (self.reader.boundary, head.encode(), value.encode())

    def _end_part(self, end: int) -> None:
        part, self._part = self._part, None
        if part is None or part.is_file:
            return
        try:
            text = self._content.decode()
        except UnicodeDecodeError:
            raise FormError("A field of the form is not UTF-8.") from None
        self._content.clear()
        self.values[part.name] = text
        self.places.append((part.name, part.start, end))


def read_form(content: bytes, content_type: str) -> FormFields:
    """The fields of a whole form.

    Raises:
        FormError: the form is invalid, or ends too early.
    """
    fields = FormFields(FormReader(content_type))
    for _ in fields.feed(content):
        pass
    fields.reader.finish()
    return fields


class HeldForm:
    """A form that is there as a whole.

    Args:
        body: the form.
        content_type: the header.

    Raises:
        FormError: the form is invalid, or ends too early.
    """

    def __init__(self, body: bytes, content_type: str) -> None:
        self.content_type = content_type
        self.fields = read_form(body, content_type)
        self._body = body

    @property
    def values(self) -> Mapping[str, str]:
        """The plain fields."""
        return self.fields.values

    def content(self, changes: Mapping[str, str | None]) -> bytes:
        """The form with other values of some fields; None leaves a field out."""
        return self.fields.replace(self._body, changes)
