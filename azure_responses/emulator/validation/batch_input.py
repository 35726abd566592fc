"""The input file of a batch, judged line by line with the error codes of Microsoft's batch page."""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from azure_responses.emulator.resources import EmulatedDeployment

__all__ = ["BATCH_ENDPOINTS", "SubmittedBatch", "SubmittedLine", "read_batch_input"]

BATCH_ENDPOINTS = ("/responses", "/chat/completions", "/embeddings")
"""What a batch can call, without the `/v1` that may stand before it."""
_MOST_LINES = 100_000
# Errors are listed up to this number; the page names no limit.
_MOST_ERRORS = 100
_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class SubmittedLine:
    """One request of a batch: the id that its caller gave it, and its body as JSON."""

    custom_id: str
    body: bytes

    def parsed(self) -> Any:
        """The body's JSON."""
        return json.loads(self.body)


@dataclass
class SubmittedBatch:
    """What an input file holds: requests for one deployment, or errors."""

    lines: list[SubmittedLine] = field(default_factory=list)
    errors: list[dict[str, Any]] = field(default_factory=list)
    deployment: EmulatedDeployment | None = None

    def refuse(
        self, code: str, message: str, line: int | None = None, param: str | None = None
    ) -> None:
        """Note an error of a line, counted from 1, or of the whole file."""
        if len(self.errors) < _MOST_ERRORS:
            error = {"code": code, "message": message, "param": param, "line": line}
            self.errors.append(error)


def read_batch_input(
    lines: Iterable[bytes],
    endpoint: str,
    find_deployment: Callable[[str], EmulatedDeployment | None],
) -> SubmittedBatch:
    """The requests of a file, or what is wrong with it.

    Args:
        lines: of the file, without their ends; blank ones are skipped.
        endpoint: of the batch, with or without `/v1`.
        find_deployment: looks up a deployment of the resource by its name.
    """
    reader = _LineReader(endpoint.removeprefix("/v1"), find_deployment)
    for number, line in enumerate(lines, 1):
        if number == 1 and line.startswith(_BOM):
            reader.found.refuse("invalid_request", _NO_MODEL)
            return reader.found
        if line.strip():
            reader.read(number, line)
        if len(reader.seen) > _MOST_LINES:
            reader.found.refuse("too_many_tasks", _TOO_MANY)
            return reader.found
    if not reader.seen and not reader.found.errors:
        reader.found.refuse("empty_file", _EMPTY)
    return reader.found


_EMPTY = "The input file is empty. Please ensure that the batch contains at least one   request."
_TOO_MANY = "The number of requests in the input file exceeds the maximum allowed value of 100,000."
_NO_MODEL = (
    "Validation failed: A valid model deployment name couldn't be extracted from the input file. "
    "Please ensure that each row in the input file has a valid deployment name specified in the "
    "'model' field, and that the deployment name is consistent across all rows."
)
_NOT_JSON = "This line couldn't be parsed as valid JSON."
_OTHER_URL = "The URL of this request does not match the endpoint of the batch."
_OTHER_MODEL = "The model of this request does not match the rest of the file."
_NO_DEPLOYMENT = "The model deployment '{name}' was not found."
_WRONG_SKU = (
    "The SKU of the deployment '{name}' is invalid: batch requests need a deployment whose SKU is "
    "globalbatch."
)


class _LineReader:
    """Reads lines one after the other; the first one says which deployment is meant."""

    def __init__(
        self, endpoint: str, find_deployment: Callable[[str], EmulatedDeployment | None]
    ) -> None:
        self.found = SubmittedBatch()
        self.seen: set[str] = set()
        self._endpoint = endpoint
        self._find = find_deployment
        self._model: str | None = None

    def read(self, number: int, raw: bytes) -> None:
        try:
            line = json.loads(raw)
        except (ValueError, RecursionError):
            self.found.refuse("invalid_json_line", _NOT_JSON, number)
            return
        problem = _shape_problem(line)
        if problem is not None:
            self.found.refuse("invalid_request", problem[1], number, problem[0])
            return
        self._check_id(number, line["custom_id"])
        if line["url"].removeprefix("/v1") != self._endpoint:
            self.found.refuse("url_mismatch", _OTHER_URL, number, "url")
        self._check_model(number, line["body"]["model"])
        body = json.dumps(line["body"], separators=(",", ":")).encode()
        self.found.lines.append(SubmittedLine(line["custom_id"], body))

    def _check_id(self, number: int, custom_id: str) -> None:
        if custom_id in self.seen:
            message = f"The custom_id '{custom_id}' is that of another request in this file."
            self.found.refuse("duplicate_custom_id", message, number, "custom_id")
        self.seen.add(custom_id)

    def _check_model(self, number: int, name: str) -> None:
        if self._model is not None:
            if name != self._model:
                self.found.refuse("model_mismatch", _OTHER_MODEL, number, "body.model")
            return
        self._model = name
        deployment = self.found.deployment = self._find(name)
        if deployment is None:
            message = _NO_DEPLOYMENT.format(name=name)
            self.found.refuse("model_not_found", message, number, "body.model")
        elif not deployment.takes_batches:
            message = _WRONG_SKU.format(name=name)
            self.found.refuse("invalid_request", message, number, "body.model")


def _shape_problem(line: Any) -> tuple[str | None, str] | None:
    """Which field of a line is wrong, and why."""
    if not isinstance(line, dict):
        return None, "The line is not a JSON object."
    for name, kind in (("custom_id", str), ("method", str), ("url", str), ("body", dict)):
        if not isinstance(line.get(name), kind) or not line[name]:
            return name, f"The property '{name}' is missing or has the wrong type."
    if line["method"] != "POST":
        return "method", "The method of a request must be POST."
    return _body_problem(line["body"])


def _body_problem(body: dict[str, Any]) -> tuple[str, str] | None:
    if not isinstance(body.get("model"), str) or not body["model"]:
        return "body.model", _NO_MODEL
    # What a stream or a background response would become in a file is nowhere said.
    for name in ("stream", "background"):
        if body.get(name):
            return f"body.{name}", f"The parameter '{name}' is not supported in a batch."
    return None
