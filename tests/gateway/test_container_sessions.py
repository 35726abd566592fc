"""A container that a key makes costs a session, and code that runs in it pays no other."""

from decimal import Decimal
from pathlib import Path
from typing import Any

from azure_responses.gateway.spend import to_pico
from tests.gateway.gateways import serve
from tests.gateway.test_background_prices import (
    ALICE,
    CREATE,
    configured,
    log_lines,
    make_emulator,
    totals,
    until,
)

SESSION = to_pico(Decimal("0.033"))
PYTHON = {"type": "code_interpreter"}


def models(url: str) -> dict[str, Any]:
    entry = {
        "model_name": "chat",
        "litellm_params": {
            "model": "azure/gpt-5-mini",
            "api_base": f"{url}/resources/east",
            "api_key": "key-of-east",
        },
    }
    return {"model_list": [entry]}


def test_a_container_is_paid_for_once_and_then_used(tmp_path: Path) -> None:
    with (
        make_emulator(model="gpt-5-mini").serve() as server,
        serve(configured(server.url, tmp_path) | models(server.url)) as running,
        running.client(ALICE) as client,
    ):
        made = client.post("/v1/containers", json={"name": "mine"})
        assert made.status_code == 200, made.text
        assert Decimal(made.headers["x-litellm-response-cost"]) == Decimal("0.033")
        until(lambda: totals(tmp_path).cost)
        assert totals(tmp_path).cost == SESSION
        assert (totals(tmp_path).calls, totals(tmp_path).unpriced) == (1, 0)
        name = made.json()["id"]
        assert client.get(f"/v1/containers/{name}").status_code == 200
        asked = {
            "model": "chat",
            "input": "Use python to compute 2+2",
            "tools": [{**PYTHON, "container": name}],
            "tool_choice": PYTHON,
        }
        reply = client.post(CREATE, json=asked).json()
        assert "code_interpreter_call" in [item["type"] for item in reply["output"]], reply
        streamed = client.post(CREATE, json={**asked, "stream": True}).text
        assert "code_interpreter_call" in streamed
        until(lambda: totals(tmp_path).calls == 3)
        assert SESSION < totals(tmp_path).cost < 2 * SESSION
    assert len([line for line in log_lines(tmp_path) if line["cost"] == "0.033"]) == 1
