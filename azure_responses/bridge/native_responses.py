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

__all__ = ["fit_responses"]


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
