"""Parameters that a deployment cannot be sent: those of the Responses API alone, and a model's own.

What only the Responses API has is refused by name before anything is sent, with what to do
instead. What a model is known to refuse stands in its entry of `protocol.families`, as paths of the
body that is sent.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, Protocol, TypeVar

from azure_responses.bridge.unsupported import Unsupported
from azure_responses.protocol.conversion import APIName
from azure_responses.protocol.families import FamilyFacts

__all__ = [
    "ELSEWHERE",
    "RefusedParameter",
    "drop_refused",
    "responses_only",
    "take_parameter",
    "take_refused",
]

ELSEWHERE = "Use a deployment that speaks the Responses API."
_SELF = "Do this in your own code, or use a deployment that speaks the Responses API."

# Paths of the body that is sent whose name in the caller's API is another.
_NAMES: Mapping[APIName, Mapping[str, str]] = {
    "chat": {
        "max_tokens": "max_output_tokens",
        "max_completion_tokens": "max_output_tokens",
        "reasoning_effort": "reasoning.effort",
        "response_format": "text.format",
        "verbosity": "text.verbosity",
        "logprobs": "top_logprobs",
    },
    "messages": {
        "max_tokens": "max_output_tokens",
        "output_config.effort": "reasoning.effort",
        "output_config.format": "text.format",
        "metadata.user_id": "safety_identifier",
        "stop_sequences": "stop",
    },
}


class RefusedParameter(NamedTuple):
    """Why a parameter is not sent.

    Attributes:
        neutral: values that ask for nothing, and are left out without a word.
        reason, alternative: whole sentences.
    """

    neutral: tuple[Any, ...]
    reason: str
    alternative: str


class ParameterDraft(Protocol):
    """A body while the parameters of a request are written into it."""

    body: dict[str, Any]
    unsupported: Unsupported


D = TypeVar("D", bound=ParameterDraft)


def take_parameter(
    draft: D,
    name: str,
    value: Any,
    takers: Mapping[str, Callable[[D, Any], None]],
    refused: Mapping[str, tuple[tuple[Any, ...], str, str]],
) -> None:
    """Write one parameter into the body: by its taker, or as it is; or refuse it.

    Args:
        draft: holds the body.
        name: of the parameter.
        value: of the parameter.
        takers: write the parameters that the other API has in another form.
        refused: `RefusedParameter` of what the other API has no place for.

    Raises:
        ConfigurationError: it is refused, and asks for something.
    """
    taker = takers.get(name)
    if taker is not None:
        taker(draft, value)
    elif name in refused:
        neutral, reason, alternative = refused[name]
        if value not in neutral:
            draft.unsupported.leave_out(name, reason, alternative)
    else:
        draft.body[name] = value


def responses_only(api: str) -> dict[str, RefusedParameter]:
    """What an API, "chat completions" or "Messages", has no place for."""
    subject = api[0].upper() + api[1:]
    refused: dict[str, tuple[tuple[Any, ...], str, str]] = {
        "prompt": (
            (),
            "Stored prompts are the Responses API's.",
            "Send the prompt's text as instructions and input.",
        ),
        "moderation": ((), f"{subject} moderates nothing on request.", _SELF),
        "access_programs": (({},), f"{subject} has no access programs.", ELSEWHERE),
        "multi_agent": (({"enabled": False},), f"{subject} runs no agents.", ELSEWHERE),
        "conversation": (
            (),
            "Conversations are stored by the Responses API.",
            "Continue by previous_response_id, or send the items.",
        ),
        "background": (
            (False,),
            f"A deployment that speaks {api} does not work in the background.",
            "Run the call in a task of your own, or use a deployment that speaks Responses.",
        ),
        "background_options": (({},), "The call does not run in the background.", ELSEWHERE),
        "context_management": (
            ([],),
            f"Nothing compacts the context of a call over {api}.",
            "Set truncation='auto', or leave out old turns yourself.",
        ),
        "image": (
            ({}, {"context_compression": "auto"}),
            f"{subject} does not compress images.",
            "Send smaller images.",
        ),
        "agent_reference": ((), "An agent is called over the Responses API.", ELSEWHERE),
        "n": ((1,), "A response is one answer.", "Make one call for each answer."),
    }
    return {name: RefusedParameter(*about) for name, about in refused.items()}


def drop_refused(
    body: dict[str, Any], api: APIName, facts: FamilyFacts, unsupported: Unsupported
) -> None:
    """Take out of a body what the model is known to refuse in an API.

    Raises:
        ConfigurationError: it asks for something.
    """
    names = _NAMES.get(api, {})
    for path in take_refused(body, api, facts):
        unsupported.leave_out(
            names.get(path, path),
            f"Models of the family {facts.family!r} refuse it.",
            "Leave it out, or set drop_params.",
        )


def take_refused(body: dict[str, Any], api: APIName, facts: FamilyFacts) -> Iterator[str]:
    """Take out of a body what the model is known to refuse; the paths of what asks for something.

    Objects inside the body are copied, not changed: they may be the caller's.
    """
    for path, default in facts.refused_by(api).items():
        value = _remove(body, path.split("."))
        # Penalties of 0 are sent by many clients that want none.
        if value is not _MISSING and value is not None and value != default:
            yield path


_MISSING = object()


def _remove(holder: dict[str, Any], path: Sequence[str]) -> Any:
    """Take a field out, and the objects around it that hold nothing else; its value."""
    name, *inner = path
    if not inner:
        return holder.pop(name, _MISSING)
    given = holder.get(name)
    rest = dict(given) if isinstance(given, Mapping) else {}
    value = _remove(rest, inner)
    if value is not _MISSING and rest:
        holder[name] = rest
    elif value is not _MISSING:
        del holder[name]
    return value
