"""What both clients log, what calls cost, and that nobody listening costs nothing."""

import json
import logging
import subprocess
import sys
from decimal import Decimal
from typing import Any

import pytest

from azure_responses import (
    ResponseNotFoundError,
)
from azure_responses.cli import main
from azure_responses.emulator import EmulatedDeployment, Emulator, Fault, Resource
from azure_responses.telemetry import JSONFormatter
from tests.clients.both import run
from tests.clients.listeners import SECRET, read_all
from tests.tree import PACKAGE


def test_each_call_is_one_line_of_log(
    runner: str, emulator: Emulator, log: list[logging.LogRecord]
) -> None:
    async def scenario(client: Any) -> None:
        await client.responses.create(input="hi", user="alice")
        await read_all(await client.responses.create(input="hi", stream=True))
        with pytest.raises(ResponseNotFoundError):
            await client.responses.retrieve("resp_missing")

    run(runner, emulator, scenario)
    assert [entry.levelname for entry in log] == ["INFO"] * 3
    assert log[0].getMessage().startswith("create gpt-4.1: completed in 0.")
    assert log[2].getMessage().startswith("retrieve resp_missing: 404 in 0.")
    kinds = [entry.__dict__["azure_responses"]["record"] for entry in log]
    assert kinds == ["azure_responses.call"] * 2 + ["azure_responses.operation"]


def test_the_cost_command_reads_the_log(
    runner: str,
    emulator: Emulator,
    log: list[logging.LogRecord],
    tmp_path: Any,
    capsys: pytest.CaptureFixture[str],
) -> None:
    costs: list[Decimal] = []

    async def scenario(client: Any) -> None:
        for user in ("alice", "alice", "bob"):
            response = await client.responses.create(input="hi", user=user)
            costs.append(response.cost)
        await client.models.list()
        await client.responses.delete(response.id)

    run(runner, emulator, scenario)
    formatter = JSONFormatter()
    path = tmp_path / "calls.log"
    path.write_text("".join(f"{formatter.format(entry)}\n" for entry in log), encoding="utf-8")
    assert main(["cost", "--from-log", "--by", "end_user", "--json", str(path)]) == 0
    rows = {row["end_user"]: row for row in json.loads(capsys.readouterr().out)["rows"]}
    assert {name: row["calls"] for name, row in rows.items()} == {"alice": 2, "bob": 1}
    assert Decimal(rows["bob"]["cost"]) == costs[2]
    assert Decimal(rows["alice"]["cost"]) == costs[0] + costs[1]


def test_debug_shows_requests_without_secrets_and_content(
    runner: str, emulator: Emulator, log: list[logging.LogRecord], naps: list[float]
) -> None:
    logging.getLogger("azure_responses").setLevel(logging.DEBUG)
    emulator.faults.add(Fault("http-500", times=1))

    async def scenario(client: Any) -> None:
        await client.responses.create(
            input=SECRET,
            temperature=0.5,
            extra_headers={"x-gateway-key": "hidden-1"},
            extra_query={"subscription-key": "hidden-2"},
            metadata={"name": "hidden-3"},
        )

    run(runner, emulator, scenario)
    assert [entry.levelname for entry in log] == ["DEBUG", "DEBUG", "INFO"]
    formatter = JSONFormatter()
    lines = "\n".join(formatter.format(entry) for entry in log)
    for secret in (SECRET, "hidden", emulator.api_key):
        assert secret not in lines
    request = json.loads(formatter.format(log[0]))
    assert request["parameters"]["temperature"] == 0.5
    assert request["parameters"]["input"] == f"<{len(SECRET)} characters>"
    assert json.loads(formatter.format(log[1]))["record"] == "azure_responses.retry"


def test_results_know_their_cost(runner: str, emulator: Emulator) -> None:
    async def scenario(client: Any) -> None:
        response = await client.responses.create(input="hi")
        assert response.cost > 0
        async with client.responses.stream(input="hi") as stream:
            final = await stream.get_final_response()
        assert final.cost == response.cost
        assert stream.final_response.cost == response.cost
        messages = [{"role": "user", "content": "hi"}]
        completion = await client.chat.completions.create(messages=messages)
        assert completion.cost == response.cost
        chunks = await client.chat.completions.create(messages=messages, stream=True)
        assert (await chunks.get_final_completion()).cost == response.cost
        assert (await client.responses.delete(response.id)).cost is None

    run(runner, emulator, scenario)


@pytest.mark.parametrize("base_model", ["gpt-4.1", {"my-deployment": "gpt-4.1", "other": "gpt-5"}])
def test_base_model_prices_deployments_of_any_name(runner: str, base_model: Any) -> None:
    emulator = Emulator(
        [Resource("r", deployments=[EmulatedDeployment("my-deployment", model="gpt-4.1")])]
    )

    async def scenario(client: Any) -> None:
        response = await client.responses.create(input="hi")
        assert response.cost > 0

    run(runner, emulator, scenario, deployment="my-deployment", base_model=base_model)


def _run_python(program: str) -> str:
    command = [sys.executable, "-c", program]
    printed = subprocess.run(command, cwd=PACKAGE.parent, capture_output=True, text=True)
    assert printed.returncode == 0, printed.stderr
    return printed.stdout


_CALL = """
import sys, httpx
from azure_responses import AzureResponses
from azure_responses.emulator import Emulator
emulator = Emulator()
http_client = httpx.Client(transport=emulator.httpx_transport())
client = AzureResponses(emulator.endpoint, api_key=emulator.api_key, http_client=http_client)
client.responses.create(model="gpt-4.1", input="hi")
for _ in client.responses.create(model="gpt-4.1", input="hi", stream=True):
    pass
"""


def test_a_program_without_opentelemetry_never_loads_it_nor_the_prices() -> None:
    check = (
        "print([n for n in sys.modules if n.split('.')[0] == 'opentelemetry' or 'pricing' in n])"
    )
    assert _run_python(_CALL + check) == "[]\n"


def test_a_program_that_sets_opentelemetry_up_needs_no_more_than_that() -> None:
    program = """
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
exporter = InMemorySpanExporter()
provider = TracerProvider()
provider.add_span_processor(SimpleSpanProcessor(exporter))
trace.set_tracer_provider(provider)
"""
    show = "print([span.name for span in exporter.get_finished_spans()])"
    assert _run_python(program + _CALL + show) == "['chat gpt-4.1', 'chat gpt-4.1']\n"


def test_without_an_sdk_nothing_is_watched() -> None:
    program = "import opentelemetry.trace\n" + _CALL
    show = """
from azure_responses.protocol.options import Options
call = client._operations.models(Options())
print(client._executor.telemetry.watch(call))
"""
    assert _run_python(program + show) == "None\n"
