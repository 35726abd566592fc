"""`azure-responses serve`, the gateway, and `azure-responses emulate`, an Azure on a port."""

import argparse
import asyncio
import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from azure_responses.cli.terminal import note
from azure_responses.errors import ConfigurationError

__all__ = ["add_emulate_command", "add_serve_command"]

if TYPE_CHECKING:
    from azure_responses.gateway.schema import GatewaySettings
    from azure_responses.gateway.yaml_reader import ConfigProblem


def add_serve_command(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Register the command."""
    parser = commands.add_parser(
        "serve",
        help="serve an OpenAI-compatible gateway in front of Azure",
        description="Serve the gateway until a signal stops it. Without --config it serves the one "
        "resource that the environment names.",
    )
    parser.add_argument("--config", metavar="FILE", help="config.yaml, as LiteLLM's proxy reads it")
    parser.add_argument("--host", default="127.0.0.1", help="the address to listen on")
    parser.add_argument("--port", type=int, default=4000, help="0 takes any free port")
    parser.add_argument("--workers", type=int, default=1, metavar="N", help="processes")
    parser.add_argument("--check", action="store_true", help="check the configuration and exit")
    parser.add_argument(
        "--live",
        action="store_true",
        help="with --check: call each deployment once, for 16 output tokens at most, and say what "
        "is wrong",
    )
    parser.add_argument(
        "--emulator", action="store_true", help="serve the embedded emulator instead of Azure"
    )
    parser.set_defaults(run=serve_gateway)


def serve_gateway(arguments: argparse.Namespace) -> int:
    """Serve until a signal stops it."""
    try:
        if arguments.live and not arguments.check:
            raise ConfigurationError("--live needs --check.", hint="serve --check --live")
        if arguments.check:
            return _check(arguments.config, is_live=arguments.live)
        return _serve(arguments)
    except ModuleNotFoundError as error:
        raise ConfigurationError(
            f"The gateway needs {error.name}.", hint="pip install 'azure-responses[gateway]'"
        ) from error


def _check(config: str | None, *, is_live: bool) -> int:
    from azure_responses.gateway.app import create_app
    from azure_responses.gateway.config_file import read_config, read_environment

    if config is None:
        settings = read_environment(os.environ)
        create_app(settings)
        failed = _call_deployments(settings) if is_live else 0
        print(f"the environment: {'not ' if failed else ''}ready to serve")
        return 2 if failed else 0
    try:
        text = Path(config).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{config} cannot be read: {error}") from error
    loaded = read_config(text, os.environ)
    problems = list(loaded.problems)
    if loaded.settings is not None:
        problems += _try_out(loaded.settings)
    for problem in problems:
        print(problem)
    count = sum(problem.severity == "error" for problem in problems)
    failed = 0
    if is_live and loaded.settings is not None and not count:
        failed = _call_deployments(loaded.settings)
    print(f"{config}: {_number(count, 'error')}")
    return 2 if count or failed else 0


def _number(count: int, name: str) -> str:
    return f"{count or 'no'} {name}{'' if count == 1 else 's'}"


def _call_deployments(settings: "GatewaySettings") -> int:
    """Call each deployment once, print each result as it comes, and count the failures."""
    from azure_responses.gateway.app import create_app
    from azure_responses.gateway.deployment_checks import DeploymentCheck

    def show(result: DeploymentCheck) -> None:
        one = result.deployment
        name = f"{one.group} ({one.model} at {one.host}, id {one.id})"
        detail = f": {result.detail}" if result.detail else ""
        hint = f" ({result.hint})" if result.hint else ""
        print(f"{result.state}: {name} in {result.seconds:.2f} s{detail}{hint}", flush=True)

    async def check() -> list[DeploymentCheck]:
        gateway = create_app(settings).gateway
        try:
            return await gateway.checks.run(on_result=show)
        finally:
            await gateway.close()

    results = asyncio.run(check())
    failed = sum(result.state == "unhealthy" for result in results)
    print(f"{_number(len(results), 'deployment')}, {_number(failed, 'failure')}")
    return failed


def _try_out(settings: "GatewaySettings") -> "Iterator[ConfigProblem]":
    """Errors that show only when the whole application is built; no connection is opened."""
    from azure_responses.gateway.app import create_app
    from azure_responses.gateway.yaml_reader import ConfigProblem

    try:
        create_app(settings)
    except ConfigurationError as error:
        yield ConfigProblem("error", error.message, hint=error.hint)
    log = settings.spend_log
    if log is not None and not log.parent.is_dir():
        # A warning only, because the check may run on another machine than the gateway.
        message = f"There is no folder {log.parent} on this machine."
        yield ConfigProblem("warning", message, "general_settings.spend_log", hint="Create it.")


def _serve(arguments: argparse.Namespace) -> int:
    from azure_responses.gateway.key_strength import check_exposure
    from azure_responses.gateway.uvicorn_server import ServeOptions, listen, serve

    if arguments.workers < 1:
        raise ConfigurationError("--workers must be a whole number from 1.")
    with _upstream(arguments) as (config, environment):
        # For this process too: it reads the configuration before the workers do.
        os.environ.update(environment)
        settings = _read(config)
        check_exposure(settings, arguments.host, has_stored_keys=_has_stored_keys(settings))
        try:
            listener = listen(arguments.host, arguments.port)
        except (OSError, OverflowError) as error:
            raise ConfigurationError(
                f"{arguments.host}:{arguments.port} cannot be listened on: {error}",
                hint="Choose another --port, or --port 0 for any.",
            ) from error
        running = _running(arguments.host, listener.getsockname()[1])
        with listener:
            return serve(ServeOptions(config, environment, arguments.workers, running), listener)


def _read(config: str | None) -> "GatewaySettings":
    from azure_responses.gateway.config_file import load_config

    settings, problems = load_config(None if config is None else Path(config), os.environ)
    for problem in problems:
        note(str(problem))
    return settings


def _has_stored_keys(settings: "GatewaySettings") -> bool:
    if settings.database_url is None:
        return False
    from azure_responses.gateway.database import open_database

    database = open_database(settings.database_url)
    try:
        return bool(database.read_keys())
    finally:
        database.close()


def _running(host: str, port: int) -> str:
    # An IPv6 address in a URL needs brackets.
    shown = f"[{host}]" if ":" in host else host
    return f"RUNNING on http://{shown}:{port}"


@contextmanager
def _upstream(arguments: argparse.Namespace) -> Iterator[tuple[str | None, dict[str, str]]]:
    """The configuration to serve, and variables for the environment of the processes."""
    if not arguments.emulator:
        yield arguments.config, {}
        return
    if arguments.config:
        raise ConfigurationError(
            "--emulator and --config exclude each other.", hint="Leave one of them out."
        )
    from azure_responses.emulator import Emulator

    emulator = Emulator()
    with emulator.serve() as server, TemporaryDirectory() as folder:
        print("no Azure: answers come from the embedded emulator", file=sys.stderr)
        config = Path(folder) / "config.yaml"
        config.write_text(json.dumps(_describe_emulator()), encoding="utf-8")
        yield (
            str(config),
            {
                "AZURE_OPENAI_ENDPOINT": server.url,
                "AZURE_OPENAI_API_KEY": emulator.resources[0].keys[0],
            },
        )


def _describe_emulator() -> dict[str, Any]:
    """A configuration that lists the emulator's models and accepts any other name."""
    from azure_responses.emulator.model_catalog import MODELS

    place = {
        "api_base": "os.environ/AZURE_OPENAI_ENDPOINT",
        "api_key": "os.environ/AZURE_OPENAI_API_KEY",
    }
    rows = [
        {"model_name": name, "litellm_params": {"model": f"azure/{name}", **place}}
        for name in MODELS
    ]
    # Any other name goes to the emulator as it is.
    rows.append({"model_name": "*", "litellm_params": {"model": "*", **place}})
    # Without a key the gateway may listen on this machine only (`check_exposure`).
    has_key = bool(os.environ.get("AZURE_RESPONSES_MASTER_KEY", "").strip())
    key = {"master_key": "os.environ/AZURE_RESPONSES_MASTER_KEY"} if has_key else {}
    return {"model_list": rows, "general_settings": key}


def add_emulate_command(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Register the command."""
    parser = commands.add_parser(
        "emulate",
        help="serve an emulated Azure on this machine",
        description="Serve the emulator until interrupted, and print the environment to use it.",
    )
    parser.add_argument("--port", type=int, default=8080, help="0 takes any free port")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--config", metavar="FILE", help="resources, limits and faults, as YAML")
    parser.set_defaults(run=serve_emulator)


def serve_emulator(arguments: argparse.Namespace) -> int:
    """Serve until interrupted."""
    try:
        from azure_responses.emulator import server

        server.run(arguments.port, arguments.config, host=arguments.host)
    except ModuleNotFoundError as error:
        raise ConfigurationError(
            f"Serving the emulator needs {error.name}.",
            hint="pip install 'azure-responses[cli]'",
        ) from error
    except (OSError, ValueError, OverflowError) as error:
        raise ConfigurationError(
            f"The emulator cannot start: {error}", hint=_hint(error, arguments)
        ) from error
    return 0


def _hint(error: Exception, arguments: argparse.Namespace) -> str | None:
    # Any other error is about the port, which may be taken.
    is_about_file = isinstance(error, OSError) and error.filename == arguments.config
    if isinstance(error, ValueError) or (is_about_file and arguments.config):
        return None
    return "Choose another --port, or --port 0 for any."
