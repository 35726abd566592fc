"""`azure-responses cost`: what the calls in a file cost."""

import argparse
import json
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import nullcontext
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal, TextIO, get_args

from azure_responses.cli.rendering import print_columns, show_cost
from azure_responses.cli.terminal import note
from azure_responses.errors import ConfigurationError
from azure_responses.pricing import Ledger, LedgerRow, PriceBook
from azure_responses.pricing.ledger import Column
from azure_responses.pricing.use import RECORD

__all__ = ["add_command"]

_COLUMNS: tuple[Column, ...] = get_args(Column)
_SIZE = re.compile(r"([0-9]{1,15}(?:\.[0-9]{1,6})?) ?(|KB|MB|GB|TB)", re.ASCII | re.IGNORECASE)
# The price list counts a GB in this way.
_UNITS = {"": 1, "KB": 2**10, "MB": 2**20, "GB": 2**30, "TB": 2**40}
_HEADINGS = ("calls", "input", "cached", "output", "reasoning", "cost USD")
# Only these have the usage; a file of events is one stream or several.
_TERMINAL_EVENTS = frozenset({"response.completed", "response.incomplete", "response.failed"})


def add_command(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Register the command."""
    parser = commands.add_parser(
        "cost",
        help="show what the calls in a file cost",
        description="Total the cost of the calls in a file of JSON lines: responses, chat "
        "completions, events of streams, a batch's output, or the package's log.",
    )
    parser.add_argument("file", nargs="?", default="-", help="- or nothing reads stdin")
    parser.add_argument(
        "--from-log",
        action="store_true",
        help="read the package's log among other lines, which are skipped",
    )
    parser.add_argument(
        "--by",
        default=",".join(_COLUMNS),
        metavar="COLUMNS",
        help="what to total by: any of end_user, model, deployment, with commas (default: all)",
    )
    parser.add_argument("--deployment", metavar="NAME", help="the deployment of all calls")
    parser.add_argument("--base-model", metavar="MODEL", help="the model of all calls")
    parser.add_argument("--zone", help="global (the default), us, eu, apac, us-gov, data-zone")
    parser.add_argument("--region", help="the Azure region, for --zone data-zone or regional")
    parser.add_argument("--tier", help="standard, priority, flex or batch, if not as replies say")
    parser.add_argument(
        "--storage", metavar="SIZE", help="instead: what vector stores cost that hold 5GB, 300MB, …"
    )
    parser.add_argument(
        "--days", type=float, default=1.0, metavar="N", help="for which --storage is paid"
    )
    parser.add_argument("--config", metavar="FILE", help="prices and deployments, JSON or YAML")
    parser.add_argument("--reprice", action="store_true", help="ignore the costs in a log")
    parser.add_argument("--json", action="store_true", help="print the rows as JSON")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Total and print."""
    columns = _read_columns(arguments.by)
    book = PriceBook()
    if arguments.config:
        book.configure(_read_settings(Path(arguments.config)))
    if arguments.storage:
        return _show_storage(book, arguments)
    ledger = Ledger(book)
    with _open(arguments.file) as lines:
        skipped = _total(lines, ledger, arguments)
    rows = ledger.rows(columns)
    if skipped:
        note(f"skipped {skipped} lines without a call")
    if not rows:
        note("no call found")
        return 0
    _print(rows, columns, ledger, as_json=arguments.json)
    return 0


def _show_storage(book: PriceBook, arguments: argparse.Namespace) -> int:
    size, days = _read_size(arguments.storage), arguments.days
    if not 0 <= days < 1e6:
        raise ConfigurationError("--days is not a number of days.", hint="Write --days 30.")
    cost = book.price_storage(size, days * 86_400)
    if arguments.json:
        shown = None if cost is None else format(cost, "f")
        print(json.dumps({"bytes": size, "days": days, "cost": shown}))
    else:
        shown = "not known" if cost is None else f"${show_cost(cost)}"
        print(f"{arguments.storage} for {days:g} days, the first GB free: {shown}")
    return 0


def _read_size(text: str) -> int:
    found = _SIZE.fullmatch(text.strip())
    if found is None:
        raise ConfigurationError(
            f"--storage {text} is not a size.", hint="Write --storage 5GB, 300MB, or bytes."
        )
    return int(Decimal(found[1]) * _UNITS[found[2].upper()])


def _read_columns(text: str) -> list[Column]:
    names = [name.strip() for name in text.split(",") if name.strip()]
    unknown = [name for name in names if name not in _COLUMNS]
    if unknown:
        raise ConfigurationError(
            f"There is no column {unknown[0]!r}.", hint=f"Name any of {', '.join(_COLUMNS)}."
        )
    return [column for column in _COLUMNS if column in names]


def _open(name: str) -> Any:
    if name == "-":
        return nullcontext(sys.stdin)
    try:
        # A byte that is not UTF-8 is reported with its line, as JSON that cannot be read.
        return open(name, encoding="utf-8", errors="replace")
    except OSError as error:
        raise ConfigurationError(f"{name} cannot be read: {error.strerror}.") from error


def _read_settings(path: Path) -> Any:
    """The settings on pricing: the whole of a file, or its section `pricing`."""
    try:
        text = path.read_text(encoding="utf-8")
        # Decimal: a price such as 0.1 has no exact float.
        settings = json.loads(text, parse_float=Decimal) if path.suffix == ".json" else _yaml(text)
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be read: {error.strerror}.") from error
    except ValueError as error:
        raise ConfigurationError(f"{path} cannot be understood: {error}.") from error
    return settings.get("pricing", settings) if isinstance(settings, Mapping) else settings


def _yaml(text: str) -> Any:
    try:
        # Imported on use, because yaml is in an extra.
        import yaml
    except ModuleNotFoundError as error:
        raise ConfigurationError(
            "Reading YAML needs yaml.", hint="pip install 'azure-responses[cli]', or write JSON."
        ) from error
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ValueError(str(error)) from error


def _total(lines: TextIO, ledger: Ledger, arguments: argparse.Namespace) -> int:
    """Record every call; the number of lines that were skipped."""
    known = {name: getattr(arguments, name) for name in ("base_model", "zone", "region", "tier")}
    skipped = 0
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        call = _read_log(line) if arguments.from_log else _read_call(line, number)
        if call is None:
            skipped += 1
            continue
        if arguments.reprice:
            call.pop("cost", None)
        ledger.record(call, deployment=arguments.deployment, **known)
    return skipped


def _read_log(line: str) -> dict[str, Any] | None:
    """The record in a line of a log, which may have something before it; None without one."""
    # A log line may begin with a time or a level.
    start = line.find("{")
    try:
        value = json.loads(line[start:]) if start >= 0 else None
    except ValueError:
        return None
    return value if isinstance(value, dict) and value.get("record") == RECORD else None


def _read_call(line: str, number: int) -> dict[str, Any] | None:
    """The call on a line; None for an event that does not end a stream.

    Raises:
        ConfigurationError: the line holds no call.
    """
    try:
        value = json.loads(line)
    except ValueError as error:
        raise ConfigurationError(
            f"Line {number} is not JSON: {error}.",
            hint="Pass --from-log for a log with other lines in it.",
        ) from error
    if not isinstance(value, dict) or not _names_a_call(value):
        raise ConfigurationError(
            f"Line {number} is not a response, completion, event or record.",
            hint="Pass --from-log for a log with other lines in it.",
        )
    return None if _is_event(value) and value["type"] not in _TERMINAL_EVENTS else value


def _is_event(value: Mapping[str, Any]) -> bool:
    kind = value.get("type")
    return isinstance(kind, str) and (kind == "error" or kind.startswith("response."))


def _names_a_call(value: Mapping[str, Any]) -> bool:
    return _is_event(value) or any(
        name in value for name in ("usage", "output", "choices", "response", "record")
    )


def _print(
    rows: Sequence[LedgerRow], columns: Sequence[Column], ledger: Ledger, *, as_json: bool
) -> None:
    (total,) = ledger.rows([])
    if as_json:
        print(json.dumps({"rows": ledger.export(columns), "total": ledger.export([])[0]}, indent=2))
    else:
        lines = [[*_names(row, columns), *_numbers(row)] for row in rows]
        last = [*(["total"] + [""] * len(columns))[: len(columns)], *_numbers(total)]
        headings = [*(column.replace("_", " ") for column in columns), *_HEADINGS]
        _print_table(headings, [*lines, last] if columns else lines, len(columns))
    if total.unpriced:
        note(f"{total.unpriced} of {total.calls} calls have a part whose price is not known (*)")


def _names(row: LedgerRow, columns: Sequence[Column]) -> Iterator[str]:
    return (getattr(row, column) or "-" for column in columns)


def _numbers(row: LedgerRow) -> list[str]:
    counts = (row.calls, row.input_tokens, row.cached_tokens, row.output_tokens)
    cost = show_cost(row.cost) if row.cost or not row.unpriced else "unknown"
    mark = "*" if row.unpriced and row.cost else ""
    return [*(f"{count:,}" for count in (*counts, row.reasoning_tokens)), cost + mark]


def _print_table(headings: list[str], lines: list[list[str]], names: int) -> None:
    if sys.stdout.isatty():
        try:
            _print_rich(headings, lines, names)
            return
        except ModuleNotFoundError:
            pass
    print_columns([headings, *lines], names)


def _print_rich(headings: list[str], lines: list[list[str]], names: int) -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    table = Table()
    for index, heading in enumerate(headings):
        justify: Literal["left", "right"] = "left" if index < names else "right"
        # rich would cut long names off, and two deployments could look the same.
        table.add_column(heading, justify=justify, overflow="fold")
    for number, line in enumerate(lines, start=1):
        # The last line is the total. Names of end users may look like rich's markup.
        table.add_row(*map(escape, line), end_section=number == len(lines) - 1)
    Console().print(table)
