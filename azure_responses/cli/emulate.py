"""`azure-responses emulate`: an Azure on a port of this machine."""

import argparse

from azure_responses.errors import ConfigurationError

__all__ = ["add_command"]


def add_command(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Register the command."""
    parser = commands.add_parser(
        "emulate",
        help="serve an emulated Azure on this machine",
        description="Serve the emulator until interrupted, and print the environment to use it.",
    )
    parser.add_argument("--port", type=int, default=8080, help="0 takes any free port")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--config", metavar="FILE", help="resources, limits and faults, as YAML")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Serve; returns when interrupted."""
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
    is_about_file = isinstance(error, OSError) and error.filename == arguments.config
    if isinstance(error, ValueError) or (is_about_file and arguments.config):
        return None
    return "Choose another --port, or --port 0 for any."
