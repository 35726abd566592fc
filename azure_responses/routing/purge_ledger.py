"""The ledger of what is stored at the service: its entries, and what a purge makes of them.

Entries are for responses and for objects: files, vector stores, containers and the like. The two
are kept apart, because versions before objects would take an object's entry for one of a response
and delete a response of that id, which nothing would be found under.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any

from azure_responses.errors import (
    AzureResponsesError,
    InternalServerError,
    ResponseNotFoundError,
)

__all__ = [
    "FACETS",
    "KINDS",
    "LedgerEntry",
    "NEVER",
    "RETENTION",
    "PurgeProgress",
    "PurgeReceipt",
    "complete_entry",
    "decode_entry",
    "encode_entry",
    "newest_first",
    "object_entry",
    "object_key",
    "READABLE_AFTER",
    "judge_missing",
]

KINDS = ("files", "uploads", "containers", "conversations", "vector_stores", "batches", "skills")
"""Collections of objects, as the API names them; an entry with another kind is for a response."""

RETENTION = 30 * 24 * 3600.0
"""Seconds for which the service keeps a stored response: 30 days (How to use the Responses API,
learn.microsoft.com)."""

NEVER = 253_402_300_799.0
"""When an entry expires whose object the service keeps until it is deleted: at the end of the year
9999, which is a time that every store can write."""

FACETS: Mapping[str, str] = {"files": "purpose", "containers": "name"}
"""The field by which a list of a kind can be asked for some of its objects only."""

_LONGEST_REASON = 300
# Of a second, in milliseconds as stores count.
_LAST = 0.999
# An end user who keeps calling would keep the run alive for ever.
_MOST_PASSES = 10
_LATE = "it was made while the purge ran; purge again"
_RESPONSE = "response"
# Files last: vector stores and batches name them, and batches have written some.
_IN_ORDER = (*(kind for kind in KINDS if kind != "files"), "files")
# Containers end after 20 minutes without use. Responses use them without naming them here, so that
# an entry must outlive any number of such renewals; one of a container that is gone does no harm.
_ENDING = frozenset({_RESPONSE, "containers"})


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """One stored response or object.

    Attributes:
        response_id: as the service knows it, without our label; of an object as well.
        deployment, resource: tags of the deployment that made it and of what stores it.
        end_user: for whom it was made, or None.
        owner: who may use it, or None.
        created, expires: unix seconds; the service keeps responses for 30 days. `NEVER` for what is
            kept until it is deleted.
        kind: "response", or the collection of an object, such as "files".
        facet: what lists of its kind are filtered by, such as the purpose of a file.
        copies: of a file that was uploaded to several resources, all of them: (resource, id). Each
            copy has such an entry.
    """

    response_id: str
    deployment: str
    resource: str
    end_user: str | None = None
    owner: str | None = None
    created: float = 0.0
    expires: float = 0.0
    kind: str = _RESPONSE
    facet: str | None = None
    copies: tuple[tuple[str, str], ...] = ()

    @property
    def key(self) -> str:
        """The name of the entry: of a response its id, of an object also where it is stored."""
        if self.is_response:
            return self.response_id
        return object_key(self.kind, self.resource, self.response_id)

    @property
    def ids(self) -> tuple[str, ...]:
        """The id of each copy."""
        return tuple(each for _, each in self.copies) or (self.response_id,)

    @property
    def is_response(self) -> bool:
        """True for a stored response."""
        return self.kind == _RESPONSE

    @property
    def is_listed(self) -> bool:
        """It stands in lists: of several copies of a file, one does."""
        return not self.copies or self.copies[0] == (self.resource, self.response_id)

    def is_for(self, owner: str | None, end_user: str | None, facet: str | None = None) -> bool:
        """True if owner, end user and facet match; None matches any."""
        return (
            (owner is None or owner == self.owner)
            and (end_user is None or end_user == self.end_user)
            and (facet is None or facet == self.facet)
        )


def object_key(kind: str, resource: str, object_id: str) -> str:
    """The name of an object's entry: resources that know nothing of each other give out ids."""
    return f"{kind}:{resource}:{object_id}"


def object_entry(
    kind: str,
    answer: Mapping[str, Any],
    *,
    deployment: str,
    resource: str,
    owner: str | None,
    end_user: str | None,
    now: float,
    is_for_all: bool = False,
) -> LedgerEntry | None:
    """What to remember of an object that was made; None where it was made for no one in particular.

    Args:
        kind: the collection.
        answer: the object as the service describes it.
        deployment, resource: tags of the deployment that was asked, and of its resource.
        owner, end_user: for whom it was made.
        now: unix seconds.
        is_for_all: remember it all the same.
    """
    found = answer.get("id")
    is_wanted = is_for_all or owner is not None or end_user is not None
    if not isinstance(found, str) or not is_wanted:
        return None
    created = _time_in(answer, "created_at")
    # The service gives whole seconds; what is made within one stays in the order of its making.
    created = now if created is None else created + min(max(now - created, 0.0), _LAST)
    # The `expires_at` of a batch or a vector store is when its work ends; it is kept after that.
    ends = _time_in(answer, "expires_at") if kind in ("files", "uploads") else None
    expires = ends or (now + RETENTION if kind in _ENDING else NEVER)
    facet = answer.get(FACETS.get(kind, ""))
    return LedgerEntry(
        found,
        deployment,
        resource,
        end_user,
        owner,
        created,
        expires,
        kind,
        facet if isinstance(facet, str) else None,
    )


def _time_in(answer: Mapping[str, Any], name: str) -> float | None:
    value = answer.get(name)
    if not isinstance(value, int | float) or isinstance(value, bool):
        return None
    return float(value) if 0 < value < NEVER else None


def newest_first(entries: Iterable[LedgerEntry]) -> list[LedgerEntry]:
    """Entries in the order of lists: what was created last comes first."""
    return sorted(entries, key=lambda entry: (entry.created, entry.key), reverse=True)


@dataclass(frozen=True, slots=True)
class PurgeReceipt:
    """What became of what is stored for one end user.

    Attributes:
        end_user: whose responses and objects were to be deleted.
        deleted: ids of what this run deleted, as the service knows them. Of a batch, which cannot
            be deleted, its output files are.
        already_gone: ids of what the service no longer had.
        failed: id → why it could not be deleted; it stays in the ledger for the next run.
        is_complete: nothing of the end user was left in the ledger when the run ended.
        started, finished: unix seconds.
        owner: the run was limited to what this owner may use; None for all.
        kinds: id → kind ("files", "containers", …) of each id above that is not of a response.
        would_delete: ids of what a dry run would try to delete.
        is_dry_run: nothing was deleted.
    """

    end_user: str
    deleted: tuple[str, ...] = ()
    already_gone: tuple[str, ...] = ()
    failed: Mapping[str, str] = field(default_factory=dict)
    is_complete: bool = True
    started: float = 0.0
    finished: float = 0.0
    owner: str | None = None
    kinds: Mapping[str, str] = field(default_factory=dict)
    would_delete: tuple[str, ...] = ()
    is_dry_run: bool = False

    def to_dict(self) -> dict[str, Any]:
        """The receipt as JSON values; fields about objects and dry runs only if there are any."""
        more: dict[str, Any] = {"kinds": dict(self.kinds)} if self.kinds else {}
        if self.is_dry_run:
            more |= {"dry_run": True, "would_delete": list(self.would_delete)}
        return {
            "end_user": self.end_user,
            "owner": self.owner,
            "deleted": list(self.deleted),
            "already_gone": list(self.already_gone),
            "failed": dict(self.failed),
            "is_complete": self.is_complete,
            "started": self.started,
            "finished": self.finished,
            **more,
        }


class PurgeProgress:
    """One run of a purge: which entries it has met, and what became of each.

    The run reads the ledger in passes, from its beginning to its end and page by page, until a
    pass finds nothing new. Each pass reads the responses and then each kind of objects. Such a pass
    does not come where responses are made all the time, so that the number of passes is limited;
    the last one only lists what it finds.

    Args:
        end_user: whose responses are deleted.
        owner: only entries of this owner; None for all.
        is_dry_run: what is found is only listed.

    Attributes:
        wants_page: the pass under way goes on with the page of `kind` after `after`.
        kind: "response", or the kind of the objects that are read.
        after: the last entry of the page before, or None at the beginning.
    """

    def __init__(
        self, end_user: str, owner: str | None = None, *, is_dry_run: bool = False
    ) -> None:
        self.end_user = end_user
        self.owner = owner
        self.is_dry_run = is_dry_run
        self.wants_page = False
        self.kind = _RESPONSE
        self._kinds_left: list[str] = []
        self._kinds: dict[str, str] = {}
        self._found: list[str] = []
        self.after: LedgerEntry | None = None
        self._deleted: list[str] = []
        self._gone: list[str] = []
        self._failed: dict[str, str] = {}
        self._met: set[str] = set()
        self._passes = 0
        self._began = 0.0
        self._has_new = True

    def begin_pass(self, now: float) -> bool:
        """Begin to read the ledger; False when the run is over. `now` is unix seconds."""
        if not self._has_new or self._passes > _MOST_PASSES:
            return False
        if self.is_dry_run and self._passes:
            return False
        self._passes += 1
        self._began, self._has_new = now, False
        self._kinds_left = [_RESPONSE, *_IN_ORDER]
        self._begin_kind()
        return True

    def _begin_kind(self) -> None:
        self.wants_page = bool(self._kinds_left)
        if self.wants_page:
            self.kind, self.after = self._kinds_left.pop(0), None

    def take(self, page: Sequence[LedgerEntry]) -> list[LedgerEntry]:
        """Those of a page to be deleted: of the right owner, and not met before in this run."""
        fresh = []
        for entry in page:
            if self._is_wanted(entry):
                self._met.add(entry.key)
                fresh.append(entry)
        self._has_new = self._has_new or bool(fresh)
        self.after = page[-1] if page else None
        # What is made while the ledger is read is for the next pass, or this one might never end.
        if self.after is None or self.after.created > self._began:
            self._begin_kind()
        if self.is_dry_run:
            for entry in fresh:
                self._note(entry, self._found)
            return []
        if self._passes <= _MOST_PASSES:
            return fresh
        for entry in fresh:
            self.note_failed(entry, _LATE)
        return []

    def _is_wanted(self, entry: LedgerEntry) -> bool:
        is_of_owner = self.owner is None or entry.owner == self.owner
        return is_of_owner and entry.key not in self._met

    def note_deleted(self, entry: LedgerEntry) -> None:
        """The service deleted it."""
        self._note(entry, self._deleted)

    def note_gone(self, entry: LedgerEntry) -> None:
        """The service no longer had it."""
        self._note(entry, self._gone)

    def _note(self, entry: LedgerEntry, ids: list[str]) -> None:
        for each in entry.ids:
            ids.append(each)
            self._note_kind(each, entry)

    def _note_kind(self, each: str, entry: LedgerEntry) -> None:
        if not entry.is_response:
            self._kinds[each] = entry.kind

    def note_failed(self, entry: LedgerEntry, reason: str) -> None:
        """It could not be deleted; `reason` is shortened."""
        self._failed[entry.response_id] = reason[:_LONGEST_REASON]
        self._note_kind(entry.response_id, entry)

    def receipt(self, started: float, finished: float, *, is_complete: bool) -> PurgeReceipt:
        """What the run comes to; times are unix seconds."""
        return PurgeReceipt(
            end_user=self.end_user,
            deleted=tuple(self._deleted),
            already_gone=tuple(self._gone),
            failed=dict(self._failed),
            is_complete=is_complete and not self._failed,
            started=started,
            finished=finished,
            owner=self.owner,
            kinds=dict(self._kinds),
            would_delete=tuple(self._found),
            is_dry_run=self.is_dry_run,
        )


_FIELDS = tuple(field.name for field in fields(LedgerEntry))


def complete_entry(entry: LedgerEntry, now: float) -> LedgerEntry:
    """The entry with the times it lacks: made now (unix seconds), kept as long as its kind is."""
    # Entries are made by pure code, which reads no clock; the store that keeps them does.
    if entry.created and entry.expires:
        return entry
    created = entry.created or now
    expires = created + RETENTION if entry.kind in _ENDING else NEVER
    return replace(entry, created=created, expires=entry.expires or expires)


def encode_entry(entry: LedgerEntry) -> str:
    """An entry as compact JSON; what is None is left out."""
    values = asdict(entry)
    if entry.is_response:
        del values["kind"]
    values["copies"] = entry.copies or None
    values = {"id": values.pop("response_id"), **values}
    # One entry per stored response stays in Redis for 30 days: what is None is left out.
    kept = {name: value for name, value in values.items() if value is not None}
    return json.dumps(kept, separators=(",", ":"))


def decode_entry(text: str | bytes) -> LedgerEntry:
    """An entry from `encode_entry`; names that a later version added are passed over.

    Raises ValueError for anything else.
    """
    try:
        values = json.loads(text)
        values["response_id"] = values.pop("id")
        values["copies"] = tuple((where, which) for where, which in values.get("copies", ()))
        return LedgerEntry(**{name: values[name] for name in _FIELDS if name in values})
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ValueError("The text is not an entry of the ledger.") from error


READABLE_AFTER = 60.0
"""Seconds after which a stored response that is not found is gone: before that it may not be
readable yet (32.7 s at worst in 79 samples, dotnet/extensions #7704)."""


def judge_missing(
    error: ResponseNotFoundError, entry: LedgerEntry, now: float
) -> AzureResponsesError:
    """The error as it is, or another one where the response may only not be readable yet.

    `now` is unix seconds.
    """
    # A 404 is the proof of a deletion only once the response must have been readable: a purge that
    # took an early 404 for "gone" would leave the response in the service for 30 days.
    age = now - entry.created
    if age >= READABLE_AFTER:
        return error
    return InternalServerError(
        f"It was not found, but it was made only {max(age, 0.0):.0f} s ago and may not be readable "
        "yet.",
        status_code=503,
        hint="Purge again in a minute.",
    )
