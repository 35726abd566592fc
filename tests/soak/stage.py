"""The emulated Azure and the gateway of a soak: their files, and their processes."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from tests.soak.served import Served

__all__ = ["FAULTS", "MASTER_KEY", "MODEL", "RESOURCES", "Stage", "gateway_settings", "staged"]

MODEL = "gpt-5-mini"
MASTER_KEY = "sk-master-0Zq7vYw2Lr8Nf4Tb"
RESOURCES = {"east": "east-key", "west": "west-key"}
_SECRET = "affinity-5d0f3b7c9a1e4826"

FAULTS: list[dict[str, Any]] = [
    {"kind": "http-429", "probability": 0.01, "retry_after": 0.2},
    {"kind": "http-500", "probability": 0.0075},
    {"kind": "http-503", "probability": 0.0025},
    {"kind": "reset-before-headers", "probability": 0.0075},
    {"kind": "reset-after-headers", "probability": 0.0025},
    {"kind": "reset-mid-body", "streamed": True, "probability": 0.01, "after_events": 8},
    {"kind": "incomplete-body", "streamed": True, "probability": 0.005, "after_events": 12},
    {"kind": "stream-429-A", "streamed": True, "probability": 0.005},
    {"kind": "stream-500", "streamed": True, "probability": 0.005},
    {"kind": "slow-body", "probability": 0.005, "seconds": 0.02},
]
"""One request in twenty meets one of these, a few of them two."""


def gateway_settings(azure: str, **general: Any) -> dict[str, Any]:
    """A configuration with one group of two deployments on two resources.

    Args:
        azure: URL of the emulator.
        general: further keys of general_settings.
    """
    rows = [
        {
            "model_name": MODEL,
            "litellm_params": {
                "model": f"azure/{MODEL}",
                "api_base": f"{azure}/resources/{name}",
                "api_key": key,
            },
            "model_info": {"id": name, "base_model": MODEL},
        }
        for name, key in RESOURCES.items()
    ]
    return {
        "model_list": rows,
        "router_settings": {"num_retries": 3, "cooldown_time": 1},
        "general_settings": {
            "master_key": MASTER_KEY,
            "affinity_secret": _SECRET,
            "database_url": "sqlite:///gateway.db",
            "spend_log": "spend.jsonl",
            **general,
        },
    }


class Stage:
    """A folder with both configurations, and the processes made from them.

    Args:
        folder: empty.
        faults: of the emulator.
        latency: of the emulator.
        chunking: how its two resources send text: a token at a time, or what their content
            filter has let through.
    """

    def __init__(
        self,
        folder: Path,
        *,
        faults: list[dict[str, Any]] | None = None,
        latency: dict[str, float] | None = None,
        chunking: tuple[str, str] = ("async", "default"),
    ) -> None:
        self.folder = folder
        resources = [
            {"name": name, "keys": [key], "deployments": [{"name": MODEL, "chunking": mode}]}
            for (name, key), mode in zip(RESOURCES.items(), chunking, strict=True)
        ]
        settings = {"seed": 7, "resources": resources, "faults": faults or []}
        if latency:
            settings["latency"] = latency
        (folder / "emulator.yaml").write_text(yaml.safe_dump(settings))

    def azure(self) -> Served:
        """The emulator; not started yet."""
        words = ("emulate", "--config", "emulator.yaml", "--port", "0")
        return Served(*words, folder=self.folder, name="azure")

    def gateway(self, settings: dict[str, Any], *words: str, name: str = "gateway") -> Served:
        """A gateway; not started yet."""
        file = f"{name}.yaml"
        (self.folder / file).write_text(yaml.safe_dump(settings))
        words = ("serve", "--config", file, "--port", "0", *words)
        return Served(*words, folder=self.folder, name=name)

    def make_keys(self, count: int, *terms: str, name: str = "gateway") -> list[str]:
        """Keys made by the command line, as an operator makes them."""
        return [
            self.run("keys", "create", "--config", f"{name}.yaml", "--name", f"k{number}", *terms)
            for number in range(count)
        ]

    def run(self, *words: str) -> str:
        """What a command of this package prints."""
        command = [sys.executable, "-m", "azure_responses", *words]
        done = subprocess.run(
            command, cwd=self.folder, capture_output=True, text=True, timeout=60, check=True
        )
        return done.stdout.strip()

    def spend_lines(self) -> list[dict[str, Any]]:
        """The spend log."""
        path = self.folder / "spend.jsonl"
        lines = path.read_text().splitlines() if path.exists() else []
        return [json.loads(line) for line in lines]


@contextmanager
def staged(stage: Stage, **general: Any) -> Iterator[tuple[Served, Served]]:
    """The emulator and a gateway in front of it, running."""
    with (
        stage.azure() as azure,
        stage.gateway(gateway_settings(azure.url, **general)) as gateway,
    ):
        yield azure, gateway
