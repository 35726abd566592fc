"""The exceptions: their tree, their words, and their travels."""

import copy
import inspect
import pickle
from typing import Any

import pytest

from azure_responses import errors
from azure_responses.errors import APIStatusError, AzureResponsesError, ContentFilterError
from azure_responses.types.response import Response

_TREE = """
AzureResponsesError
  ConfigurationError
    CredentialError
      CredentialTimeoutError
  APIError
    APIConnectionError
      APITimeoutError
        CredentialTimeoutError
    APIStatusError
      BadRequestError
        ContentFilterError
        ContextWindowExceededError
        UnprocessableEntityError
        UnsupportedOperationError
      AuthenticationError
      PermissionDeniedError
      NotFoundError
        DeploymentNotFoundError
        ResponseNotFoundError
      ConflictError
      RateLimitError
      InternalServerError
    ResponseFailedError
    UnreadableResponseError
    StreamInterruptedError
  MaxTurnsError
  LengthFinishReasonError
  ContentFilterFinishReasonError
  InvalidWebhookSignatureError
  SteeringError
"""


def _tree(kind: type, depth: int = 0) -> str:
    # Further packages have errors of their own, which are there once they were imported.
    every: list[type] = kind.__subclasses__()
    subclasses = [one for one in every if one.__module__ == errors.__name__]
    children = "".join(_tree(child, depth + 1) for child in subclasses)
    return "  " * depth + kind.__name__ + "\n" + children


def test_the_tree_is_the_documented_one() -> None:
    assert _tree(AzureResponsesError).strip() == _TREE.strip()


def test_every_exception_is_exported() -> None:
    defined = [
        name
        for name, value in vars(errors).items()
        if inspect.isclass(value) and issubclass(value, Exception)
    ]
    assert sorted(errors.__all__) == sorted(defined)


_STATUS_FIELDS: dict[str, Any] = {
    "status_code": 429,
    "code": "429",
    "type": "requests",
    "param": "input",
    "body": {"error": {"message": "m", "list": [1]}},
    "request_id": "apim-1",
    "region": "East US 2",
    "retry_after": 1.5,
    "hint": "Wait.",
}
_RESPONSE = Response(id="resp_1", status="failed")


def _make(name: str) -> AzureResponsesError:
    kind: type[Any] = getattr(errors, name)
    made: AzureResponsesError
    if issubclass(kind, ContentFilterError):
        made = kind("m", content_filters=[{"blocked": True}], **_STATUS_FIELDS)
        return made
    if issubclass(kind, APIStatusError):
        made = kind("m", **_STATUS_FIELDS)
        return made
    fields: dict[str, Any] = {"hint": "Wait."}
    if name == "ResponseFailedError":
        fields |= {"response": _RESPONSE, "code": "bio_policy", "request_id": "apim-1"}
    if name == "StreamInterruptedError":
        fields |= {"partial": _RESPONSE, "resumable": True}
    made = kind("m", **fields)
    return made


@pytest.mark.parametrize("name", errors.__all__)
@pytest.mark.parametrize(
    "travel",
    [
        copy.copy,
        copy.deepcopy,
        *(
            lambda error, protocol=protocol: pickle.loads(pickle.dumps(error, protocol))
            for protocol in range(pickle.HIGHEST_PROTOCOL + 1)
        ),
    ],
)
def test_a_copy_has_every_field(name: str, travel: Any) -> None:
    error = _make(name)
    error.add_note("a note")
    twin = travel(error)
    assert type(twin) is type(error)
    assert twin.__dict__ == error.__dict__
    assert twin.args == error.args == ("m",)
    assert str(twin) == str(error)
    twin.message = "other"
    assert error.message == "m"


@pytest.mark.parametrize("name", errors.__all__)
def test_the_defaults_are_empty(name: str) -> None:
    kind = getattr(errors, name)
    error = kind("m", status_code=400) if issubclass(kind, APIStatusError) else kind("m")
    rest = {
        field: value
        for field, value in vars(error).items()
        if field not in ("message", "status_code")
    }
    assert not any(rest.values())


def test_a_plain_error_shows_message_and_hint() -> None:
    assert str(AzureResponsesError("m")) == "m"
    assert str(AzureResponsesError("m", hint="Do.")) == "m (hint: Do.)"


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({}, "404: m"),
        ({"code": "x"}, "404 x: m"),
        ({"request_id": "r"}, "404: m [request r]"),
        ({"hint": "Do."}, "404: m (hint: Do.)"),
        ({"code": "x", "request_id": "r", "hint": "Do."}, "404 x: m [request r] (hint: Do.)"),
    ],
)
def test_a_status_error_shows_what_to_tell_support(fields: dict[str, Any], text: str) -> None:
    assert str(APIStatusError("m", status_code=404, **fields)) == text


def test_content_filter_verdicts_default_to_an_empty_list() -> None:
    assert ContentFilterError("m", status_code=400).content_filters == []
    assert ContentFilterError("m", status_code=400, content_filters=None).content_filters == []


@pytest.mark.parametrize(
    ("status", "code", "message", "expected"),
    [
        (429, "429", "Too many requests.", "429: Too many requests."),
        (404, "404", "Resource not found", "404: Resource not found"),
        (429, "rate_limit_exceeded", "Slow down.", "429 rate_limit_exceeded: Slow down."),
        (502, None, "HTTP 502 with an empty body.", "HTTP 502 with an empty body."),
        (401, "401", "401 Unauthorized", "401 Unauthorized"),
        (503, "busy", "HTTP 503 with text.", "busy: HTTP 503 with text."),
        (400, None, "4000 tokens", "400: 4000 tokens"),
        (429, "429", "Error 429: slow", "Error 429: slow"),
        (429, None, "Status code: 429 slow", "Status code: 429 slow"),
        (429, None, "Deployment 'east': 429 slow", "Deployment 'east': 429 slow"),
        (500, None, "Error code 5000", "500: Error code 5000"),
    ],
)
def test_the_status_is_said_once(
    status: int, code: str | None, message: str, expected: str
) -> None:
    assert str(APIStatusError(message, status_code=status, code=code)) == expected
