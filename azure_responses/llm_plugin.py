"""Models for `llm`, the command and library: each group of the router as `azure/<group>`.

The groups are those of azure-responses.yaml in llm's folder, a file with `model_list` and, if
wanted, `router_settings`; without it, AZURE_OPENAI_DEPLOYMENT of the environment's resource.
"""

import os
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import llm
import openai
from llm.default_plugins.openai_models import AsyncResponses, Responses, build_options_class

__all__ = ["AsyncRoutedModel", "RoutedModel", "register_models"]

# Ids are signed for one user only, so the secret need not be secret; but it must stay the same,
# because the next process continues the conversation.
_SECRET = "one person's conversations"


class _Routed:
    """Makes a model class of llm call the router instead of OpenAI."""

    needs_key = key_env_var = None

    def __init__(self, group: str, router: Callable[[], Any], *, reasons: bool) -> None:
        shown: Any = {"reasoning": reasons, "verbosity": reasons}
        more: Any = {**shown, "vision": True, "supports_schema": True, "supports_tools": True}
        super().__init__(f"azure/{group}", model_name=group, **more)  # type: ignore[call-arg]
        self._router = router
        # Without the option `chat_completions`, whose calls would go to OpenAI itself.
        self.Options = build_options_class(**shown, reasoning_summary=reasons)

    def get_client(self, key: str | None, *, async_: bool = False) -> Any:
        """A client of the openai package over the router; no key is needed."""
        from azure_responses.openai_transport import async_transport, transport

        if async_:
            http: Any = openai.DefaultAsyncHttpxClient(transport=async_transport(self._router()))
            return openai.AsyncOpenAI(api_key="unused", http_client=http)
        http = openai.DefaultHttpxClient(transport=transport(self._router()))
        return openai.OpenAI(api_key="unused", http_client=http)

    def __str__(self) -> str:
        return f"Azure Responses: {self.model_id}"  # type: ignore[attr-defined]


class RoutedModel(_Routed, Responses):  # type: ignore[misc,unused-ignore]
    """A group of the router."""


class AsyncRoutedModel(_Routed, AsyncResponses):  # type: ignore[misc,unused-ignore]
    """A group of the router, awaited."""


@llm.hookimpl  # type: ignore[untyped-decorator,unused-ignore]
def register_models(register: Callable[..., None]) -> None:
    """Register the groups; without them, and with a message, where settings are invalid."""
    path = Path(llm.user_dir()) / "azure-responses.yaml"
    try:
        rows, settings = _read(path)
        groups = {row["model_name"]: _is_reasoning(row) for row in rows}
    except Exception as error:
        print(f"azure-responses: {path} or the environment: {error!r}", file=sys.stderr)
        return

    # Made on the first call of a model: every command of llm registers the models.
    @cache
    def router() -> Any:
        from azure_responses.router import Router

        return Router(rows, **{"affinity_secret": _SECRET, **settings})

    for name, reasons in groups.items():
        register(*(kind(name, router, reasons=reasons) for kind in (RoutedModel, AsyncRoutedModel)))


def _read(path: Path) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    if path.exists():
        import yaml

        read = yaml.safe_load(path.read_text(encoding="utf-8"))
        return read["model_list"], read.get("router_settings") or {}
    if not (deployment := os.environ.get("AZURE_OPENAI_DEPLOYMENT")):
        return [], {}
    from azure_responses import AsyncAzureResponses, AzureResponses

    clients = {"client": AzureResponses(), "async_client": AsyncAzureResponses()}
    return [{"model_name": deployment, **clients}], {}


def _is_reasoning(row: dict[str, Any]) -> bool:
    from azure_responses.bridge.chat_over_responses.reasoning import is_reasoning_model_name

    info, params = row.get("model_info") or {}, row.get("litellm_params") or row.get("params") or {}
    name: str = info.get("base_model") or params.get("model") or row["model_name"]
    return is_reasoning_model_name(name)
