"""Keys and totals in SQLite or PostgreSQL.

`open_database` is the only door; SQLAlchemy is imported when it is used.
"""

import logging
import os
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path
from sqlite3 import OperationalError
from typing import Any

from azure_responses.errors import ConfigurationError
from azure_responses.gateway.key_table import COPIED, StoredKey, read_row
from azure_responses.gateway.outages import DatabaseError
from azure_responses.gateway.spend import SpendBatch, SpendKey, Spent

try:
    import sqlalchemy as sql
    from sqlalchemy.dialects import postgresql, sqlite
    from sqlalchemy.exc import ArgumentError, SQLAlchemyError
except ModuleNotFoundError as error:  # pragma: no cover - the tests have it.
    raise ConfigurationError(
        "Keys and totals in a database need sqlalchemy.",
        hint="pip install 'azure-responses[gateway]'",
    ) from error

__all__ = ["Database", "find_file", "open_database"]

LOGGER = logging.getLogger("azure_responses.gateway")

_VERSION = 1
# The advisory lock under which replicas that start at once make the tables in turn.
_LOCK = 0x617A_7265_7370
_BUSY_SECONDS = 10
_WAL_ATTEMPTS = 200
_FORGOTTEN_AFTER = 30
# A statement takes only so many values: SQLite 32,766, PostgreSQL 65,535.
_MOST_NAMED = 10_000


_SUMS = tuple(name for name in Spent.__dataclass_fields__ if name != "held")

_TABLES = sql.MetaData()

_SCHEMA = sql.Table(
    "azure_responses_schema",
    _TABLES,
    sql.Column("version", sql.Integer, primary_key=True, autoincrement=False),
)

_KEYS = sql.Table(
    "azure_responses_keys",
    _TABLES,
    sql.Column("id", sql.String(64), primary_key=True),
    sql.Column("digest", sql.LargeBinary(32), unique=True, nullable=False),
    sql.Column("name", sql.String(200), nullable=False),
    sql.Column("owner", sql.String(200), nullable=False),
    sql.Column("models", sql.JSON, nullable=False),
    sql.Column("rpm", sql.BigInteger),
    sql.Column("tpm", sql.BigInteger),
    sql.Column("budget", sql.BigInteger),
    sql.Column("budget_period", sql.Integer),
    sql.Column("created", sql.Double, nullable=False),
    sql.Column("expires", sql.Double),
    sql.Column("revoked", sql.Double),
    sql.Column("end_user", sql.String(200)),
    sql.Column("allowed_routes", sql.JSON),
    sql.Column("webhook_url", sql.String(1000)),
    # As it is: the gateway signs with it, and has no other secret that all commands know.
    sql.Column("webhook_secret", sql.String(500)),
    sql.Column("max_upload_bytes", sql.BigInteger),
)

# Lists of names, stored as JSON.
_LISTS = ("models", "allowed_routes")

_SPEND = sql.Table(
    "azure_responses_spend",
    _TABLES,
    sql.Column("key_id", sql.String(200), primary_key=True),
    sql.Column("day", sql.Integer, primary_key=True, autoincrement=False),
    sql.Column("model", sql.String(200), primary_key=True),
    sql.Column("end_user", sql.String(200), primary_key=True),
    *(sql.Column(name, sql.BigInteger, nullable=False) for name in _SUMS),
)

# What counts against a key's budget on a day: read every few seconds, where the table above may
# be long.
_KEY_DAYS = sql.Table(
    "azure_responses_key_days",
    _TABLES,
    sql.Column("key_id", sql.String(200), primary_key=True),
    sql.Column("day", sql.Integer, primary_key=True, autoincrement=False),
    sql.Column("cost", sql.BigInteger, nullable=False),
)

# Responses that the service does not store, sealed, and which items belong to them.
_TEXTS = sql.Table(
    "azure_responses_stored",
    _TABLES,
    sql.Column("id", sql.String(128), primary_key=True),
    sql.Column("text", sql.Text, nullable=False),
    sql.Column("expires", sql.Double, nullable=False, index=True),
)
_TEXT_ITEMS = sql.Table(
    "azure_responses_stored_items",
    _TABLES,
    sql.Column("id", sql.String(128), primary_key=True),
    sql.Column("response_id", sql.String(128), nullable=False, index=True),
)

# The last batch of each process that writes, so that none is counted twice.
_WRITERS = sql.Table(
    "azure_responses_writers",
    _TABLES,
    sql.Column("id", sql.String(64), primary_key=True),
    sql.Column("batch", sql.BigInteger, nullable=False),
    sql.Column("day", sql.Integer, nullable=False),
)


# Every value of every key, gathered where they are.
_POSTGRESQL_KEYS = sql.text(
    f"SELECT md5(string_agg(each::text, '' ORDER BY each.id)) FROM {_KEYS.name} AS each"
)
_QUOTED = " || ',' || ".join(f"quote({column.name})" for column in _KEYS.c)
_SQLITE_KEYS = sql.text(
    f"SELECT group_concat({_QUOTED}) FROM (SELECT * FROM {_KEYS.name} ORDER BY id)"
)


def open_database(url: str) -> "Database":
    """Open a database, and make its tables where they are missing.

    Args:
        url: `sqlite:///keys.db`, `postgresql://user:password@host/name`, or a path of a file.

    Raises:
        ConfigurationError: an invalid URL, a missing driver, or tables of a later version.
        DatabaseError: it cannot be reached now.
    """
    database = Database(_engine(_read_url(url)))
    try:
        database.prepare()
    except BaseException:
        database.close()
        raise
    return database


def find_file(url: str) -> Path | None:
    """The file of a URL that names one; None for a server's.

    Raises:
        ConfigurationError: the URL is invalid.
    """
    return _file_of(_read_url(url))


def _file_of(url: sql.URL) -> Path | None:
    return Path(str(url.database)) if url.get_backend_name() == "sqlite" else None


def _read_url(text: str) -> sql.URL:
    if "://" not in text:
        return sql.URL.create("sqlite", database=str(Path(text).expanduser()))
    try:
        url = sql.make_url(re.sub(r"^postgres(ql)?://", "postgresql+psycopg://", text))
    except (ArgumentError, ValueError) as error:
        raise ConfigurationError(
            "The database's URL cannot be understood.",
            hint="Write sqlite:///keys.db or postgresql://user:password@host/name.",
        ) from error
    if url.get_backend_name() not in ("sqlite", "postgresql"):
        raise ConfigurationError(
            f"{url.get_backend_name()} is not a database this can use.",
            hint="Use SQLite for one machine, PostgreSQL for several.",
        )
    if url.get_backend_name() == "sqlite" and url.database in (None, "", ":memory:"):
        raise ConfigurationError(
            "A database in memory would be gone with the process.",
            hint="Name a file: sqlite:///keys.db.",
        )
    return url


def _engine(url: sql.URL) -> sql.Engine:
    try:
        file = _file_of(url)
        if file is not None:
            _make_file(file)
            engine = sql.create_engine(url, connect_args={"timeout": _BUSY_SECONDS})
            sql.event.listen(engine, "connect", _set_up_sqlite)
            sql.event.listen(engine, "begin", _begin_sqlite)
            return engine
        # A silent server must hold up neither the thread that writes nor the shutdown.
        patience = {"connect_timeout": 10, "tcp_user_timeout": 30_000}
        chosen = {name: value for name, value in patience.items() if name not in url.query}
        # Writing takes one connection; a stale one is noticed before it is used.
        return sql.create_engine(
            url, pool_size=1, max_overflow=4, pool_pre_ping=True, connect_args=chosen
        )
    except ModuleNotFoundError as error:
        raise ConfigurationError(
            f"PostgreSQL needs {error.name}.", hint="pip install 'azure-responses[postgres]'"
        ) from error


def _make_file(path: Path) -> None:
    # Names of end users stand in it; SQLite's further files take the mode of this one.
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    except FileExistsError:
        pass
    except OSError as error:
        # SQLite would say no more than that it cannot open a file.
        raise DatabaseError(f"The database {path} cannot be made: {error.strerror}.") from error


def _set_up_sqlite(connection: "sql.PoolProxiedConnection | object", _record: object) -> None:
    # The driver would begin transactions itself, and late: see `_begin_sqlite`.
    connection.isolation_level = None  # type: ignore[union-attr]
    cursor = connection.cursor()  # type: ignore[union-attr]
    _switch_to_wal(cursor)
    # Survives the death of a process; only a power cut may take the last transactions.
    cursor.execute("PRAGMA synchronous=NORMAL")
    cursor.close()


def _switch_to_wal(cursor: Any) -> None:
    # SQLite does not wait for a lock here, and processes that start together want it at once.
    for _ in range(_WAL_ATTEMPTS):
        with suppress(OperationalError):
            cursor.execute("PRAGMA journal_mode=WAL")
            return
        time.sleep(_BUSY_SECONDS / _WAL_ATTEMPTS)
    cursor.execute("PRAGMA journal_mode=WAL")


def _begin_sqlite(connection: sql.Connection) -> None:
    # A transaction that reads first and writes later can fail at once instead of waiting.
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


class Database:
    """Keys and totals; every method is one transaction and may block.

    Any number of processes may share one: sums are added in the database, never read and put back.

    Each raises DatabaseError where the database does not answer.
    """

    def __init__(self, engine: sql.Engine) -> None:
        self._engine = engine
        self._writing = engine.execution_options(writes=True)
        self._file = _file_of(engine.url)
        self._is_sqlite = self._file is not None
        self._opened: tuple[int, int] | None = None

    @property
    def is_sqlite(self) -> bool:
        """True for a file of SQLite; False for PostgreSQL."""
        return self._is_sqlite

    def close(self) -> None:
        """Close the connections."""
        self._engine.dispose()

    def prepare(self) -> None:
        """Make the tables, however many processes do so at once.

        Raises:
            ConfigurationError: the tables are of a later version of this package.
        """
        with self.write() as connection:
            self.make_tables(connection, _TABLES)
            version = connection.scalar(sql.select(_SCHEMA.c.version))
            if version is None:
                connection.execute(sql.insert(_SCHEMA).values(version=_VERSION))
            elif version > _VERSION:
                raise ConfigurationError(
                    f"The database has tables of version {version}; this knows {_VERSION}.",
                    hint="Upgrade azure-responses on this machine.",
                )

    def make_tables(self, connection: sql.Connection, tables: sql.MetaData) -> None:
        """Make tables, and the columns they lack, within a transaction that writes."""
        if not self._is_sqlite:
            connection.execute(sql.select(sql.func.pg_advisory_xact_lock(_LOCK)))
        tables.create_all(connection)
        _add_columns(connection, tables)

    def add_key(self, key: StoredKey) -> None:
        """Store a new key."""
        caller = key.caller
        row = {name: getattr(caller, name) for name in COPIED}
        row |= {"id": caller.key_id, "digest": key.digest}
        row |= {name: list(getattr(caller, name)) for name in _LISTS}
        with self.write() as connection:
            connection.execute(sql.insert(_KEYS).values(row))

    def read_keys(self) -> list[StoredKey]:
        """Every key, revoked and expired ones too, oldest first."""
        # JSON as it is stored: one row that cannot be read must not hide the others.
        columns = [sql.type_coerce(c, sql.Text) if c.name in _LISTS else c for c in _KEYS.c]
        keys = sql.select(*columns).order_by(_KEYS.c.created, _KEYS.c.id)
        with self.read() as connection:
            rows = connection.execute(keys).mappings().all()
        return [key for row in rows if (key := _read_key(row)) is not None]

    def revoke_key(self, key_id: str, now: float) -> bool:
        """Revoke a key from `now`; False for an unknown id. A revoked key keeps its time."""
        with self.write() as connection:
            known = connection.scalar(sql.select(_KEYS.c.id).where(_KEYS.c.id == key_id))
            statement = sql.update(_KEYS).where(_KEYS.c.id == key_id, _KEYS.c.revoked.is_(None))
            connection.execute(statement.values(revoked=now))
            return known is not None

    def keys_version(self) -> str:
        """A text that changes when a key is added, changed or deleted.

        Keys may be changed by hand, so no counter or time of change is relied on.
        """
        with self.read() as connection:
            text = connection.scalar(_SQLITE_KEYS if self._is_sqlite else _POSTGRESQL_KEYS)
        return sha256(str(text).encode()).hexdigest()

    def daily_costs(self, key_ids: Sequence[str] | None = None) -> list[tuple[str, int, int]]:
        """Key, day and cost of some keys, or of all; in millionths of a millionth of a dollar."""
        statement = sql.select(_KEY_DAYS.c.key_id, _KEY_DAYS.c.day, _KEY_DAYS.c.cost)
        if key_ids is not None and len(key_ids) <= _MOST_NAMED:
            statement = statement.where(_KEY_DAYS.c.key_id.in_(key_ids))
        with self.read() as connection:
            return [(row[0], row[1], row[2]) for row in connection.execute(statement)]

    def totals(self) -> dict[SpendKey, Spent]:
        """Everything ever spent, by key, end user, model and day."""
        columns = [_SPEND.c[name] for name in ("key_id", "end_user", "model", "day", *_SUMS)]
        with self.read() as connection:
            rows = connection.execute(sql.select(*columns))
            return {SpendKey(*row[:4]): Spent(*row[4:]) for row in rows}

    def add_spend(self, writer: str, batch: SpendBatch, today: int) -> None:
        """Add a batch to the totals, once however often it is handed over.

        Args:
            writer: the id of this process, which no other process uses.
            today: the day, by which writers long gone are forgotten.
        """
        with self.write() as connection:
            last = connection.scalar(sql.select(_WRITERS.c.batch).where(_WRITERS.c.id == writer))
            if last is not None and last >= batch.number:
                return
            self.count(connection, batch.rows)
            connection.execute(self._upsert_writer(writer, batch.number, today))
            gone = _WRITERS.c.day < today - _FORGOTTEN_AFTER
            connection.execute(sql.delete(_WRITERS).where(gone))

    def count(self, connection: sql.Connection, rows: Mapping[SpendKey, Spent]) -> None:
        """Add to the totals, within a transaction that writes."""
        # Replicas that lock the same rows in different orders would wait for each other.
        ordered = sorted(rows.items(), key=lambda row: row[0])
        connection.execute(self._upsert_spend(), [_spend_row(*row) for row in ordered])
        connection.execute(self._upsert_days(), _key_days(rows))

    def put_text(
        self, response_id: str, text: str, item_ids: Sequence[str], expires: float
    ) -> None:
        """Keep the text of a response until a time in unix seconds, and which items are in it."""
        insert = self.insert(_TEXTS).values(id=response_id, text=text, expires=expires)
        changed = {"text": text, "expires": expires}
        items = self.insert(_TEXT_ITEMS)
        taken = {"response_id": items.excluded["response_id"]}
        with self.write() as connection:
            connection.execute(insert.on_conflict_do_update(index_elements=["id"], set_=changed))
            if item_ids:
                rows = [{"id": each, "response_id": response_id} for each in sorted(item_ids)]
                connection.execute(
                    items.on_conflict_do_update(index_elements=["id"], set_=taken), rows
                )

    def read_text(self, response_id: str, now: float) -> str | None:
        """The text of a response; None where there is none, or none any more."""
        found = sql.select(_TEXTS.c.text).where(_TEXTS.c.id == response_id, _TEXTS.c.expires > now)
        with self.read() as connection:
            text: str | None = connection.scalar(found)
        return text

    def owner_of_item(self, item_id: str) -> str | None:
        """The id of the response that an item is in."""
        found = sql.select(_TEXT_ITEMS.c.response_id).where(_TEXT_ITEMS.c.id == item_id)
        with self.read() as connection:
            response_id: str | None = connection.scalar(found)
        return response_id

    def drop_text(self, response_id: str) -> None:
        """Delete the text of a response."""
        with self.write() as connection:
            connection.execute(
                sql.delete(_TEXT_ITEMS).where(_TEXT_ITEMS.c.response_id == response_id)
            )
            connection.execute(sql.delete(_TEXTS).where(_TEXTS.c.id == response_id))

    def drop_expired_texts(self, now: float) -> None:
        """Delete the texts that have expired by `now`, in unix seconds."""
        gone = sql.select(_TEXTS.c.id).where(_TEXTS.c.expires <= now)
        with self.write() as connection:
            connection.execute(sql.delete(_TEXT_ITEMS).where(_TEXT_ITEMS.c.response_id.in_(gone)))
            connection.execute(sql.delete(_TEXTS).where(_TEXTS.c.expires <= now))

    def insert(self, table: sql.Table) -> "sqlite.Insert | postgresql.Insert":
        """An insertion that can say what to do about a row that is there."""
        return sqlite.insert(table) if self._is_sqlite else postgresql.insert(table)

    def _upsert_spend(self) -> sql.Executable:
        insert = self.insert(_SPEND)
        sums = {name: _SPEND.c[name] + insert.excluded[name] for name in _SUMS}
        return insert.on_conflict_do_update(
            index_elements=["key_id", "day", "model", "end_user"], set_=sums
        )

    def _upsert_days(self) -> sql.Executable:
        insert = self.insert(_KEY_DAYS)
        return insert.on_conflict_do_update(
            index_elements=["key_id", "day"],
            set_={"cost": _KEY_DAYS.c.cost + insert.excluded["cost"]},
        )

    def _upsert_writer(self, writer: str, number: int, today: int) -> sql.Executable:
        insert = self.insert(_WRITERS).values(id=writer, batch=number, day=today)
        return insert.on_conflict_do_update(
            index_elements=["id"], set_={"batch": number, "day": today}
        )

    def _follow_file(self) -> None:
        """Open a moved or replaced file anew: SQLite would go on writing to the old one."""
        if self._file is None:
            return
        try:
            there = self._file.stat()
        except OSError as error:
            raise DatabaseError(f"The database {self._file} is gone: {error.strerror}.") from error
        if self._opened != (there.st_dev, there.st_ino):
            self._engine.dispose()
            self._opened = (there.st_dev, there.st_ino)

    @contextmanager
    def read(self) -> Iterator[sql.Connection]:
        """A transaction that reads."""
        self._follow_file()
        with _errors(), self._engine.begin() as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[sql.Connection]:
        """A transaction that writes."""
        self._follow_file()
        with _errors(), self._writing.begin() as connection:
            yield connection


def _add_columns(connection: sql.Connection, tables: sql.MetaData) -> None:
    """Add the columns that the tables of an earlier version lack; all of them may be empty."""
    inspector = sql.inspect(connection)
    for table in tables.sorted_tables:
        known = {column["name"] for column in inspector.get_columns(table.name)}
        for column in table.columns:
            if column.name not in known:
                kind = column.type.compile(connection.dialect)
                connection.execute(sql.text(f"ALTER TABLE {table.name} ADD {column.name} {kind}"))


def _read_key(row: Mapping[Any, Any]) -> StoredKey | None:
    """The key of a row; None where it cannot be read, since what it allows is unknown."""
    try:
        return read_row(row)
    except ValueError as error:
        LOGGER.error("A key in the database is refused: %s.", error)
        return None


def _spend_row(key: SpendKey, spent: Spent) -> dict[str, object]:
    row: dict[str, object] = {name: getattr(spent, name) for name in _SUMS}
    row |= {"key_id": key.key_id, "day": key.day, "model": key.model, "end_user": key.end_user}
    return row


def _key_days(rows: Mapping[SpendKey, Spent]) -> list[dict[str, object]]:
    costs: dict[tuple[str, int], int] = {}
    for key, spent in rows.items():
        costs[key.key_id, key.day] = costs.get((key.key_id, key.day), 0) + spent.charged
    return [
        {"key_id": name, "day": day, "cost": cost} for (name, day), cost in sorted(costs.items())
    ]


@contextmanager
def _errors() -> Iterator[None]:
    try:
        yield
    except SQLAlchemyError as error:
        cause = getattr(error, "orig", None) or error
        # The driver's own words name no password; SQLAlchemy's would quote the values.
        text = (str(cause).splitlines() or [type(cause).__name__])[0]
        raise DatabaseError(f"The database cannot be used: {text}") from None
