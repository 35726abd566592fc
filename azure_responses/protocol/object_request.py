"""One call on a stored object: a file, a vector store, a container, a conversation, ….

The resources of clients and of routers (`files`, `vector_stores`, …) describe a call so. What they
are given to perform it decides where it goes.
"""

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

__all__ = ["Content", "Form", "FormFile", "ObjectRequest", "ReceivedForm", "given"]


class Content(Protocol):
    """The body of a request in pieces, so that a large one is never whole in memory.

    Attributes:
        content_type: the header.
        length: in bytes; None where it is not known before the end.
        is_repeatable: the next attempt can read the pieces from the beginning. Content that can
            be read only once says so until its first piece was taken.
    """

    @property
    def content_type(self) -> str: ...
    @property
    def length(self) -> int | None: ...
    @property
    def is_repeatable(self) -> bool: ...

    def __iter__(self) -> Iterator[bytes]:
        """The pieces, from the beginning."""

    def __aiter__(self) -> AsyncIterator[bytes]:
        """The pieces, from the beginning, for async callers."""


class ReceivedForm(Protocol):
    """A form that a server receives, to be sent on.

    Attributes:
        content_type: the header.
        values: the plain fields, as far as they are known.
    """

    @property
    def content_type(self) -> str: ...
    @property
    def values(self) -> Mapping[str, str]: ...

    def content(self, changes: Mapping[str, str | None]) -> bytes | Content:
        """The form with other values of some fields; None leaves a field out."""


@dataclass(frozen=True, slots=True)
class FormFile:
    """A file of a form.

    Attributes:
        field: the name of its field, such as "file".
        given: what the caller gave: bytes, a path, a file object, an iterator of bytes, or a tuple
            of (name, one of these[, content type[, headers]]), as the openai package takes it.
    """

    field: str
    given: Any


@dataclass(frozen=True, slots=True)
class Form:
    """A multipart form. The fields are sent before the files, so that a gateway reads them first.

    Attributes:
        fields: names and values, in order; a name may occur more than once.
        files: in order.
    """

    fields: Sequence[tuple[str, str]] = ()
    files: Sequence[FormFile] = ()


@dataclass(frozen=True, slots=True)
class ObjectRequest:
    """A call.

    Attributes:
        operation: a name of the table, such as "vector_stores.files.create".
        ids: the variable parts of the path, in order.
        query: of the URL.
        body: a JSON object, or None.
        form: a form, or None.
    """

    operation: str
    ids: Sequence[str] = ()
    query: Mapping[str, str | list[str]] = field(default_factory=dict)
    body: Mapping[str, Any] | None = None
    form: Form | None = None


def given(**parameters: Any) -> dict[str, Any]:
    """The parameters of a body that are not None, and so were given."""
    return {name: value for name, value in parameters.items() if value is not None}
