"""LiteLLM's chat bridge over recorded responses, in an interpreter that has LiteLLM.

Run by `bridge_conversion`: reads one JSON object a line, `{"kind": "body" | "stream", "value": …}`,
and writes one a line: the dicts LiteLLM made, or the error it raised, and the seconds it took. It
imports nothing of this project.
"""

import json
import logging
import os
import sys
import time
import warnings
from importlib import import_module
from importlib.metadata import version
from typing import Any

os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"

__all__ = ["main"]

_TRANSFORMATION = "litellm.completion_extras.litellm_responses_transformation.transformation"


def _convert_body(value: dict[str, Any]) -> list[dict[str, Any]]:
    # By name, since nothing of LiteLLM is there to check this against.
    response = import_module("litellm.types.llms.openai").ResponsesAPIResponse(**value)
    empty = import_module("litellm.types.utils").ModelResponse()
    handler = import_module(_TRANSFORMATION).LiteLLMResponsesTransformationHandler()
    completion = handler.transform_response(
        model="gpt-5",
        raw_response=response,
        model_response=empty,
        logging_obj=None,
        request_data={},
        messages=[],
        optional_params={},
        litellm_params={},
        encoding=None,
    )
    return [completion.model_dump()]


def _convert_stream(value: list[dict[str, Any]]) -> list[dict[str, Any]]:
    kind = import_module(_TRANSFORMATION).OpenAiResponsesToChatCompletionStreamIterator
    iterator = kind(iter(()), sync_stream=True)
    return [iterator.chunk_parser(event).model_dump() for event in value]


def _convert(kind: str, value: Any) -> list[dict[str, Any]]:
    return _convert_body(value) if kind == "body" else _convert_stream(value)


def _answer(row: dict[str, Any]) -> dict[str, Any]:
    before = time.perf_counter()
    try:
        made = _convert(row["kind"], row["value"])
    except Exception as error:
        return {"error": f"{type(error).__name__}: {str(error)[:120]}"}
    return {"made": made, "seconds": time.perf_counter() - before}


def main() -> None:
    """Answer every line of standard input."""
    import_module("litellm")
    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore")
    print(json.dumps({"version": version("litellm")}), flush=True)
    for line in sys.stdin:
        print(json.dumps(_answer(json.loads(line)), default=str), flush=True)


if __name__ == "__main__":
    main()
