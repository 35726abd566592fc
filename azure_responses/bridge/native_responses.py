"""A request of the Responses API for a deployment that speaks it: what its model does not take.

Most models of OpenAI take everything, and their requests pass as they are. Others are listed for
the Responses API and refuse some of it: DeepSeek an effort and encrypted reasoning, Grok `$ref` in
the schemas of tools.
"""

from collections.abc import Mapping
from typing import Any

from azure_responses.bridge.function_schemas import inline_references
from azure_responses.bridge.native_chat import leave_out_refused
from azure_responses.bridge.unsupported import Unsupported
from azure_responses.protocol.families import FamilyFacts
from azure_responses.protocol.reasoning_filter import ENCRYPTED_REASONING

__all__ = ["fit_responses", "without_reasoning"]


def fit_responses(
    request: Mapping[str, Any], facts: FamilyFacts, *, drops_params: bool
) -> tuple[Mapping[str, Any], tuple[str, ...]]:
    """The request as the model takes it, and what was left out.

    The same object comes back where nothing had to be changed.

    Args:
        request: as JSON.
        facts: what the model accepts.
        drops_params: what it does not accept is left out with a warning.

    Raises:
        ConfigurationError: a parameter that the model refuses.
    """
    unsupported = Unsupported(drops_params=drops_params)
    changed = dict(request)
    leave_out_refused(changed, "responses", facts, unsupported)
    if not facts.takes_encrypted_reasoning:
        _drop_encrypted(changed, facts, unsupported)
    tools = changed.get("tools")
    if facts.inlines_refs and isinstance(tools, list):
        inlined = [_inline(tool, f"tools[{place}]") for place, tool in enumerate(tools)]
        if any(new is not old for new, old in zip(inlined, tools, strict=True)):
            changed["tools"] = inlined
    is_same = changed.keys() == request.keys() and all(
        changed[name] is request[name] for name in request
    )
    return (request if is_same else changed), tuple(unsupported.warnings)


def without_reasoning(
    request: Mapping[str, Any], facts: FamilyFacts
) -> tuple[Mapping[str, Any], tuple[str, ...]]:
    """The request without what a model refuses that does not reason, and what was left out.

    Of a model that reasons, an effort that it does not know becomes the nearest that it knows. The
    same object comes back where nothing had to be changed.

    Args:
        request: whose caller allows it.
        facts: what the model accepts; nothing is left out where its efforts are not known.
    """
    unsupported = Unsupported(drops_params=True)
    changed = dict(request)
    if facts.efforts == ():
        _drop_reasoning(changed, facts, unsupported)
    else:
        _fit_effort(changed, facts, unsupported)
    warnings = tuple(unsupported.warnings)
    return (changed if changed != request else request), warnings


def _drop_reasoning(request: dict[str, Any], facts: FamilyFacts, unsupported: Unsupported) -> None:
    if request.pop("reasoning", None):
        unsupported.leave_out(
            "reasoning", f"Models of the family {facts.family} do not reason.", ""
        )
    _drop_encrypted(request, facts, unsupported)
    text = request.get("text")
    # "medium" is the only verbosity that such models know.
    if isinstance(text, Mapping) and text.get("verbosity") not in (None, "medium"):
        unsupported.leave_out(
            "text.verbosity", f"Models of the family {facts.family} know 'medium' only.", ""
        )
        request["text"] = {name: value for name, value in text.items() if name != "verbosity"}


def _fit_effort(request: dict[str, Any], facts: FamilyFacts, unsupported: Unsupported) -> None:
    reasoning = request.get("reasoning")
    asked = reasoning.get("effort") if isinstance(reasoning, Mapping) else None
    if not isinstance(reasoning, Mapping) or not isinstance(asked, str):
        return
    effort = facts.effort_for(asked)
    if effort != asked:
        known = ", ".join(facts.efforts or ())
        unsupported.warn(
            f"reasoning.effort {asked!r} was sent as {effort!r}. The family {facts.family} knows "
            f"{known}."
        )
        request["reasoning"] = {**reasoning, "effort": effort}


def _drop_encrypted(request: dict[str, Any], facts: FamilyFacts, unsupported: Unsupported) -> None:
    include = request.get("include")
    if not isinstance(include, list) or ENCRYPTED_REASONING not in include:
        return
    unsupported.leave_out(
        f"include {ENCRYPTED_REASONING!r}",
        f"Models of the family {facts.family} have no encrypted reasoning on the Responses API.",
        "Leave it out, pass drop_params=True, or call the deployment over chat completions with "
        "api='chat', where its reasoning is sealed here.",
    )
    rest = [name for name in include if name != ENCRYPTED_REASONING]
    if rest:
        request["include"] = rest
    else:
        del request["include"]


def _inline(tool: Any, path: str) -> Any:
    """The tool with every `$ref` replaced by what it names; the same object without any."""
    if not isinstance(tool, Mapping):
        return tool
    inner = tool.get("tools")
    if isinstance(inner, list):
        # A namespace.
        fitted = [_inline(one, f"{path}.tools[{place}]") for place, one in enumerate(inner)]
        is_same = all(new is old for new, old in zip(fitted, inner, strict=True))
        return tool if is_same else {**tool, "tools": fitted}
    schema = tool.get("parameters")
    if isinstance(schema, Mapping) and not {"$defs", "definitions"}.isdisjoint(schema):
        return {**tool, "parameters": inline_references(schema, f"{path}.parameters")}
    return tool
