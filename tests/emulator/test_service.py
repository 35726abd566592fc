"""The emulator as a whole: threads, and the page that describes it."""

import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import yaml

from azure_responses.emulator import FAULT_KINDS, Emulator, engine
from azure_responses.emulator.operations import OPERATIONS, find_route
from azure_responses.emulator.server import read_settings
from tests.emulator.callers import create, open_client

PAGE = Path(__file__).parents[2] / "docs" / "emulator.md"


def test_threads_do_not_disturb_each_other() -> None:
    emulator = Emulator(log_size=400)
    with open_client(emulator) as client, ThreadPoolExecutor(8) as pool:
        replies = list(pool.map(lambda number: create(client, input=str(number)), range(200)))
    assert {reply.status_code for reply in replies} == {200}
    assert len({reply.json()["id"] for reply in replies}) == 200
    assert len({reply.headers["apim-request-id"] for reply in replies}) == 200
    assert len(emulator.requests) == 200


_BASES = {
    "models": "/models/",
    "serverless": "/",
    "anthropic": "/anthropic/v1/",
    "agents": "/api/projects/p/",
}


def test_every_operation_is_found_by_its_method_and_path() -> None:
    for row in OPERATIONS:
        path = row.path.replace("*", "x")
        if row.base != "openai":
            route = find_route(row.method, f"{_BASES[row.base]}{path}", "api-version=v1")
            assert route.operation == row
            continue
        found = [find_route(row.method, f"/openai/v1/{path}", "")] if row.is_v1 else []
        if row.is_dated:
            query = "api-version=2025-04-01-preview"
            found.append(find_route(row.method, f"/openai/{path}", query))
        assert found
        assert [route.operation for route in found] == [row] * len(found)


def test_the_page_names_every_fault_and_trigger() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert [kind for kind in FAULT_KINDS if f"`{kind}`" not in page] == []
    phrases = [phrase for phrase in engine.TRIGGERS if phrase.startswith("[[")]
    assert [phrase for phrase in phrases if phrase not in page] == []


def test_the_pages_configuration_is_valid() -> None:
    (block,) = re.findall(r"```yaml\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    settings = read_settings(yaml.safe_load(block))
    assert [resource.name for resource in settings.resources or []] == ["east"]
