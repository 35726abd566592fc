"""`azure-responses codex-config`: the configuration of Codex for a gateway or for Azure."""

import argparse
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from azure_responses.cli.terminal import note
from azure_responses.errors import ConfigurationError

__all__ = ["add_command"]

_GATEWAY = "http://127.0.0.1:4000/v1"
_PROVIDER = "azure-responses"
# Codex compacts at the service for providers of this name (openai/codex, model-provider).
_NAME = "Azure"
_CONNECT_MILLISECONDS = 15_000


def add_command(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Register the command."""
    parser = commands.add_parser(
        "codex-config",
        help="print or write the configuration of Codex",
        description="Print what Codex needs in its config.toml to call a gateway, or with --azure "
        "the resource itself. The key stays in a variable.",
    )
    parser.add_argument("--model", help="of the gateway's configuration, or a deployment")
    parser.add_argument("--base-url", metavar="URL", help=f"of the gateway (default: {_GATEWAY})")
    parser.add_argument(
        "--azure", action="store_true", help="call the resource of AZURE_OPENAI_ENDPOINT itself"
    )
    parser.add_argument("--env-key", metavar="NAME", help="the variable that holds the key")
    parser.add_argument("--effort", help="of the reasoning: low, medium, high, …")
    parser.add_argument(
        "--context-window", type=int, metavar="TOKENS", help="where Codex does not know the model"
    )
    parser.add_argument(
        "--no-websockets", action="store_true", help="use HTTP, also where WebSockets are offered"
    )
    parser.add_argument(
        "--write", action="store_true", help="change config.toml, and keep all else that is in it"
    )
    parser.set_defaults(run=configure)


def configure(arguments: argparse.Namespace) -> int:
    """Print the configuration, or write it."""
    settings, provider = _settings(arguments, os.environ)
    try:
        import tomlkit
    except ModuleNotFoundError as error:
        raise ConfigurationError(
            f"The configuration of Codex needs {error.name}.",
            hint="pip install 'azure-responses[cli]'",
        ) from error
    if not arguments.write:
        document = tomlkit.document()
        _merge(document, settings, provider)
        print(tomlkit.dumps(document).strip())
        return 0
    path = _home() / "config.toml"
    try:
        text = path.read_text(encoding="utf-8") if path.exists() else ""
        document = tomlkit.parse(text)
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"{path} cannot be read: {error}") from error
    replaced = _merge(document, settings, provider)
    path.parent.mkdir(parents=True, exist_ok=True)
    # Whole or not at all: a broken file would stop Codex.
    beside = path.with_suffix(".toml.new")
    beside.write_text(tomlkit.dumps(document), encoding="utf-8")
    beside.replace(path)
    for name, value in replaced.items():
        note(f"{name} was {value!r}")
    note(f"{path} is written; set {provider['env_key']} to the key, and run codex")
    return 0


def _settings(
    arguments: argparse.Namespace, environ: Mapping[str, str]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """The settings of the model, and those of the provider."""
    model = arguments.model or environ.get("AZURE_OPENAI_DEPLOYMENT")
    if not model:
        raise ConfigurationError(
            "No model is named.", hint="Pass --model, or set AZURE_OPENAI_DEPLOYMENT."
        )
    settings = {
        "model": model,
        "model_provider": _PROVIDER,
        "model_reasoning_effort": arguments.effort,
        "model_context_window": arguments.context_window,
    }
    provider: dict[str, Any] = {
        "name": _NAME,
        "base_url": _base_url(arguments, environ),
        "env_key": arguments.env_key or _usual_key(arguments),
        "wire_api": "responses",
    }
    if not arguments.no_websockets:
        provider["supports_websockets"] = True
        provider["websocket_connect_timeout_ms"] = _CONNECT_MILLISECONDS
    return {name: value for name, value in settings.items() if value is not None}, provider


def _usual_key(arguments: argparse.Namespace) -> str:
    return "AZURE_OPENAI_API_KEY" if arguments.azure else "AZURE_RESPONSES_GATEWAY_KEY"


def _base_url(arguments: argparse.Namespace, environ: Mapping[str, str]) -> str:
    if not arguments.azure:
        return str(arguments.base_url or _GATEWAY)
    if arguments.base_url:
        raise ConfigurationError(
            "--azure and --base-url exclude each other.", hint="Leave one of them out."
        )
    # Imported on use: it brings the rules of every endpoint.
    from azure_responses.protocol.settings import resolve_settings

    # Only the address is wanted: whichever credential Codex has, it comes from its variable.
    url = resolve_settings(environ, api_key="unused").endpoint.url("responses")
    address, _, query = url.partition("?")
    if query:
        raise ConfigurationError(
            f"AZURE_OPENAI_ENDPOINT and the version lead to {url}, which Codex cannot call.",
            hint="Unset OPENAI_API_VERSION, so that the v1 API is called.",
        )
    return address.removesuffix("/responses")


def _home() -> Path:
    return Path(os.environ.get("CODEX_HOME") or Path.home() / ".codex")


def _merge(
    document: Any, settings: Mapping[str, Any], provider: Mapping[str, Any]
) -> dict[str, Any]:
    """Put the settings into the document; what other values stood there."""
    replaced = {
        name: str(document[name])
        for name, value in settings.items()
        if name in document and document[name] != value
    }
    for name, value in settings.items():
        document[name] = value
    document.setdefault("model_providers", {})[_PROVIDER] = dict(provider)
    return replaced
