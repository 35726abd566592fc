"""The bodies of uploads: multipart forms, which may be larger than the memory, and JSON."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from typing import Any

from azure_responses.emulator.contents import StoredContent
from azure_responses.emulator.http_messages import ReceivedRequest
from azure_responses.emulator.service_errors import (
    ServiceError,
    invalid_request,
    missing_parameter,
)

__all__ = ["SubmittedForm", "SubmittedFile", "read_form"]

_FORM = "multipart/form-data"
# Skills have up to 500 files; the rest is room for fields.
_MOST_PARTS = 1000
_LONGEST_HEAD, _LONGEST_FIELD = 16 * 1024, 1024 * 1024
# Members of an object: `expires_after[seconds]`, and with a dot in Microsoft's samples.
_MEMBER = re.compile(r"(\w+)(?:\[(\w+)\]|\.(\w+))")


@dataclass(frozen=True)
class SubmittedFile:
    """One file of a form: the field it was sent in, its name and its bytes."""

    field: str
    filename: str
    content: StoredContent


@dataclass
class SubmittedForm:
    """The fields of an upload, and its files."""

    fields: dict[str, str] = field(default_factory=dict)
    files: list[SubmittedFile] = field(default_factory=list)

    def file(self, name: str = "file") -> SubmittedFile:
        """The file of that field; raises ServiceError (400) where there is none."""
        for file in self.files:
            if file.field == name:
                return file
        raise missing_parameter(name, code=None)

    def object(self, name: str) -> dict[str, str] | None:
        """The members that were sent as `name[member]` or `name.member`; None without any."""
        found = {
            match[2] or match[3]: value
            for key, value in self.fields.items()
            if (match := _MEMBER.fullmatch(key)) and match[1] == name
        }
        return found or None


def read_form(received: ReceivedRequest) -> SubmittedForm:
    """Raises ServiceError (400) for a body that is neither a form nor a JSON object.

    In JSON the file is `{"filename": …, "content": text, …}`, which Azure itself does not take.
    """
    content_type = received.headers.get("content-type", "")
    if content_type.lower().startswith(_FORM):
        return _read_parts(content_type, received.content)
    try:
        data = json.loads(received.body)
    except (ValueError, RecursionError):
        data = None
    if not isinstance(data, dict):
        raise invalid_request(
            "Expected a multipart/form-data body with a file, or a JSON object with a filename."
        )
    return _from_json(data)


def _from_json(data: dict[str, Any]) -> SubmittedForm:
    form = SubmittedForm()
    for name, value in data.items():
        members = value if isinstance(value, dict) else {}
        form.fields |= {f"{name}[{key}]": str(member) for key, member in members.items()}
        if not members and name not in ("filename", "content"):
            form.fields[name] = str(value)
    filename, text = data.get("filename"), data.get("content")
    if filename is not None or text is not None:
        content = StoredContent(str(text or "").encode("utf-8", "replace"))
        form.files.append(SubmittedFile("file", str(filename or "file.txt"), content))
    return form


def _broken() -> ServiceError:
    # No recorded body: an assumption.
    return invalid_request("We could not parse the multipart/form-data body of your request.")


def _read_parts(content_type: str, content: StoredContent) -> SubmittedForm:
    boundary = _head(f"Content-Type: {content_type}\r\n\r\n".encode()).get_boundary()
    if not boundary:
        raise _broken()
    form = SubmittedForm()
    for count, (head, body) in enumerate(_parts(content, boundary.encode("utf-8", "replace"))):
        if count >= _MOST_PARTS:
            raise _broken()
        _add_part(form, head, body)
    return form


def _parts(content: StoredContent, boundary: bytes) -> Iterator[tuple[EmailMessage, StoredContent]]:
    """Head and body of each part; raises ServiceError where the form does not end."""
    mark = b"--" + boundary
    begin = 0 if content.read(0, len(mark)) == mark else content.find(b"\r\n" + mark) + 2
    if begin == 1:
        raise _broken()
    begin += len(mark)
    while content.read(begin, begin + 2) != b"--":
        blank = content.find(b"\r\n\r\n", begin)
        end = content.find(b"\r\n" + mark, max(blank, 0))
        # A body that was cut off has no last boundary.
        if blank < 0 or end < blank or blank - begin > _LONGEST_HEAD:
            raise _broken()
        yield (
            _head(content.read(begin + 2, blank + 4)),
            content.part(blank + 4, max(end, blank + 4)),
        )
        begin = end + 2 + len(mark)


def _head(raw: bytes) -> EmailMessage:
    # The standard library reads the heads of MIME, of which a form is one kind.
    message = BytesParser(policy=policy.HTTP).parsebytes(raw, headersonly=True)
    assert isinstance(message, EmailMessage)
    return message


def _add_part(form: SubmittedForm, head: EmailMessage, body: StoredContent) -> None:
    name = str(head.get_param("name", header="content-disposition"))
    filename = head.get_filename()
    if filename is not None:
        form.files.append(SubmittedFile(name, filename, body))
        return
    if body.size > _LONGEST_FIELD:
        raise _broken()
    form.fields[name] = body.read().decode("utf-8", "replace")
