"""Multipart forms (RFC 7578), as far as they are text: field names, heads of parts, boundaries."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from azure_responses.errors import ConfigurationError
from azure_responses.protocol.http_message import merge_headers

__all__ = ["closing_line", "form_fields", "form_type", "part_head"]

# As browsers write names (WHATWG HTML, multipart form data), and with the backslash as the openai
# package's HTTP library writes it: a server may take one for an escape.
_ESCAPED = {'"': "%22", "\\": "\\\\", "\x7f": "%7F"}
_ESCAPED.update({chr(code): f"%{code:02X}" for code in range(0x20)})
_TO_ESCAPE = re.compile(r'["\\\x00-\x1f\x7f]')


def form_type(boundary: str) -> str:
    """The content type of a form."""
    return f"multipart/form-data; boundary={boundary}"


def part_head(
    boundary: str,
    name: str,
    file_name: str | None = None,
    headers: Mapping[str, str | None] | None = None,
) -> bytes:
    """The lines before the content of a part.

    Raises ConfigurationError for headers that would end their line, say where the content ends, or
    name the part in another way.
    """
    lines = [f"--{boundary}", f'Content-Disposition: form-data; name="{_escape(name)}"']
    if file_name is not None:
        lines[1] += f'; filename="{_escape(file_name)}"'
    for header, value in merge_headers(headers).items():
        if header == "content-disposition":
            raise ConfigurationError(
                "content-disposition is not for callers to set.",
                hint="Give the file's name as the first value of the tuple.",
            )
        lines.append(f"{header.title()}: {value}")
    # Half of a surrogate pair, from a path that is not UTF-8, has no encoding.
    return "\r\n".join([*lines, "", ""]).encode("utf-8", "replace")


def closing_line(boundary: str) -> bytes:
    """What follows the last part."""
    return f"--{boundary}--\r\n".encode()


def _escape(name: str) -> str:
    return _TO_ESCAPE.sub(lambda found: _ESCAPED[found[0]], name)


def form_fields(values: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Parameters as fields of a form, as the openai package names them.

    A mapping becomes `name[key]`, a list several fields `name[]`; None is left out.
    """
    for name, value in values.items():
        yield from _fields_of(name, value)


def _fields_of(name: str, value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _fields_of(f"{name}[{key}]", inner)
    elif isinstance(value, Sequence) and not isinstance(value, str | bytes):
        for inner in value:
            yield from _fields_of(f"{name}[]", inner)
    elif value is not None:
        yield name, _text_of(name, value)


def _text_of(name: str, value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int | float):
        return str(value)
    raise ConfigurationError(
        f"{name} is a {type(value).__name__}, which cannot be a field of a form.",
        hint="Pass text or a number.",
    )
