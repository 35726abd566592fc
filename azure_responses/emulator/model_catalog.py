"""The models an emulated deployment can run, and what each of them accepts.

Names and snapshots are those of Azure's model list and price sheet; windows are the published ones.
Whether a model samples (takes `temperature` and `top_p`), reasons, or answers only the Responses
API decides what the emulator refuses.
"""

from dataclasses import replace
from typing import Any

from azure_responses.emulator.emulated_model import RESPONSES, RESPONSES_AND_CHAT, EmulatedModel
from azure_responses.emulator.foundry_models import find_foundry_model
from azure_responses.emulator.resources import EmulatedDeployment
from azure_responses.emulator.service_errors import resource_not_found

__all__ = [
    "MODELS",
    "EmulatedModel",
    "describe_model",
    "is_text_model",
    "find_deployed",
    "find_model",
    "list_models",
]

# Values of `reasoning.effort`, by generation: GPT-5 up to gpt-5-nano, the o-series, 5.1, 5.2 and
# later, 5.6. An effort of "none" lets a model sample.
_CLASSIC = ("minimal", "low", "medium", "high")
_O_SERIES = ("low", "medium", "high")
_NEWER = ("none", "low", "medium", "high")
_NEWEST = ("none", "low", "medium", "high", "xhigh")
_MAXIMUM = ("none", "low", "medium", "high", "xhigh", "max")


_ANY_VERBOSITY = ("low", "medium", "high")
_NO_IMAGES = frozenset({"image_generation"})
_NO_HOSTED = frozenset({"web_search", "web_search_preview", "code_interpreter", "image_generation"})
_CODEX_REFUSES = frozenset({"code_interpreter", "file_search"})


def _chat(name: str, version: str, window: int, output: int) -> EmulatedModel:
    return EmulatedModel(name, f"{name}-{version}", context_window=window, max_output=output)


def _o_series(name: str, version: str, responses_only: bool = False) -> EmulatedModel:
    return EmulatedModel(
        name,
        f"{name}-{version}",
        efforts=_O_SERIES,
        default_effort="medium",
        apis=RESPONSES if responses_only else RESPONSES_AND_CHAT,
        context_window=200_000,
        max_output=100_000,
        refused_tools=_NO_HOSTED if name.startswith("o1") else frozenset(),
    )


def _gpt5(
    name: str,
    version: str,
    efforts: tuple[str, ...] = _CLASSIC,
    default: str = "medium",
    responses_only: bool = False,
) -> EmulatedModel:
    # By name, as rules of a generation hold for all its sizes.
    is_newer = not name.startswith("gpt-5-") and name != "gpt-5"
    return EmulatedModel(
        name,
        f"{name}-{version}",
        efforts=efforts,
        default_effort=default,
        apis=RESPONSES if responses_only else RESPONSES_AND_CHAT,
        context_window=1_050_000 if name.startswith(("gpt-5.5", "gpt-5.6")) else 400_000,
        max_output=128_000,
        # Recorded: 0.985 on gpt-5.1-codex-max, 0.98 on gpt-5.4, 1.0 on gpt-5.1 and before.
        default_top_p=0.985 if "codex-max" in name else 0.98 if name >= "gpt-5.2" else 1.0,
        verbosities=("medium",) if "codex" in name else _ANY_VERBOSITY,
        supports_flex=name == "gpt-5.6-sol",
        has_phase=is_newer and name >= "gpt-5.4",
        refuses_tools_with_effort="set" if is_newer and name >= "gpt-5.4" else None,
        refused_tools=_CODEX_REFUSES if "codex" in name else frozenset(),
    )


def _gpt5_chat(name: str, version: str) -> EmulatedModel:
    return EmulatedModel(name, f"{name}-{version}", refused_tools=_NO_IMAGES)


_PRO = ("medium", "high", "xhigh")
_CODEX = ("low", "medium", "high")
_CODEX_LATE = ("low", "medium", "high", "xhigh")
# What is published as "1M".
_MILLION = 1_047_576

_ALL = (
    _chat("gpt-4o", "2024-11-20", 128_000, 16_384),
    _chat("gpt-4o-mini", "2024-07-18", 128_000, 16_384),
    _chat("gpt-4.1", "2025-04-14", _MILLION, 32_768),
    _chat("gpt-4.1-mini", "2025-04-14", _MILLION, 32_768),
    _chat("gpt-4.1-nano", "2025-04-14", _MILLION, 32_768),
    _o_series("o1", "2024-12-17"),
    _o_series("o1-pro", "2025-03-19", responses_only=True),
    _o_series("o3-mini", "2025-01-31"),
    _o_series("o3", "2025-04-16"),
    _o_series("o3-pro", "2025-06-10", responses_only=True),
    _o_series("o3-deep-research", "2025-06-26", responses_only=True),
    _o_series("o4-mini", "2025-04-16"),
    _o_series("codex-mini", "2025-05-16", responses_only=True),
    replace(
        _o_series("computer-use-preview", "2025-03-11", responses_only=True),
        context_window=8_192,
        max_output=1_024,
    ),
    _gpt5("gpt-5", "2025-08-07"),
    _gpt5("gpt-5-mini", "2025-08-07"),
    _gpt5("gpt-5-nano", "2025-08-07"),
    _gpt5_chat("gpt-5-chat", "2025-08-07"),
    _gpt5("gpt-5-codex", "2025-09-15", _CODEX, responses_only=True),
    _gpt5("gpt-5-pro", "2025-10-06", ("high",), "high", responses_only=True),
    _gpt5("gpt-5.1", "2025-11-13", _NEWER, "none"),
    _gpt5_chat("gpt-5.1-chat", "2025-11-13"),
    _gpt5("gpt-5.1-codex", "2025-11-13", _CODEX, responses_only=True),
    _gpt5("gpt-5.1-codex-mini", "2025-11-13", _CODEX, responses_only=True),
    _gpt5("gpt-5.1-codex-max", "2025-12-04", ("none", *_CODEX_LATE), responses_only=True),
    _gpt5("gpt-5.2", "2025-12-11", _NEWEST, "none"),
    _gpt5_chat("gpt-5.2-chat", "2025-12-11"),
    _gpt5("gpt-5.2-codex", "2026-01-14", _CODEX_LATE, responses_only=True),
    _gpt5("gpt-5.2-pro", "2025-12-11", _PRO, responses_only=True),
    _gpt5_chat("gpt-5.3-chat", "2026-03-03"),
    _gpt5("gpt-5.3-codex", "2026-02-24", _CODEX_LATE, responses_only=True),
    _gpt5("gpt-5.4", "2026-03-05", _NEWEST, "none"),
    _gpt5("gpt-5.4-mini", "2026-03-17", _NEWEST, "none"),
    _gpt5("gpt-5.4-nano", "2026-03-17", _NEWEST, "none"),
    _gpt5("gpt-5.4-pro", "2026-03-05", _PRO, responses_only=True),
    _gpt5("gpt-5.5", "2026-04-23", _NEWEST, "medium"),
    _gpt5("gpt-5.5-pro", "2026-04-23", _PRO, responses_only=True),
    _gpt5("gpt-5.6-sol", "2026-07-09", _MAXIMUM, "medium"),
    _gpt5("gpt-5.6-terra", "2026-07-09", _MAXIMUM, "medium"),
    _gpt5("gpt-5.6-luna", "2026-07-09", _MAXIMUM, "medium"),
    # Answers name the model that it chose; here always the same.
    EmulatedModel("model-router", "model-router-2025-11-18", context_window=200_000,
                  max_output=32_768, routes_to="gpt-4.1-nano-2025-04-14"),
)  # fmt: skip

MODELS: dict[str, EmulatedModel] = {model.name: model for model in _ALL}


def find_model(name: str) -> EmulatedModel:
    """The model of that name or snapshot; a plain sampling model for an unknown name.

    The longest known name that `name` begins with counts, so `gpt-5-mini-2025-08-07` is
    `gpt-5-mini` with that snapshot. A name that ends in a known one, as people like to call their
    deployments (`team-a-o1-pro`), is that model under its own name. Else the word of a family
    anywhere in the name decides (`Kimi-K2.5`, `claude-opus-4-8`).
    """
    known = MODELS.get(name)
    if known:
        return known
    # The longest: gpt-5-mini-2025-08-07 begins with gpt-5, too.
    base = max((key for key in MODELS if name.startswith(key + "-20")), key=len, default="")
    if base:
        return replace(MODELS[base], snapshot=name)
    base = max((key for key in MODELS if name.endswith("-" + key)), key=len, default="")
    if base:
        return replace(MODELS[base], name=name)
    found = find_foundry_model(name)
    return found or EmulatedModel(name, name, verbosities=_ANY_VERBOSITY)


def is_text_model(name: str) -> bool:
    """True for a model of the catalogue, or of a family, that answers with text."""
    return find_model(name).name in MODELS or find_foundry_model(name) is not None


def find_deployed(deployment: EmulatedDeployment) -> EmulatedModel:
    """The model of a deployment, which answers the deployment's `api` alone where it names one."""
    model = find_model(deployment.model_name)
    if deployment.api is None:
        return model
    if deployment.api == "messages" and model.family != "claude":
        claude = find_model("claude")
        model = replace(claude, name=model.name, snapshot=model.snapshot)
    return replace(model, apis=frozenset({deployment.api}))


_LISTED_AT = 1_754_524_800


def list_models() -> dict[str, Any]:
    """The reply to `GET /models`: the catalogue of the region, not the deployments, as on Azure."""
    return {"object": "list", "data": [_as_object(model) for model in MODELS.values()]}


def describe_model(name: str) -> dict[str, Any]:
    """The reply to `GET /models/{name}`, by name or snapshot; raises ServiceError (404)."""
    for model in MODELS.values():
        if name in (model.name, model.snapshot):
            return _as_object(model)
    raise resource_not_found()


def _as_object(model: EmulatedModel) -> dict[str, Any]:
    return {
        "id": model.snapshot,
        "object": "model",
        "created_at": _LISTED_AT,
        "status": "succeeded",
        "lifecycle_status": "generally-available",
        "capabilities": {
            "fine_tune": False,
            "inference": True,
            "completion": False,
            "chat_completion": not model.responses_only,
            "embeddings": False,
        },
        "deprecation": {},
    }
