"""Prices replies with LiteLLM, in an interpreter that has it, by the figures ours are built from.

python litellm_peer.py FIGURES < replies, one JSON object a line > costs, likewise
"""

import importlib
import json
import os
import sys
from typing import Any


def main() -> None:
    """Read all, write all."""
    os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
    litellm = importlib.import_module("litellm")
    with open(sys.argv[1], encoding="utf-8") as file:
        rows = json.load(file)["rows"]
    litellm.register_model(
        {name: row | {"litellm_provider": name.split("/")[0]} for name, row in rows.items()}
    )
    for line in sys.stdin:
        print(json.dumps({"cost": _price(litellm, json.loads(line))}))


def _price(litellm: Any, body: dict[str, Any]) -> float | None:
    types = importlib.import_module("litellm.types.llms.openai")
    is_response = body["object"] == "response"
    reply = types.ResponsesAPIResponse(**body) if is_response else litellm.ModelResponse(**body)
    try:
        cost: float = litellm.completion_cost(
            completion_response=reply,
            model=f"azure/{body['model']}",
            custom_llm_provider="azure",
            call_type="responses" if is_response else "completion",
        )
    except Exception:
        # LiteLLM's way of saying that it does not know the model.
        return None
    return cost


if __name__ == "__main__":
    main()
