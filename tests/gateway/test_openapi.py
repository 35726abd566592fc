"""The OpenAPI document is true: every request it allows is answered as it says."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from azure_responses.gateway.openapi import openapi_document
from azure_responses.openai_server.route import find_route
from tests.gateway.gateways import KEY, Running, config_of, serve
from tests.openai_server.servers import make_emulator

DOCUMENT = json.loads(openapi_document())


def test_every_path_of_the_document_is_served() -> None:
    for path, item in DOCUMENT["paths"].items():
        if "/health" in path or path in ("/healthz", "/metrics", "/openapi.json"):
            continue
        for method in item:
            filled = path.replace("{response_id}", "resp_1").replace("{model}", "m")
            find_route(method.upper(), filled.replace("{deployment}", "d"))


def test_operations_have_names_of_their_own() -> None:
    names = [
        operation["operationId"]
        for item in DOCUMENT["paths"].values()
        for operation in item.values()
        if "operationId" in operation
    ]
    assert len(names) == len(set(names))


@pytest.fixture(scope="module")
def gateway() -> Iterator[Running]:
    emulator = make_emulator()
    with emulator.serve() as server:
        config = config_of(server.url, "east", "west")
        config["router_settings"] = {"num_retries": 0}
        with serve(config) as running:
            yield running


# schemathesis itself draws the boundaries of forms so.
@pytest.mark.filterwarnings("ignore:Do not use the `random` module inside strategies")
def test_schemathesis_finds_nothing(gateway: Running) -> None:
    schemathesis = pytest.importorskip("schemathesis", reason="schemathesis is not installed")
    from hypothesis import HealthCheck, given, settings

    document = schemathesis.openapi.from_dict(DOCUMENT)
    checks = schemathesis.checks
    wanted = [
        checks.CHECKS.get_one(name)
        for name in (
            "not_a_server_error",
            "status_code_conformance",
            "content_type_conformance",
            "response_schema_conformance",
        )
    ]

    def try_operation(operation: Any) -> None:
        @given(case=operation.as_strategy())
        @settings(
            max_examples=6,
            deadline=None,
            database=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        )
        def run(case: Any) -> None:
            reply = case.call(base_url=gateway.url, headers={"api-key": KEY}, timeout=30)
            case.validate_response(reply, checks=wanted)

        run()

    for found in document.get_all_operations():
        operation = found.ok()
        # One prefix of each operation: the others lead to the same code.
        if operation.path.startswith(("/v1/", "/health", "/openai/deployments")):
            try_operation(operation)
