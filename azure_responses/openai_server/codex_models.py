"""The models of a router in the form that the Codex CLI reads.

Codex 0.171 asks `GET {model_catalog_url}?client_version=0.171.0` and reads the list `models`. It
ignores a list in which one entry lacks a field that it needs, and every list over 1 MiB.
"""

from collections.abc import Iterable, Sequence
from typing import Any
from urllib.parse import parse_qs

from azure_responses.protocol.families import facts_of
from azure_responses.routing.deployment import Deployment
from azure_responses.routing.deployment_registry import DeploymentRegistry

__all__ = ["codex_models", "expects_codex"]

# Efforts in the order in which Codex offers them; it refuses names that it does not know.
_EFFORTS = ("minimal", "low", "medium", "high", "xhigh")
_WINDOW = 272_000
_INSTRUCTIONS = """\
You are a coding agent in a terminal. You share a working folder with the user.

Do the task that the user gives you, completely, and then say what you did.
Read the code before you change it. Follow its style and the instructions in AGENTS.md.
Make the smallest change that solves the problem at its cause. Do not change unrelated code.
Run the tests that concern your change where there are any, and report their result as it is.
Never discard changes that you did not make, and never delete data without being asked to.
Use the tools that you are offered. Search with rg where it is installed. Call tools in parallel
where one does not need the result of another.
Ask only when you cannot find out what is wanted. Do not claim what you have not checked.
Write short answers in plain Markdown. Name files with their path and line.
"""


def expects_codex(query: str) -> bool:
    """True where Codex asks for models: it names its version."""
    return "client_version" in query and "client_version" in parse_qs(query)


def codex_models(routing: DeploymentRegistry, names: Iterable[str]) -> list[dict[str, Any]]:
    """An entry for each name that a caller may ask for."""
    return [
        _describe(name, routing.group_of(name), priority) for priority, name in enumerate(names)
    ]


def _describe(name: str, group: Sequence[Deployment], priority: int) -> dict[str, Any]:
    windows = [one.max_input_tokens for one in group if one.max_input_tokens]
    efforts = _efforts(group)
    return {
        "slug": name,
        "display_name": name,
        "description": None,
        "priority": priority,
        "visibility": "list",
        "supported_in_api": True,
        "upgrade": None,
        "base_instructions": _INSTRUCTIONS,
        "context_window": min(windows, default=_WINDOW),
        "supported_reasoning_levels": [
            {"effort": effort, "description": f"Reasoning effort {effort}"} for effort in efforts
        ],
        **({"default_reasoning_level": "medium"} if "medium" in efforts else {}),
        "supports_reasoning_summaries": bool(efforts),
        "supports_parallel_tool_calls": True,
        "support_verbosity": False,
        "default_verbosity": None,
        "shell_type": "shell_command",
        "apply_patch_tool_type": None,
        "truncation_policy": {"mode": "tokens", "limit": 10_000},
        "experimental_supported_tools": [],
        # Azure refuses what Codex sends in this mode (openai/codex #31870, #37952).
        "use_responses_lite": False,
    }


def _efforts(group: Sequence[Deployment]) -> list[str]:
    """The reasoning efforts that every deployment of a group is known to take."""
    known = [facts_of(one.base_model, one.model, overrides=one.facts).efforts for one in group]
    return [effort for effort in _EFFORTS if known and all(effort in (one or ()) for one in known)]
