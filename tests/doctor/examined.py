"""Runs an examination against an emulator in this process."""

from typing import Any

import httpx

from azure_responses.doctor import Diagnosis, diagnose
from azure_responses.emulator import Emulator

__all__ = ["examine", "failed_steps"]


def examine(emulator: Emulator, endpoint: str | None = None, **arguments: Any) -> Diagnosis:
    """A diagnosis of what the arguments say, with the emulator's key and a deployment if silent."""
    given: dict[str, Any] = {"deployment": "gpt-4.1", **arguments}
    if not any(name in given for name in ("api_key", "credential", "azure_ad_token")):
        given["api_key"] = emulator.api_key
    with httpx.Client(transport=emulator.httpx_transport()) as http_client:
        return diagnose(endpoint or emulator.endpoint, http_client=http_client, **given)


def failed_steps(diagnosis: Diagnosis) -> list[str]:
    """The names of the steps that failed."""
    return [finding.name for finding in diagnosis.failures]
