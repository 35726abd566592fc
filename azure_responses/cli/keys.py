"""`azure-responses keys`: create, list and revoke the keys of a gateway."""

import argparse
import json
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from azure_responses.cli.rendering import print_columns
from azure_responses.cli.terminal import note
from azure_responses.errors import ConfigurationError

if TYPE_CHECKING:
    from azure_responses.gateway.database import Database
    from azure_responses.gateway.key_table import ApiCaller

__all__ = ["add_command"]

_HEADINGS = ("id", "name", "state", "owner", "models", "rpm", "tpm", "budget USD", "spent USD")


def add_command(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Register the command."""
    parser = commands.add_parser(
        "keys",
        help="create, list and revoke the keys of a gateway",
        description="Create, list and revoke the keys with which callers use a gateway.",
    )
    actions = parser.add_subparsers(title="actions", required=True, metavar="ACTION")
    _add_create(actions)
    listing = _add_action(actions, "list", "list the keys, without the keys themselves", list_keys)
    listing.add_argument("--json", action="store_true", help="print the rows as JSON")
    revoking = _add_action(actions, "revoke", "revoke a key", revoke)
    revoking.add_argument("id", help="as `keys list` shows it")


def _add_create(actions: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = _add_action(actions, "create", "create a key and print it, once", create)
    parser.add_argument("--name", help="what to call it in lists and logs")
    parser.add_argument("--models", metavar="NAMES", help="with commas; gpt-5* is a pattern")
    parser.add_argument(
        "--allowed-routes", metavar="ROUTES", help="with commas, such as /responses,/files"
    )
    parser.add_argument("--rpm", type=int, metavar="N", help="requests a minute")
    parser.add_argument("--tpm", type=int, metavar="N", help="tokens a minute")
    parser.add_argument(
        "--max-upload-bytes", type=int, metavar="N", help="the longest file it may upload"
    )
    parser.add_argument("--budget", metavar="USD", help="what it may spend")
    parser.add_argument(
        "--budget-period",
        metavar="DAYS",
        help="the budget is renewed after so many days: 1d, 7d, 30d (monthly is 30d)",
    )
    parser.add_argument("--expires", metavar="WHEN", help="30d, or a date such as 2027-01-31")
    parser.add_argument("--owner", help="keys of one owner may continue each other's responses")
    parser.add_argument("--end-user", help="the end user of calls that name none")
    parser.add_argument("--webhook-url", metavar="URL", help="gets webhooks of what the key makes")
    parser.add_argument(
        "--webhook-secret", metavar="SECRET", help="signs them; without it one is made and shown"
    )


def _add_action(
    actions: "argparse._SubParsersAction[argparse.ArgumentParser]", name: str, help: str, run: Any
) -> argparse.ArgumentParser:
    parser = actions.add_parser(name, help=help, description=f"{help.capitalize()}.")
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--config", metavar="FILE", help="the gateway's, for its database_url")
    where.add_argument("--database", metavar="URL", help="sqlite:///keys.db or postgresql://…")
    parser.set_defaults(run=run)
    return parser


def create(arguments: argparse.Namespace) -> int:
    """Create a key; stdout gets nothing else, so that a script can read it."""
    from azure_responses.gateway.key_table import StoredKey, hash_key, make_key, make_key_id
    from azure_responses.gateway.virtual_keys import TermError, make_webhook_secret, read_terms

    names = ("name", "models", "allowed_routes", "rpm", "tpm", "budget", "budget_period")
    more = ("max_upload_bytes", "expires", "owner", "end_user")
    terms = {name: getattr(arguments, name) for name in (*names, *more)}
    now = time.time()
    secret = arguments.webhook_secret
    if arguments.webhook_url and not secret:
        secret = make_webhook_secret()
    terms |= {"webhook_url": arguments.webhook_url, "webhook_secret": secret}
    try:
        caller = read_terms(terms, key_id=make_key_id(), now=now, created=now)
    except TermError as error:
        option = error.term.replace("_", "-")
        raise ConfigurationError(f"--{option} {error.reason}.") from error
    key = make_key()
    with _open(arguments, makes_it=True) as database:
        database.add_key(StoredKey(caller, hash_key(key)))
    print(key)
    note(f"id: {caller.key_id}")
    if secret and not arguments.webhook_secret:
        note(f"webhook secret: {secret}")
    note("Keep the key: it is not stored and will not be shown again.")
    return 0


def list_keys(arguments: argparse.Namespace) -> int:
    """Print the keys, their owners and what they have spent."""
    with _open(arguments) as database:
        callers = [key.caller for key in database.read_keys()]
        costs = database.daily_costs()
    # Costs are stored by day; the list shows their sum.
    spent: dict[str, int] = {}
    for key_id, _, cost in costs:
        spent[key_id] = spent.get(key_id, 0) + cost
    rows = [_describe(caller, spent.get(caller.key_id, 0)) for caller in callers]
    if arguments.json:
        print(json.dumps(rows, indent=2))
    elif rows:
        _print(callers, spent)
    else:
        note("no keys")
    return 0


def revoke(arguments: argparse.Namespace) -> int:
    """Revoke a key."""
    with _open(arguments) as database:
        is_known = database.revoke_key(arguments.id, time.time())
    if not is_known:
        note(f"error: there is no key {arguments.id}")
        return 1
    note("revoked; running gateways refuse it within key_refresh_interval (5 s unless set)")
    return 0


@contextmanager
def _open(arguments: argparse.Namespace, *, makes_it: bool = False) -> "Iterator[Database]":
    # First, because a missing option is to be reported even without the packages of the gateway.
    url = _find_url(arguments)
    from azure_responses.gateway.database import find_file, open_database

    file = find_file(url)
    is_new = file is not None and not file.exists()
    if is_new and not makes_it:
        raise ConfigurationError(
            f"There is no database {file and file.absolute()}.",
            hint="Name the file that the gateway uses; `keys create` or the gateway creates it.",
        )
    database = open_database(url)
    try:
        if is_new:
            # A relative path means another file where the gateway runs in another folder.
            note(f"created the database {file and file.absolute()}")
            note("The gateway must use the same file.")
        yield database
    finally:
        database.close()


def _find_url(arguments: argparse.Namespace) -> str:
    if arguments.database:
        return str(arguments.database)
    if not arguments.config:
        raise ConfigurationError(
            "No database is named.",
            hint="Pass --config config.yaml or --database sqlite:///keys.db.",
        )
    try:
        from azure_responses.gateway.config_file import find_database_url
    except ModuleNotFoundError as error:
        raise ConfigurationError(
            f"Reading {arguments.config} needs {error.name}.",
            hint="pip install 'azure-responses[gateway]'",
        ) from error
    url = find_database_url(Path(arguments.config), os.environ)
    if url is None:
        raise ConfigurationError(
            f"{arguments.config} does not name a database.",
            hint="Set general_settings.database_url, such as sqlite:///keys.db.",
        )
    return url


def _describe(caller: "ApiCaller", spent: int) -> dict[str, Any]:
    from azure_responses.gateway.spend import to_dollars

    return {
        "id": caller.key_id,
        "name": caller.name,
        "state": _state(caller),
        "owner": caller.owner,
        "models": list(caller.models),
        "allowed_routes": list(caller.allowed_routes),
        "rpm": caller.rpm,
        "tpm": caller.tpm,
        # As text, because a float would round it.
        "budget": None if caller.budget is None else format(to_dollars(caller.budget), "f"),
        "budget_period_days": caller.budget_period,
        "spent": format(to_dollars(spent), "f"),
        "created": _date(caller.created),
        "expires": _date(caller.expires),
        "revoked": _date(caller.revoked),
        "end_user": caller.end_user,
        "webhook_url": caller.webhook_url,
        "max_upload_bytes": caller.max_upload_bytes,
    }


def _state(caller: "ApiCaller") -> str:
    # First, because a revoked key stays revoked after it has expired.
    if caller.revoked is not None:
        return "revoked"
    return "expired" if caller.is_expired(time.time()) else "active"


def _date(seconds: float | None) -> str | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC).isoformat()


def _print(callers: "Sequence[ApiCaller]", spent: Mapping[str, int]) -> None:
    cells = [_cells(caller, spent.get(caller.key_id, 0)) for caller in callers]
    print_columns([list(_HEADINGS), *cells], len(_HEADINGS))


def _cells(caller: "ApiCaller", spent: int) -> list[str]:
    from azure_responses.gateway.spend import show_dollars

    row = _describe(caller, spent)
    period = f" / {caller.budget_period} d" if caller.budget_period else ""
    budget = "-" if caller.budget is None else f"{show_dollars(caller.budget)}{period}"
    limits = [str(caller.rpm or "-"), str(caller.tpm or "-")]
    models = ",".join(caller.models) or "all"
    named = [row["id"], row["name"], row["state"], row["owner"], models]
    return [*named, *limits, budget, show_dollars(spent, 6)]
