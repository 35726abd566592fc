"""The calls of an examination."""

import json
from typing import Any

import httpx

from azure_responses._sync.credentials import Credentials
from azure_responses.call_options import Configuration, configure
from azure_responses.doctor.probes import ServiceProbe
from azure_responses.emulator import Emulator, Fault, Latency, Resource
from azure_responses.errors import RateLimitError


def _service(emulator: Emulator, **arguments: Any) -> ServiceProbe:
    given = {"api_key": emulator.api_key, "deployment": "gpt-4.1", "max_retries": 0, **arguments}
    configuration: Configuration = configure(emulator.endpoint, given)
    http_client = httpx.Client(transport=emulator.httpx_transport())
    return ServiceProbe(configuration, Credentials(configuration.settings), http_client)


def test_a_call_is_short_streamed_and_not_stored() -> None:
    emulator = Emulator()
    answer = _service(emulator).ask({})
    (request,) = emulator.requests
    body = json.loads(request.body)
    assert body["stream"] is True
    assert body["store"] is False
    assert body["max_output_tokens"] == 16
    assert answer.response is not None
    assert answer.response.output_text
    assert answer.first_token is not None
    assert answer.first_token <= answer.seconds


def test_the_first_token_is_timed() -> None:
    slow = Emulator([Resource("emulator")], latency=Latency(first_token=0.1, tokens_per_second=20))
    answer = _service(slow).ask({})
    assert answer.first_token is not None
    assert 0.1 <= answer.first_token < answer.seconds


def test_parameters_are_laid_over_the_question() -> None:
    emulator = Emulator()
    answer = _service(emulator).ask({"input": "Reply with exactly: pong", "model": "gpt-4o"})
    assert answer.response is not None
    assert answer.response.output_text == "pong"
    assert answer.response.model == "gpt-4o"


def test_a_failure_is_an_answer_and_not_retried() -> None:
    emulator = Emulator()
    emulator.faults.add(Fault("http-429"))
    answer = _service(emulator).ask({})
    assert isinstance(answer.error, RateLimitError)
    assert len(list(emulator.requests)) == 1


def test_the_models_list_answers_too() -> None:
    emulator = Emulator()
    assert _service(emulator).list_models().error is None
    assert _service(emulator, api_key="0123456789").list_models().error is not None
