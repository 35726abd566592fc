"""What `parse` reads of an answer, and what a failure to read it leaves in the caller's hands."""

import json
from decimal import Decimal
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from azure_responses.types import ParsedResponse
from tests.canned import Canned, message, response
from tests.clients import both
from tests.router import both as routers

CALL = {"type": "function_call", "call_id": "c", "name": "f", "arguments": '{"a": 9}'}
REASONING = {"type": "reasoning", "id": "rs", "summary": []}
LOOK = "Let me look first."


class Answer(BaseModel):
    """What is asked for."""

    a: int


def _cited(text: str) -> dict[str, Any]:
    citation = {"type": "url_citation", "url": "u", "title": "t", "start_index": 0, "end_index": 1}
    halves = [text[:3], text[3:]]
    parts = [{"type": "output_text", "text": half, "annotations": [citation]} for half in halves]
    return {**message("", "final_answer"), "content": parts}


def _refused(phase: str | None = None) -> dict[str, Any]:
    return {**message("", phase), "content": [{"type": "refusal", "refusal": "No."}]}


@pytest.mark.parametrize(
    ("output", "parsed"),
    [
        ([message(LOOK, "commentary"), message('{"a":1}', "final_answer")], 1),
        ([message('{"a":1}', "final_answer"), message("Done.", "commentary")], 1),
        ([REASONING, message(LOOK, "commentary"), message('{"a":1}')], 1),
        ([message(LOOK), message('{"a":1}')], 1),
        ([message('{"a":1}'), message("")], 1),
        ([message(LOOK), message('{"a":1}', "tomorrows_phase")], 1),
        ([message(LOOK, "commentary"), _cited('{"a":1}')], 1),
        ([message('{"a":1}', "commentary")], 1),
        ([CALL, message('{"a":1}')], 1),
        ([message(LOOK, "commentary"), CALL], None),
        ([message('{"a":1}'), CALL], None),
        ([message(LOOK, "commentary"), _refused("final_answer")], None),
        ([message(LOOK), _refused()], None),
        ([], None),
    ],
)
@pytest.mark.parametrize("runner", both.RUNNERS)
def test_the_final_answer_is_what_is_parsed(runner: str, output: Any, parsed: int | None) -> None:
    async def scenario(client: Any) -> None:
        answer = await client.responses.parse(input="x", text_format=Answer)
        assert isinstance(answer, ParsedResponse)
        assert answer.output_parsed == (None if parsed is None else Answer(a=parsed))
        async with client.responses.stream(input="x", text_format=Answer) as stream:
            final = await stream.get_final_response()
        assert final.output_parsed == answer.output_parsed
        assert final.output_text == answer.output_text

    both.run(runner, Canned(response(*output)), scenario)  # type: ignore[arg-type]


@pytest.mark.parametrize("text", ['{"a":"many"}', '{"a":1', "not JSON", "[]"])
@pytest.mark.parametrize("runner", both.RUNNERS)
def test_an_answer_of_another_type_is_an_error_that_carries_it(runner: str, text: str) -> None:
    def check(error: ValidationError) -> None:
        answer = error.response  # type: ignore[attr-defined]
        assert isinstance(answer, ParsedResponse)
        assert answer.output_text == text
        assert answer.output_parsed is None
        assert answer.usage is not None
        assert answer.usage.total_tokens == 14
        assert answer.request_id == "apim-1"
        assert answer.cost is not None
        assert answer.cost > Decimal(0)

    async def scenario(client: Any) -> None:
        asked = {"model": "gpt-5-mini", "input": "x", "text_format": Answer}
        with pytest.raises(ValidationError) as caught:
            await client.responses.parse(**asked)
        check(caught.value)
        raw = await client.responses.with_raw_response.parse(**asked)
        assert (raw.status_code, json.loads(raw.content)["id"]) == (200, "resp_1")
        with pytest.raises(ValidationError) as caught:
            raw.parse()
        check(caught.value)
        async with client.responses.stream(**asked) as stream:
            with pytest.raises(ValidationError) as caught:
                await stream.get_final_response()
        check(caught.value)

    both.run(runner, Canned(response(message(text))), scenario)  # type: ignore[arg-type]


@pytest.mark.parametrize("runner", routers.RUNNERS)
def test_behind_a_router_the_error_carries_the_answer_and_its_route(runner: str) -> None:
    service = Canned(response(message("not JSON")))
    row = {"model": "azure/gpt-5-mini", "api_base": service.endpoint, "api_key": service.api_key}
    row = {"model_name": "gpt", "litellm_params": row, "model_info": {"id": "east"}}  # type: ignore[dict-item]

    async def scenario(router: Any) -> None:
        with pytest.raises(ValidationError) as caught:
            await router.parse(model="gpt", input="x", text_format=Answer)
        async with router.stream(model="gpt", input="x", text_format=Answer) as stream:
            with pytest.raises(ValidationError) as streamed:
                await stream.get_final_response()
        for error in (caught.value, streamed.value):
            answer = error.response  # type: ignore[attr-defined]
            assert answer.output_text == "not JSON"
            assert answer.route.deployment == "east"
            assert answer.id != "resp_1"
        assert len(service.sent) == 2

    routers.run(runner, service, scenario, [row], transport=service.httpx_transport())  # type: ignore[arg-type]
