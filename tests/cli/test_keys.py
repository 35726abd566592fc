"""`azure-responses keys`."""

import json
import sys
import time
from pathlib import Path

import pytest

from azure_responses.cli import main
from azure_responses.gateway.authentication import Access
from azure_responses.gateway.database import open_database
from azure_responses.gateway.key_table import ApiCaller, KeyTable
from azure_responses.gateway.spend import SpendBatch, SpendKey, Spent, to_pico


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'keys.db'}"


def _create(url: str, capsys: pytest.CaptureFixture[str], *options: str) -> tuple[str, str]:
    assert main(["keys", "create", "--database", url, *options]) == 0
    out, err = capsys.readouterr()
    return out.strip(), err.split("id: ")[1].split()[0]


def _authenticate(url: str, key: str) -> object:
    database = open_database(url)
    table = KeyTable(database.read_keys())
    database.close()
    return Access(table).authenticate({"authorization": f"Bearer {key}"}, time.time())


def test_a_key_that_was_made_is_let_in(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    options = ["--name", "bob", "--models", "gpt-5*,o1-pro", "--rpm", "60", "--tpm", "1000"]
    more = ["--budget", "12.50", "--budget-period", "monthly", "--expires", "30d"]
    key, key_id = _create(url, capsys, *options, *more, "--owner", "team", "--end-user", "zoe")
    caller = _authenticate(url, key)
    assert isinstance(caller, ApiCaller)
    assert caller.key_id == key_id
    assert (caller.name, caller.owner, caller.end_user) == ("bob", "team", "zoe")
    assert caller.models == ("gpt-5*", "o1-pro")
    assert (caller.rpm, caller.tpm, caller.budget_period) == (60, 1000, 30)
    assert caller.expires is not None
    assert 29 < (caller.expires - time.time()) / 86_400 < 31


def test_only_the_key_goes_to_stdout(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["keys", "create", "--database", url]) == 0
    out, err = capsys.readouterr()
    assert out.startswith("sk-")
    assert out.count("\n") == 1
    assert out.strip() not in err
    assert "will not be shown again" in err


@pytest.mark.parametrize("form", [[], ["--json"]])
def test_no_list_shows_a_key(
    url: str, form: list[str], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    key, key_id = _create(url, capsys, "--name", "bob")
    assert main(["keys", "list", "--database", url, *form]) == 0
    out = capsys.readouterr().out
    assert key_id in out
    assert "bob" in out
    assert "active" in out
    assert key not in out
    assert key.removeprefix("sk-")[:8] not in out
    assert key.encode() not in (tmp_path / "keys.db").read_bytes()


def test_a_list_says_what_was_spent(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    _, key_id = _create(url, capsys, "--budget", "5", "--budget-period", "7d")
    from decimal import Decimal

    database = open_database(url)
    for number, user in enumerate(("a", "b"), start=1):
        rows = {SpendKey(key_id, user, "gpt", 1): Spent(cost=to_pico(Decimal("0.125")))}
        database.add_spend("w", SpendBatch(number, rows), 1)
    database.close()
    assert main(["keys", "list", "--database", url, "--json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert Decimal(row["spent"]) == Decimal("0.25")
    assert Decimal(row["budget"]) == 5
    assert main(["keys", "list", "--database", url]) == 0
    assert "5.00 / 7 d  0.250000" in capsys.readouterr().out


def test_a_list_shows_the_smallest_budget_and_spend(
    url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    _, key_id = _create(url, capsys, "--budget", "0.0005", "--budget-period", "monthly")
    database = open_database(url)
    rows = {SpendKey(key_id, "a", "gpt", 1): Spent(cost=20_000)}
    database.add_spend("w", SpendBatch(1, rows), 1)
    database.close()
    assert main(["keys", "list", "--database", url]) == 0
    assert "0.0005 / 30 d  0.00000002" in capsys.readouterr().out


def test_a_revoked_key_is_refused_and_listed_as_revoked(
    url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    key, key_id = _create(url, capsys)
    assert main(["keys", "revoke", "--database", url, key_id]) == 0
    assert "key_refresh_interval" in capsys.readouterr().err
    assert not isinstance(_authenticate(url, key), ApiCaller)
    assert main(["keys", "list", "--database", url]) == 0
    assert "revoked" in capsys.readouterr().out


def test_an_expired_key_is_listed_as_expired(
    url: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    _create(url, capsys, "--expires", "1d")
    later = time.time() + 2 * 86_400
    monkeypatch.setattr(time, "time", lambda: later)
    assert main(["keys", "list", "--database", url]) == 0
    assert "expired" in capsys.readouterr().out


def test_revoking_what_is_not_there_is_a_no(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    open_database(url).close()
    assert main(["keys", "revoke", "--database", url, "key_none"]) == 1
    assert "no key key_none" in capsys.readouterr().err


def test_an_empty_list_says_so(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    open_database(url).close()
    assert main(["keys", "list", "--database", url]) == 0
    out, err = capsys.readouterr()
    assert (out, err) == ("", "no keys\n")


def test_the_database_is_that_of_the_configuration(
    url: str, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tmp_path / "config.yaml"
    config.write_text("general_settings:\n  database_url: os.environ/GATEWAY_DATABASE\n")
    monkeypatch.setenv("GATEWAY_DATABASE", url)
    assert main(["keys", "create", "--config", str(config)]) == 0
    key = capsys.readouterr().out.strip()
    assert isinstance(_authenticate(url, key), ApiCaller)


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["list"], "No database is named"),
        (["create", "--database", "k.db", "--budget", "much"], "--budget is not a positive"),
        (["create", "--database", "k.db", "--budget-period", "1d"], "--budget-period needs"),
        (["create", "--database", "k.db", "--expires", "soon"], "--expires is neither"),
        (["list", "--database", "mysql://h"], "mysql is not"),
        (["list", "--config", "none.yaml"], "none.yaml cannot be read"),
    ],
)
def test_wrong_usage_is_exit_code_2(
    arguments: list[str],
    reason: str,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["keys", *arguments]) == 2
    assert reason in capsys.readouterr().err
    assert not (tmp_path / "k.db").exists()


def test_a_configuration_without_a_database_is_told_what_to_set(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = tmp_path / "config.yaml"
    config.write_text("general_settings: {}\n")
    assert main(["keys", "list", "--config", str(config)]) == 2
    assert "general_settings.database_url" in capsys.readouterr().err


def test_a_database_that_cannot_be_opened_is_exit_code_1(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["keys", "create", "--database", str(tmp_path / "none" / "k.db")]) == 1
    assert "k.db cannot be made: No such file" in capsys.readouterr().err


@pytest.mark.parametrize("action", [["list"], ["revoke", "key_1"]])
def test_a_database_that_is_not_there_is_not_made_to_be_read(
    action: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "typo.db"
    assert main(["keys", *action, "--database", str(path)]) == 2
    assert f"There is no database {path}" in capsys.readouterr().err
    assert not path.exists()


def test_where_a_database_was_made_is_said_once(
    url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said = []
    for _ in range(2):
        assert main(["keys", "create", "--database", url]) == 0
        said.append(f"created the database {tmp_path / 'keys.db'}" in capsys.readouterr().err)
    assert said == [True, False]


@pytest.mark.parametrize("missing", ["sqlalchemy", "yaml"])
def test_a_missing_package_is_named_with_its_extra(
    missing: str,
    url: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    config = tmp_path / "config.yaml"
    config.write_text(f"general_settings: {{database_url: '{url}'}}\n")
    for name in [name for name in sys.modules if name.startswith("azure_responses.gateway.")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, missing, None)
    assert main(["keys", "list", "--config", str(config)]) == 2
    err = capsys.readouterr().err
    assert missing in err
    assert "azure-responses[gateway]" in err


def test_a_key_with_a_webhook_url_gets_a_secret_that_is_shown_once(
    url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = ["keys", "create", "--database", url, "--webhook-url", "https://hooks.example.com/a"]
    assert main(asked) == 0
    out, err = capsys.readouterr()
    secret = err.split("webhook secret: ")[1].split()[0]
    caller = _authenticate(url, out.strip())
    assert isinstance(caller, ApiCaller)
    assert (caller.webhook_url, caller.webhook_secret) == ("https://hooks.example.com/a", secret)
    assert main(["keys", "list", "--json", "--database", url]) == 0
    listed = capsys.readouterr().out
    assert secret not in listed
    assert "https://hooks.example.com/a" in listed
    assert main([*asked, "--webhook-secret", "a" * 32]) == 0
    out, err = capsys.readouterr()
    assert "webhook secret" not in err
    caller = _authenticate(url, out.strip())
    assert isinstance(caller, ApiCaller)
    assert caller.webhook_secret == "a" * 32
