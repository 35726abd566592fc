"""`drop_params=True` for a program that moves from the openai package: a warning per parameter."""

import warnings
from typing import Any

import pytest

from azure_responses import AsyncAzureResponses, ConfigurationError
from azure_responses.emulator import Emulator
from tests.clients.both import run

_MESSAGES: Any = [{"role": "user", "content": "Say hello"}]
# What chat completions has and the Responses API has not.
_UNSUPPORTED: dict[str, Any] = {
    "seed": 1,
    "stop": ["END"],
    "n": 2,
    "frequency_penalty": 0.5,
    "presence_penalty": 0.5,
    "logit_bias": {"50256": -100},
    "prediction": {"type": "content", "content": "x"},
    "modalities": ["text", "audio"],
    "audio": {"voice": "alloy", "format": "mp3"},
}


def _named(caught: list[warnings.WarningMessage]) -> list[str]:
    return sorted(str(one.message).partition(" ")[0].strip("'") for one in caught)


def test_each_unsupported_parameter_warns_once(runner: str, emulator: Emulator) -> None:
    async def scenario(client: AsyncAzureResponses) -> None:
        for name, value in _UNSUPPORTED.items():
            given: Any = {name: value}
            with pytest.raises(ConfigurationError, match=name):
                await client.chat.completions.create(model="gpt-4o", messages=_MESSAGES, **given)
        moving = client.copy(drop_params=True)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            for other in (moving, moving, moving.copy(max_retries=1)):
                completion = await other.chat.completions.create(
                    model="gpt-4o", messages=_MESSAGES, **_UNSUPPORTED
                )
                assert completion.choices[0].message.content
        assert _named(caught) == sorted(_UNSUPPORTED)

    run(runner, emulator, scenario)
