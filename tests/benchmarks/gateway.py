"""The gateway under load, against a bare pass-through in the same run.

`calls` a second at 1, 50 and 200 callers, whole streams, and memory. Each server is one process;
the load comes from another, and the machine's other cores are shared by both and by the stub.
LiteLLM's proxy takes part where AZURE_RESPONSES_LITELLM names an interpreter that has it.
"""

import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from statistics import median

from tests.benchmarks.bodies import EVENT_COUNT
from tests.benchmarks.load import run_load
from tests.benchmarks.measured_server import MeasuredServer, start_server

__all__ = ["describe_gateway"]

_KEY = "sk-benchmark-0123456789abcdef"
_ROUNDS = 3
_LEAST_RATIO = 0.45
_MOST_MEGABYTES = 100

_CONFIG = """
model_list:
  - model_name: gpt-5-mini
    litellm_params: {{model: azure/gpt-5-mini, api_base: "{stub}/small", api_key: k}}
    model_info: {{id: east}}
  - model_name: gpt-5-mini
    litellm_params: {{model: azure/gpt-5-mini, api_base: "{stub}/small/west", api_key: k}}
    model_info: {{id: west}}
  - model_name: stream
    litellm_params: {{model: azure/gpt-5-mini, api_base: "{stub}/stream", api_key: k}}
    model_info: {{id: stream}}
general_settings:
  master_key: {key}
"""
_AFFINITY = "  affinity_secret: benchmark-benchmark-benchmark\n"


def describe_gateway(stub: str) -> Iterator[str]:
    """The figures, and whether each target is met."""
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        servers = [
            stack.enter_context(start_server(name, command, environment))
            for name, command, environment in _commands(Path(folder), stub)
        ]
        yield "\ngateway, one process each"
        for at_once, calls in ((1, 600), (50, 4000), (200, 4000)):
            yield from _compare(f"{at_once} at once", servers, at_once, calls, "gpt-5-mini")
        yield from _compare(f"a stream of {EVENT_COUNT} events", servers, 1, 40, "stream")
        ours = servers[0].megabytes()
        yield from (f"  {one.name:16} RSS {one.megabytes():6.0f} MB" for one in servers)
        verdict = "met" if ours <= _MOST_MEGABYTES else "MISSED"
        yield f"  target: at most {_MOST_MEGABYTES} MB: {ours:.0f}: {verdict}"


def _compare(
    title: str, servers: Sequence[MeasuredServer], at_once: int, calls: int, model: str
) -> list[str]:
    walls: dict[str, list[float]] = {one.name: [] for one in servers}
    cpus: dict[str, list[float]] = {one.name: [] for one in servers}
    for number in range(_ROUNDS):
        # Who goes first changes, so that none always runs after the same neighbour.
        shift = number % len(servers)
        for one in [*servers[shift:], *servers[:shift]]:
            # A slow server is measured as well by fewer calls: a stream takes it most of a second.
            count = calls if one.name != "LiteLLM" else max(4, calls // 40)
            before = one.cpu()
            wall = run_load(
                f"{one.url}/v1/responses", at_once=at_once, calls=count, model=model, key=_KEY
            )
            walls[one.name].append(wall)
            cpus[one.name].append((one.cpu() - before) / (count + at_once))
    ours = servers[0].name
    lines = [f"\n  {title}"]
    for name in walls:
        wall, cpu = median(walls[name]), median(cpus[name])
        ratio = median(b / a for a, b in zip(walls[ours], walls[name], strict=True))
        share = median(b / a if a else 0.0 for a, b in zip(cpus[ours], cpus[name], strict=True))
        shown = (
            "" if name == ours else f"   ours / theirs: {ratio:.2f} x the rate ({share:.2f} CPU)"
        )
        lines.append(
            f"    {name:16}{1 / wall:8.0f} /s{wall * 1e6:9.0f} µs{cpu * 1e6:9.0f} µs CPU{shown}"
        )
    if at_once == 50:
        ratio = median(b / a for a, b in zip(walls[ours], walls["pass-through"], strict=True))
        verdict = "met" if ratio >= _LEAST_RATIO else "MISSED"
        lines.append(f"    target: at least {_LEAST_RATIO} x pass-through: {ratio:.2f}: {verdict}")
    return lines


def _commands(folder: Path, stub: str) -> Iterator[tuple[str, list[str], dict[str, str]]]:
    config = folder / "config.yaml"
    config.write_text(_CONFIG.format(stub=stub, key=_KEY) + _AFFINITY)
    environment = {**os.environ, "BENCHMARK_STUB": stub}
    serve = ["-m", "azure_responses", "serve", "--config", str(config), "--port"]
    yield "azure_responses", [sys.executable, *serve], environment
    floor = ["-m", "uvicorn", "--log-level", "warning", "--no-access-log"]
    app = ["tests.benchmarks.gateway_floor:app", "--port"]
    yield "pass-through", [sys.executable, *floor, *app], environment
    litellm = os.environ.get("AZURE_RESPONSES_LITELLM")
    if litellm:
        theirs = folder / "litellm.yaml"
        theirs.write_text(_CONFIG.format(stub=stub, key=_KEY))
        program = Path(litellm).with_name("litellm")
        yield (
            "LiteLLM",
            [str(program), "--config", str(theirs), "--port"],
            {**environment, "LITELLM_LOCAL_MODEL_COST_MAP": "True"},
        )
