"""Operators say which routes are served, and which of them a key may call."""

import sqlite3
from pathlib import Path
from typing import Any

import pytest

from azure_responses.gateway.allowed_routes import allows_route, check_route, read_routes
from azure_responses.gateway.database import open_database
from azure_responses.gateway.key_table import ApiCaller, StoredKey
from azure_responses.protocol.object_table import EVERY_OPERATION
from tests.gateway.gateways import config_of, serve
from tests.openai_server.servers import make_emulator


@pytest.mark.parametrize(
    ("route", "allowed", "refused"),
    [
        ("/v1/files", ["files.create", "files.content"], ["create", "vector_stores.files.create"]),
        ("/files/", ["files.create", "files.list"], ["uploads.create"]),
        ("/responses", ["create", "retrieve", "compact"], ["chat", "files.list"]),
        ("/vector_stores/*/search", ["vector_stores.search"], ["vector_stores.create"]),
        ("openai_routes", ["create", "files.list"], []),
        ("*", ["create", "files.list"], []),
    ],
)
def test_a_route_allows_its_path_and_what_is_below(
    route: str, allowed: list[str], refused: list[str]
) -> None:
    routes = read_routes([route])
    assert all(allows_route(routes, EVERY_OPERATION[name]) for name in allowed)
    assert not any(allows_route(routes, EVERY_OPERATION[name]) for name in refused)


def test_without_a_list_everything_is_allowed() -> None:
    assert check_route((), EVERY_OPERATION["files.list"], "This key") is None


@pytest.mark.parametrize("value", [7, [7], ["/filez"], "/files, files", ["/v1"], "", [""]])
def test_a_route_that_does_not_exist_is_refused_in_the_configuration(value: Any) -> None:
    with pytest.raises(ValueError, match=r"list of routes|no route is like"):
        read_routes(value)


def test_a_gateway_serves_the_routes_that_are_allowed_and_a_key_calls_its_own() -> None:
    key = "sk-key-of-files-0123456789abcdef"
    with make_emulator().serve() as emulated:
        config = config_of(emulated.url, "east", allowed_routes=["/responses", "/files", "/models"])
        config["virtual_keys"] = [{"name": "files", "key": key, "allowed_routes": "/v1/files"}]
        with serve(config) as gateway, gateway.client() as master, gateway.client(key) as limited:
            assert master.post("/v1/conversations", json={}).status_code == 403
            assert master.get("/v1/files").status_code == 200
            assert limited.get("/openai/v1/files").status_code == 200
            refused = limited.post("/v1/responses", json={"model": "chat", "input": "hi"})
            assert refused.status_code == 403
            error = refused.json()["error"]
            assert error["code"] == "route_not_allowed"
            assert error["message"].endswith("It allows: /v1/files.")


def test_a_stored_key_keeps_its_routes_and_older_tables_get_the_column(tmp_path: Path) -> None:
    path = tmp_path / "keys.db"
    database = open_database(f"sqlite:///{path}")
    database.add_key(StoredKey(ApiCaller(key_id="old", name="old", owner="old"), b"o" * 32))
    database.close()
    with sqlite3.connect(path) as connection:
        connection.execute("ALTER TABLE azure_responses_keys DROP COLUMN allowed_routes")
    connection.close()
    database = open_database(f"sqlite:///{path}")
    caller = ApiCaller(key_id="new", name="n", owner="n", created=1, allowed_routes=("/files",))
    database.add_key(StoredKey(caller, b"n" * 32))
    found = {key.caller.key_id: key.caller.allowed_routes for key in database.read_keys()}
    database.close()
    assert found == {"old": (), "new": ("/files",)}
