"""Databases to test with: a file of SQLite, and a PostgreSQL started for the session."""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from azure_responses.gateway.database import Database, open_database


def _find_program(name: str) -> str | None:
    places = [os.environ.get("PATH", ""), *map(str, Path("/usr/lib/postgresql").glob("*/bin"))]
    return shutil.which(name, path=os.pathsep.join(places))


def _become_postgres() -> dict[str, Any]:
    """Arguments of `subprocess`: PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return {}
    try:
        account = pwd.getpwnam("postgres")
    except KeyError:
        pytest.skip("PostgreSQL refuses root, and there is no account postgres to run it as")
    return {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}


class PostgreSQL:
    """A server of our own that can be taken away for a while."""

    def __init__(self, folder: Path, run: Callable[..., None], program: str) -> None:
        self.url = f"postgresql://gateway@/postgres?host={folder}"
        self._folder = folder
        self._run = run
        self._command = [program, "-D", str(folder / "data"), "-w", "-l", str(folder / "log")]

    def start(self) -> None:
        options = f"-k {self._folder} -c listen_addresses='' -c fsync=off"
        self._run(*self._command, "-o", options, "start")

    def stop(self) -> None:
        self._run(*self._command, "-m", "immediate", "stop")


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgreSQL]:
    """A PostgreSQL reached through a socket in its folder."""
    pytest.importorskip("psycopg", reason="psycopg is not installed")
    initdb, postgres = _find_program("initdb"), _find_program("pg_ctl")
    if initdb is None or postgres is None:
        pytest.skip("PostgreSQL is not installed: there is no initdb or pg_ctl")
    identity = _become_postgres()
    folder = Path(tempfile.mkdtemp(prefix="pg"))
    if identity:
        os.chown(folder, identity["user"], identity["group"])
    data = folder / "data"

    def run(*command: str) -> None:
        subprocess.run(
            command, check=True, cwd=folder, stdout=subprocess.DEVNULL, timeout=60, **identity
        )

    try:
        run(initdb, "-D", str(data), "-U", "gateway", "--auth=trust", "-E", "UTF8", "--no-sync")
        server = PostgreSQL(folder, run, postgres)
        server.start()
        try:
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def empty_postgresql(postgresql: PostgreSQL) -> str:
    """The URL of that PostgreSQL, without our tables."""
    import psycopg

    with psycopg.connect(postgresql.url) as connection:
        connection.execute("DROP SCHEMA public CASCADE")
        connection.execute("CREATE SCHEMA public")
    return postgresql.url


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database, of either kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'gateway.db'}"
    url: str = request.getfixturevalue("empty_postgresql")
    return url


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """An open database, of either kind."""
    opened = open_database(database_url)
    yield opened
    opened.close()
