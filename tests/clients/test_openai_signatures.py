"""The resources of stored objects take and return what the openai package's do."""

import inspect
import typing
from collections.abc import Iterator
from typing import Any, NamedTuple

import openai
import pytest
from openai._types import NotGiven, Omit

from azure_responses import AsyncAzureResponses, AzureResponses

_RESOURCES = (
    "batches",
    "containers",
    "containers.files",
    "containers.files.content",
    "conversations",
    "conversations.items",
    "files",
    "responses.input_tokens",
    "skills",
    "skills.content",
    "skills.versions",
    "skills.versions.content",
    "uploads",
    "uploads.parts",
    "vector_stores",
    "vector_stores.file_batches",
    "vector_stores.files",
    "webhooks",
    "webhooks.event_types",
)
# Everything that is not the same, with the reason.
_DIFFERENT_RETURNS = {
    # One object of the API has one class here, whatever call it comes from.
    "ContainerCreateResponse": "Container",
    "ContainerListResponse": "Container",
    "ContainerRetrieveResponse": "Container",
    "FileCreateResponse": "ContainerFile",
    "FileListResponse": "ContainerFile",
    "FileRetrieveResponse": "ContainerFile",
    # Named as the confirmations of files and vector stores are.
    "ConversationDeletedResource": "ConversationDeleted",
    # It is about vector stores, which the name does not say.
    "FileContentResponse": "VectorStoreFileContent",
    # The name that routers and gateways use for it.
    "InputTokenCountResponse": "InputTokenCount",
    # A download of this package.
    "HttpxBinaryResponseContent": "BinaryContent",
}
# Further parameters, which come after those of the openai package, with the reason.
_MORE_PARAMETERS = {
    # Progress of a wait, for a bar or a log.
    "on_progress": ("poll", "create_and_poll", "upload_and_poll"),
    # file_batches wait as long as files do.
    "max_wait_seconds": ("poll", "create_and_poll", "upload_and_poll"),
    # Otherwise a file is indexed without them, and needs another call.
    "attributes": ("upload", "upload_and_poll"),
    # A poll may have headers and a timeout of its own.
    **dict.fromkeys(("extra_headers", "extra_query", "extra_body", "timeout"), ("poll",)),
}
# Defaults that differ, with the reason.
_DIFFERENT_DEFAULTS = {
    # A list as a default can be changed by accident.
    ("vector_stores.file_batches.upload_and_poll", "file_ids"): (),
}


_OMITTED = ("...", "Ellipsis")


class _Parameter(NamedTuple):
    name: str
    kind: Any
    default: Any


def _resource(client: Any, path: str) -> Any:
    for name in path.split("."):
        client = getattr(client, name)
    return client


def _methods() -> Iterator[str]:
    client = openai.OpenAI(api_key="k")
    for path in _RESOURCES:
        for name, _ in inspect.getmembers(type(_resource(client, path)), inspect.isfunction):
            if not name.startswith(("_", "with_")):
                yield f"{path}.{name}"


_METHODS = sorted(_methods())
_OURS: dict[str, Any] = {
    "sync": AzureResponses("https://r.openai.azure.com", api_key="k"),
    "async": AsyncAzureResponses("https://r.openai.azure.com", api_key="k"),
}
_THEIRS: dict[str, Any] = {
    "sync": openai.OpenAI(api_key="k"),
    "async": openai.AsyncOpenAI(api_key="k"),
}


def _parameters(method: Any) -> list[_Parameter]:
    found = inspect.signature(method).parameters.values()
    return [_Parameter(p.name, p.kind, p.default) for p in found]


def _is_omitted(default: Any) -> bool:
    # Parameters of `shows_parameters` have a default of their own.
    return default is None or isinstance(default, Omit | NotGiven) or repr(default) in _OMITTED


@pytest.mark.parametrize("side", _OURS)
@pytest.mark.parametrize("path", _METHODS)
def test_a_method_takes_the_same_parameters_in_the_same_order(path: str, side: str) -> None:
    theirs = _parameters(_resource(_THEIRS[side], path))
    ours = _parameters(_resource(_OURS[side], path))
    names = {one.name for one in theirs}
    same = [one for one in ours if one.name in names]
    assert [(one.name, one.kind) for one in same] == [(one.name, one.kind) for one in theirs]
    for own, other in zip(same, theirs, strict=True):
        expected = _DIFFERENT_DEFAULTS.get((path, own.name), other.default)
        both_omitted = _is_omitted(own.default) and _is_omitted(expected)
        assert both_omitted or own.default == expected, own.name


@pytest.mark.parametrize("side", _OURS)
@pytest.mark.parametrize("path", _METHODS)
def test_further_parameters_are_deliberate(path: str, side: str) -> None:
    names = {one.name for one in _parameters(_resource(_THEIRS[side], path))}
    more = [one for one in _parameters(_resource(_OURS[side], path)) if one.name not in names]
    for one in more:
        assert path.rpartition(".")[2] in _MORE_PARAMETERS.get(one.name, ()), one.name
        assert one.kind.name == "KEYWORD_ONLY"


def _returned(method: Any) -> str:
    """The class that a method returns, without the package: "Batch", "Page[Batch]"."""
    text = inspect.signature(method).return_annotation
    text = text if isinstance(text, str) else getattr(text, "__name__", str(text))
    return str(text)


_PAGES = ("SyncCursorPage", "SyncPage", "SyncConversationCursorPage")


@pytest.mark.parametrize("path", _METHODS)
def test_a_method_returns_an_object_of_the_same_name(path: str) -> None:
    theirs = _returned(_resource(_THEIRS["sync"], path)).rpartition("_legacy_response.")[2]
    method = getattr(
        type(_resource(_OURS["sync"], path.rpartition(".")[0])), path.rpartition(".")[2]
    )
    ours: Any = typing.get_type_hints(method)["return"]
    for page in _PAGES:
        if theirs.startswith(f"{page}["):
            assert ours.__name__ == "Pages"
            theirs, ours = theirs.removeprefix(f"{page}[").rstrip("]"), ours.__args__[0]
    expected = _DIFFERENT_RETURNS.get(theirs, theirs)
    if expected in ("ConversationItem", "UnwrapWebhookEvent"):
        # Unions of classes, on both sides.
        assert "Unknown" in str(ours)
    else:
        assert (ours.__name__ if ours is not type(None) else "None") == expected


def test_the_table_of_differences_names_nothing_else() -> None:
    returned = " ".join(_returned(_resource(_THEIRS["sync"], path)) for path in _METHODS)
    assert [name for name in _DIFFERENT_RETURNS if name not in returned] == []
