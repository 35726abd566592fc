"""The master key and the virtual keys of a configuration file."""

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Any

from azure_responses.gateway.caller import MASTER
from azure_responses.gateway.document import Document
from azure_responses.gateway.findings import Finding, Path, Severity, show_path
from azure_responses.gateway.key_terms import TERMS, TermError, read_terms
from azure_responses.gateway.keys import StoredKey, hash_key
from azure_responses.gateway.safety import find_weakness

__all__ = ["read_file_keys"]

_SECTION = "virtual_keys"


def read_file_keys(document: Document) -> tuple[tuple[StoredKey, ...], str | None]:
    """The keys of a file, and why the first weak one is easy to guess, or None.

    Args:
        document: with its variables resolved; what is wrong is added to its findings.
    """
    reading = _Reading(document)
    keys = tuple(reading.read())
    return keys, reading.weakest


class _Reading:
    def __init__(self, document: Document) -> None:
        self._document = document
        self._names: set[str] = {MASTER.key_id}
        self._digests: set[bytes] = set()
        self.weakest: str | None = None

    def read(self) -> Iterator[StoredKey]:
        general = self._document.value.get("general_settings")
        master = general.get("master_key") if isinstance(general, dict) else None
        if isinstance(master, str) and master.strip():
            yield StoredKey(MASTER, self._take(master, ("general_settings", "master_key")))
        rows = self._document.value.get(_SECTION)
        if rows is not None and not isinstance(rows, list):
            self._find((_SECTION,), "This is no list of keys.")
            return
        for index, row in enumerate(rows or []):
            yield from self._read_row(row, (_SECTION, index))

    def _read_row(self, row: Any, path: Path) -> Iterator[StoredKey]:
        if not isinstance(row, Mapping):
            self._find(path, "This row is not a mapping of keys to values.")
            return
        terms = {name: value for name, value in row.items() if name in TERMS}
        for name in row.keys() - TERMS.keys() - {"key"}:
            self._unknown((*path, name))
        digest = self._read_key(row, path)
        key_id = self._read_name(row, path)
        if digest is None or key_id is None:
            return
        try:
            # Periods count from a day that every replica and every start agree on.
            caller = read_terms(terms, key_id=key_id, now=None, created=0.0)
        except TermError as error:
            self._find((*path, error.term), f"The value {error.reason}.")
        else:
            yield StoredKey(caller, digest)

    def _read_key(self, row: Mapping[str, Any], path: Path) -> bytes | None:
        key = row.get("key")
        if isinstance(key, str) and key.strip():
            if hash_key(key.strip()) not in self._digests:
                return self._take(key, (*path, "key"))
            hint = "Give every row a key of its own."
            self._find((*path, "key"), "This key stands twice.", hint)
            return None
        if not self._has_error((*path, "key")):
            self._find((*path, "key"), "This row has no key.", hint="Give it os.environ/NAME.")
        return None

    def _read_name(self, row: Mapping[str, Any], path: Path) -> str | None:
        """The name by which totals know a key: they outlive the process, and the key itself."""
        name = row.get("name") or row.get("key_alias")
        if not isinstance(name, str) or not name.strip():
            self._find(path, "This key has no name.", hint="Give it a name, for logs and totals.")
            return None
        if name.strip() in self._names or name.startswith("key_"):
            self._find((*path, "name"), f"The name {name!r} is taken.", hint="Choose another.")
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
        return any(finding.path == show_path(path) for finding in self._document.findings)

    def _unknown(self, path: Path) -> None:
        close = get_close_matches(str(path[-1]), [*TERMS, "key"], n=1)
        hint = f"Did you mean {close[0]}?" if close else "Remove it."
        self._find(path, "This key is not known and has no effect.", hint, "warning")

    def _find(
        self, path: Path, message: str, hint: str | None = None, severity: Severity = "error"
    ) -> None:
        line = self._document.line(path)
        self._document.findings.append(Finding(severity, message, show_path(path), line, hint))
