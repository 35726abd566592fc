"""A call on a stored object as its caller wrote it, and the fields of it that are for a router."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from azure_responses.errors import BadRequestError
from azure_responses.protocol.operation_table import APIOperation

__all__ = ["OWN_FIELDS", "AskedObject", "asks_for_copies", "named_model", "named_models"]

MODEL_HEADERS = ("x-azr-model", "x-litellm-model")
"""Headers that name the model at whose resource an object is made."""

MODEL_FIELDS = ("model", "target_model_names")
"""Fields of a body, a form or a query that do so. They are never sent to the service."""

OWN_FIELDS = (*MODEL_FIELDS, "replicate")
"""Fields of a body, a form or a query that are for the router."""

_REPLICATE = ("replicate", "x-azr-replicate")


@dataclass(frozen=True, slots=True)
class AskedObject:
    """A call as its caller wrote it.

    Attributes:
        row: what is asked.
        ids: the variable parts of the path, in order.
        query: of the URL.
        body: the JSON object, or the fields of a form; None without either.
        model: the model that the caller names, or None.
        owner: who asks.
        end_user: for whom.
        must_own: the owner may only use objects that a router gave out.
        may_call: which models the caller may call; None for all.
        replicates: a file is uploaded to every resource of the models; None leaves it to the
            settings.
        models: several models, which all get the file, as LiteLLM's callers name them.
    """

    row: APIOperation
    ids: Sequence[str] = ()
    query: Mapping[str, Any] = field(default_factory=dict)
    body: Mapping[str, Any] | None = None
    model: str | None = None
    owner: str | None = None
    must_own: bool = False
    may_call: Callable[[str], bool] | None = None
    replicates: bool | None = None
    models: tuple[str, ...] = ()
    end_user: str | None = None


def named_model(*sources: Mapping[str, Any]) -> str | None:
    """The model that the first of several mappings names: body or form, query, headers.

    LiteLLM's `target_model_names` may name several models; only the first counts here.

    Raises:
        BadRequestError: it is not a name.
    """
    for source in sources:
        for name in (*MODEL_FIELDS, *MODEL_HEADERS):
            given = source.get(name)
            if given is None or given == "":
                continue
            model = _first_name(given) if name == "target_model_names" else given
            if not isinstance(model, str) or not model:
                raise BadRequestError(
                    f"{name} is not a name.",
                    status_code=400,
                    code="invalid_type",
                    type="invalid_request_error",
                    param=name,
                )
            return model
    return None


def named_models(*sources: Mapping[str, Any]) -> tuple[str, ...]:
    """All models of LiteLLM's `target_model_names`; none where it does not stand.

    LiteLLM uploads a file to the deployments of each.
    """
    for source in sources:
        given = source.get("target_model_names")
        names = given.split(",") if isinstance(given, str) else given
        if isinstance(names, list) and all(isinstance(name, str) for name in names):
            return tuple(dict.fromkeys(name.strip() for name in names if name.strip()))
    return ()


def asks_for_copies(*sources: Mapping[str, Any]) -> bool | None:
    """What `replicate` or its header says in body or form, query or headers; None without.

    Raises:
        BadRequestError: it is neither true nor false.
    """
    for source in sources:
        for name in _REPLICATE:
            given = source.get(name)
            if given is None or given == "":
                continue
            text = str(given).lower()
            if text not in ("true", "1", "false", "0"):
                raise BadRequestError(
                    f"{name} is neither true nor false.",
                    status_code=400,
                    code="invalid_type",
                    type="invalid_request_error",
                    param=name,
                )
            return text in ("true", "1")
    return None


def _first_name(given: Any) -> Any:
    names = given.split(",") if isinstance(given, str) else given
    first = names[0] if isinstance(names, list) and names else None
    return first.strip() if isinstance(first, str) else None
