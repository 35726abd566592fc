"""What families of models refuse of a chat completion, each in the shape of its own service.

Mistral answers as pydantic does, Grok with a string for an error, DeepSeek and Kimi name the
argument that they do not know. The reports are named at each rule.
"""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from azure_responses.emulator.emulated_model import EmulatedModel
from azure_responses.emulator.service_errors import ServiceError, invalid_request

__all__ = ["DECLARED", "check_family", "keep_declared", "refuse_unknown"]

# The parameters of the older model inference: its reference of 2024-05-01-preview.
DECLARED = frozenset(
    {
        "messages", "model", "frequency_penalty", "presence_penalty", "max_tokens", "modalities",
        "response_format", "seed", "stop", "stream", "temperature", "tool_choice", "tools", "top_p",
    }
)  # fmt: skip
# pydantic-ai#6593, litellm#4800, #3899, #11696, #26322; `store` is openclaude#739.
_MISTRAL_REFUSES = frozenset(
    {"max_completion_tokens", "frequency_penalty", "presence_penalty", "user", "store"}
)
# pi#9645 and DeepSeek-Reasonix#1299; zed#52000 reports the cache key for Kimi.
_CACHE = ("prompt_cache_key", "prompt_cache_retention")
_UNRECOGNIZED: Mapping[str, tuple[str, ...]] = {
    "deepseek": ("thinking", "extra_body", *_CACHE),
    "kimi": _CACHE,
}
# promptfoo#10592, llmgateway#3436: Grok 3 and grok-code-fast take them.
_GROK_REFUSES = ("presence_penalty", "frequency_penalty", "stop")


def keep_declared(body: dict[str, Any], mode: str | None) -> dict[str, Any]:
    """The body that the model gets below `/models`, by the header `extra-parameters`.

    `pass-through` keeps all, `drop` (formerly `ignore`) leaves out what the API does not declare,
    and `error`, the default, refuses it (langchain#29679).
    """
    extra = [name for name in body if name not in DECLARED]
    if not extra or mode == "pass-through":
        return body
    if mode in ("drop", "ignore"):
        return {name: value for name, value in body.items() if name in DECLARED}
    message = (
        f"Extra parameters {extra} are not allowed when extra-parameters is not set or set to be "
        "'error'. Set extra-parameters to 'pass-through' to pass to the model."
    )
    details = [_extra(["body", name], body[name], message) for name in extra]
    error = {"code": "Invalid input", "status": 422, "message": "invalid input error"}
    raise ServiceError(422, {"error": {**error, "details": details}})


def _extra(place: list[Any], value: Any, message: str) -> dict[str, Any]:
    return {"type": "extra_forbidden", "loc": place, "msg": message, "input": value}


def check_family(body: dict[str, Any], model: EmulatedModel, surface: str) -> None:
    """Refuse what the model's family does not take of a chat completion."""
    if model.family == "mistral":
        _check_mistral(body, surface)
    elif model.family == "grok":
        _check_grok(body, model)
    for name in _UNRECOGNIZED.get(model.family, ()):
        if body.get(name) is not None:
            raise _unrecognized(name)
    if model.refuses_tools_with_effort:
        _check_tools_while_reasoning(body, model)


def refuse_unknown(name: str, value: Any, model: EmulatedModel, surface: str) -> ServiceError:
    """The error for a parameter that chat completions do not have."""
    if model.family == "mistral":
        return _forbid([_extra(["body", name], value, _NOT_PERMITTED)], surface)
    return _unrecognized(name)


def _unrecognized(name: str) -> ServiceError:
    message = f"Unrecognized request argument supplied: {name}"
    return invalid_request(message, None, "unrecognized_request_argument")


# --- Mistral --------------------------------------------------------------------------------------

_NOT_PERMITTED = "Extra inputs are not permitted"
_MISTRAL_ROLES = ("system", "user", "assistant", "tool")


def _check_mistral(body: dict[str, Any], surface: str) -> None:
    # The validator of the service names all that is wrong at once.
    refused = [
        _extra(["body", name], value, _NOT_PERMITTED)
        for name, value in body.items()
        if name in _MISTRAL_REFUSES and value is not None
    ]
    options = body.get("stream_options")
    if isinstance(options, dict):
        refused += [
            _extra(["body", "stream_options", name], value, _NOT_PERMITTED)
            for name, value in options.items()
        ]
    refused += _list_unknown_roles(body.get("messages"))
    if refused:
        raise _forbid(refused, surface)


def _list_unknown_roles(messages: Any) -> Iterable[dict[str, Any]]:
    expected = ", ".join(f"'{role}'" for role in _MISTRAL_ROLES)
    for index, message in enumerate(messages if isinstance(messages, list) else ()):
        role = message.get("role") if isinstance(message, dict) else None
        if isinstance(role, str) and role not in _MISTRAL_ROLES:
            text = (
                f"Input tag '{role}' found using 'role' does not match any of the expected tags: "
                f"{expected}"
            )
            place = ["body", "messages", index]
            yield {"type": "union_tag_invalid", "loc": place, "msg": text, "input": message}


def _forbid(details: list[dict[str, Any]], surface: str) -> ServiceError:
    """The list of pydantic; on the v1 and dated surfaces as text inside a 400 (litellm#11696)."""
    body = {"detail": details}
    if surface in ("models", "serverless", "project"):
        return ServiceError(422, body)
    error = {"code": "Invalid input", "message": json.dumps(body), "status": 422}
    return ServiceError(400, {"error": error})


# --- Grok -----------------------------------------------------------------------------------------


def _check_grok(body: dict[str, Any], model: EmulatedModel) -> None:
    for name in _GROK_REFUSES:
        # A zero is refused as well (NativeTavern#83).
        if body.get(name) is not None:
            raise _refuse_grok(f"Model {model.name} does not support {name}")
    tools = body.get("tools")
    for tool in tools if isinstance(tools, list) else ():
        if '"$ref"' in json.dumps(tool):
            # pydantic-ai#10987 reports the refusal; the sentence is an assumption.
            raise _refuse_grok(f"Model {model.name} does not support $ref in tool parameters")


def _refuse_grok(message: str) -> ServiceError:
    return ServiceError(400, {"code": "invalid-argument", "error": message})


# --- the newest GPT -------------------------------------------------------------------------------


def _check_tools_while_reasoning(body: dict[str, Any], model: EmulatedModel) -> None:
    """pipecat#4043 for gpt-5.4, and the wording of 5.6 that names the way out."""
    effort = body.get("reasoning_effort")
    if effort is None and model.refuses_tools_with_effort == "always":
        effort = model.default_effort
    tools = body.get("tools")
    listed = tools if isinstance(tools, list) else ()
    kinds = [tool.get("type") for tool in listed if isinstance(tool, dict)]
    if effort in (None, "none") or "function" not in kinds:
        return
    way = "Please use /v1/responses instead."
    if model.name >= "gpt-5.6":
        way = "To use function tools, use /v1/responses or set reasoning_effort to 'none'."
    message = (
        f"Function tools with reasoning_effort are not supported for {model.name} in "
        f"/v1/chat/completions. {way}"
    )
    raise invalid_request(message, "reasoning_effort")
