"""What a key allows, read from the words of a configuration file or a command line."""

from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from decimal import Decimal, InvalidOperation
from secrets import token_bytes
from typing import Any

from azure_responses.errors import ConfigurationError
from azure_responses.gateway.allowed_routes import read_routes
from azure_responses.gateway.budget import read_expiry, read_period
from azure_responses.gateway.key_strength import find_weakness
from azure_responses.gateway.key_table import MASTER, ApiCaller, StoredKey, hash_key
from azure_responses.gateway.spend import to_pico
from azure_responses.gateway.webhook_event import check_url
from azure_responses.gateway.yaml_reader import Document, Path, show_path
from azure_responses.protocol.webhook_signature import sign

__all__ = ["TERMS", "TermError", "make_webhook_secret", "read_file_keys", "read_terms"]

TERMS: Mapping[str, str] = {
    "name": "name",
    "key_alias": "name",
    "owner": "owner",
    "user_id": "owner",
    "models": "models",
    "allowed_routes": "allowed_routes",
    "rpm": "rpm",
    "rpm_limit": "rpm",
    "tpm": "tpm",
    "tpm_limit": "tpm",
    "budget": "budget",
    "max_budget": "budget",
    "budget_period": "budget_period",
    "budget_duration": "budget_period",
    "expires": "expires",
    "end_user": "end_user",
    "webhook_url": "webhook_url",
    "webhook_secret": "webhook_secret",
    "max_upload_bytes": "max_upload_bytes",
}
"""The terms by the names they may have; those with `_` second are LiteLLM's."""

_DEFAULTS = "default_key_generate_params"
_LONGEST = 200
_LONGEST_URL = 1000
_SHORTEST_SECRET = 24


class TermError(ValueError):
    """A term that cannot be used: `term` by the name it was given under, and what is wrong."""

    def __init__(self, term: str, reason: str) -> None:
        super().__init__(f"{term} {reason}")
        self.term = term
        self.reason = reason


def read_terms(
    terms: Mapping[str, Any], *, key_id: str, now: float | None, created: float
) -> ApiCaller:
    """The caller that a key with these terms makes; a term of None is not given.

    Args:
        terms: by the names in `TERMS`; models and routes as a list or text with commas, a budget in
            dollars.
        now: unix seconds, for an expiry such as `30d`; None takes dates only, past ones too.
        created: unix seconds, from whose day the periods of a budget count.

    Raises:
        TermError: a value cannot be used.
    """
    fields: dict[str, Any] = {}
    for term, value in terms.items():
        if value is not None:
            fields[TERMS[term]] = _read(term, value, now)
    if fields.get("budget_period") is not None and "budget" not in fields:
        raise TermError("budget_period", "needs a budget")
    if fields.get("webhook_url") is not None and "webhook_secret" not in fields:
        raise TermError("webhook_url", "needs a webhook_secret")
    fields.setdefault("name", key_id)
    fields.setdefault("owner", key_id)
    return ApiCaller(key_id=key_id, created=created, **fields)


def _read(term: str, value: Any, now: float | None) -> Any:
    name = TERMS[term]
    try:
        if name == "expires":
            return read_expiry(_read_text(value), now)
        read = _READERS.get(name)
        return _read_text(value) if read is None else read(value)
    except ValueError as error:
        raise TermError(term, str(error)) from error


def _read_text(value: Any, longest: int = _LONGEST) -> str:
    if not isinstance(value, str) or not 0 < len(value.strip()) <= longest:
        raise ValueError(f"is not a text of up to {longest} characters")
    # Names stand in logs, where a line break would begin an entry of its own.
    if not value.isprintable():
        raise ValueError("has characters that cannot be printed")
    return value.strip()


def _read_secret(value: Any) -> str:
    secret = _read_text(value)
    try:
        sign(b"", "check", 0, secret)
    except ConfigurationError as error:
        raise ValueError(f"cannot sign webhooks: {error.message.removesuffix('.')}") from None
    # As many bytes as Standard Webhooks ask for at least.
    if len(secret) < _SHORTEST_SECRET:
        raise ValueError(f"is shorter than {_SHORTEST_SECRET} characters")
    return secret


def make_webhook_secret() -> str:
    """A new secret that webhooks are signed with: `whsec_` and 256 random bits in base64."""
    return "whsec_" + b64encode(token_bytes(32)).decode()


def _read_models(value: Any) -> tuple[str, ...]:
    names = value.split(",") if isinstance(value, str) else value
    if not isinstance(names, list):
        raise ValueError("is not a list of models")
    for name in names:
        if name in _OF_LITELLM:
            raise ValueError(f"has {name!r}, {_OF_LITELLM[name]}")
    return tuple(_read_text(name) for name in names)


# Names that LiteLLM's keys may have in place of models, and why they mean nothing here.
_OF_LITELLM = {
    "all-team-models": "but there are no teams here; name the models",
    "no-default-models": "which keeps users from all models; name those of the key",
}


def _read_count(value: Any) -> int:
    # Redis scripts count in doubles, which are exact up to 2**53.
    if isinstance(value, bool) or not isinstance(value, int) or not 0 < value < 2**53:
        raise ValueError("is not a positive whole number")
    return value


def _read_budget(value: Any) -> int:
    try:
        dollars = Decimal("nan") if isinstance(value, bool) else Decimal(str(value))
    except InvalidOperation:
        dollars = Decimal("nan")
    if not dollars.is_finite() or not 0 < dollars <= 9_000_000:
        raise ValueError("is not a positive number of US dollars")
    return to_pico(dollars)


_READERS: Mapping[str, Callable[[Any], Any]] = {
    "models": _read_models,
    "allowed_routes": read_routes,
    "rpm": _read_count,
    "tpm": _read_count,
    "max_upload_bytes": _read_count,
    "budget": _read_budget,
    "budget_period": lambda value: read_period(_read_text(value)),
    "webhook_url": lambda value: check_url(_read_text(value, _LONGEST_URL)),
    "webhook_secret": _read_secret,
}

_SECTION = "virtual_keys"
_WEBHOOK = ("webhook_url", "webhook_secret")


def read_file_keys(document: Document) -> tuple[tuple[StoredKey, ...], str | None]:
    """The keys of a file, and why the first weak one is easy to guess, or None.

    Args:
        document: with its variables resolved; what is wrong is added to its problems.
    """
    reading = _KeysReader(document)
    keys = tuple(reading.read())
    return keys, reading.weakest


class _KeysReader:
    def __init__(self, document: Document) -> None:
        self._document = document
        self._names: set[str] = {MASTER.key_id}
        self._digests: set[bytes] = set()
        self.weakest: str | None = None
        self._defaults = self._read_defaults()

    def _read_defaults(self) -> dict[str, Any]:
        """The terms of keys that do not say otherwise, as LiteLLM names them."""
        section = self._document.value.get("litellm_settings")
        given = section.get(_DEFAULTS) if isinstance(section, Mapping) else None
        path: Path = ("litellm_settings", _DEFAULTS)
        if given is not None and not isinstance(given, Mapping):
            self._document.report(path, "This is not a mapping of terms to values.")
        terms = dict(given) if isinstance(given, Mapping) else {}
        for name in terms.keys() - TERMS.keys():
            self._document.report_unknown((*path, name), TERMS)
        kept = {name: value for name, value in terms.items() if name in TERMS}
        try:
            read_terms(kept, key_id="default", now=None, created=0.0)
        except TermError as error:
            self._document.report((*path, error.term), f"The value {error.reason}.")
            return {}
        return kept

    def read(self) -> Iterator[StoredKey]:
        general = self._document.value.get("general_settings")
        master = general.get("master_key") if isinstance(general, dict) else None
        if isinstance(master, str) and master.strip():
            digest = self._take(master, ("general_settings", "master_key"))
            yield StoredKey(self._read_master(general), digest)
        entries = self._document.value.get(_SECTION)
        if entries is not None and not isinstance(entries, list):
            self._document.report((_SECTION,), "This is not a list of keys.")
            return
        for index, entry in enumerate(entries or []):
            yield from self._read_entry(entry, (_SECTION, index))

    def _read_master(self, general: Mapping[str, Any]) -> ApiCaller:
        """The caller with the master key, who also gets webhooks about objects of no key."""
        terms = {name: general.get(name) for name in _WEBHOOK}
        try:
            read = read_terms(terms, key_id=MASTER.key_id, now=None, created=0.0)
        except TermError as error:
            self._document.report(("general_settings", error.term), f"The value {error.reason}.")
            return MASTER
        return replace(MASTER, **{name: getattr(read, name) for name in _WEBHOOK})

    def _read_entry(self, entry: Any, path: Path) -> Iterator[StoredKey]:
        if not isinstance(entry, Mapping):
            self._document.report(path, "This entry is not a mapping of keys to values.")
            return
        terms = {name: value for name, value in entry.items() if name in TERMS}
        given = {TERMS[name] for name, value in terms.items() if value is not None}
        terms |= {name: v for name, v in self._defaults.items() if TERMS[name] not in given}
        for name in entry.keys() - TERMS.keys() - {"key"}:
            self._document.report_unknown((*path, name), [*TERMS, "key"])
        digest = self._read_key(entry, path)
        key_id = self._read_name(entry, path)
        if digest is None or key_id is None:
            return
        try:
            # Periods count from a day that every replica and every start agree on.
            caller = read_terms(terms, key_id=key_id, now=None, created=0.0)
        except TermError as error:
            self._document.report((*path, error.term), f"The value {error.reason}.")
        else:
            yield StoredKey(caller, digest)

    def _read_key(self, entry: Mapping[str, Any], path: Path) -> bytes | None:
        key = entry.get("key")
        if isinstance(key, str) and key.strip():
            if hash_key(key.strip()) not in self._digests:
                return self._take(key, (*path, "key"))
            hint = "Give every entry a key of its own."
            self._document.report((*path, "key"), "This key is there twice.", hint)
            return None
        # A variable that is not set has been reported already.
        if not self._has_error((*path, "key")):
            self._document.report(
                (*path, "key"), "This entry has no key.", hint="Give it os.environ/NAME."
            )
        return None

    def _read_name(self, entry: Mapping[str, Any], path: Path) -> str | None:
        """The name by which totals know a key: they outlive the process, and the key itself."""
        name = entry.get("name") or entry.get("key_alias")
        if not isinstance(name, str) or not name.strip():
            self._document.report(
                path, "This key has no name.", hint="Give it a name, for logs and totals."
            )
            return None
        # Generated ids begin with `key_`: two keys of one name would share their totals and budget.
        if name.strip() in self._names or name.startswith("key_"):
            self._document.report(
                (*path, "name"), f"The name {name!r} is taken.", hint="Choose another."
            )
            return None
        self._names.add(name.strip())
        return name.strip()

    def _take(self, key: str, path: Path) -> bytes:
        digest = hash_key(key.strip())
        self._digests.add(digest)
        weakness = find_weakness(key)
        if weakness and self.weakest is None:
            self.weakest = f"{show_path(path)} {weakness}"
        return digest

    def _has_error(self, path: Path) -> bool:
        return any(problem.path == show_path(path) for problem in self._document.problems)
