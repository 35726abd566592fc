"""A call on a stored object as a router reads it, and what one attempt sends of it."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

from azure_responses.protocol.conversion import APIName
from azure_responses.protocol.object_request import Content, Form, ObjectRequest, ReceivedForm
from azure_responses.protocol.object_table import OBJECT_OPERATIONS
from azure_responses.protocol.operation_table import APIOperation
from azure_responses.router.prepared_request import PreparedRequest, Reader, options_of
from azure_responses.router.upstream import UpstreamRequest
from azure_responses.router.upstream_reply import to_bytes
from azure_responses.routing.affinity import RequestIds, pin_of
from azure_responses.routing.asked_object import OWN_FIELDS
from azure_responses.routing.deployment import Deployment
from azure_responses.routing.id_rewriter import IdRewriter
from azure_responses.routing.id_schema import reply_place
from azure_responses.routing.object_lists import Order, Read
from azure_responses.routing.purge_ledger import KINDS, LedgerEntry, object_entry, object_key
from azure_responses.routing.route_request import Pin, RouteRequest
from azure_responses.routing.routed_call import RoutedCall
from azure_responses.routing.signed_id import SignedId
from azure_responses.timeouts import Timeout

__all__ = ["NOT_SENT", "ObjectCall", "RoutedObject"]

NOT_SENT = (*OWN_FIELDS, "custom_llm_provider", "litellm_metadata", "target_storage")
"""Fields of a form that are for a router, or for LiteLLM: Azure does not know them."""

# Operations that make an object → its kind, and the field of the reply that describes it.
_MAKING: Mapping[str, tuple[str, str]] = {
    **{f"{kind}.create": (kind, "") for kind in KINDS},
    "uploads.complete": ("files", "file"),
}
_NAMING_FILES = frozenset(
    {"vector_stores.files.list", "vector_stores.file_batches.list_files", "vector_stores.search"}
)
_PAGING = frozenset({"after", "before", "limit", "order"})
_ENDING = frozenset({*(f"{kind}.delete" for kind in KINDS), "uploads.complete", "uploads.cancel"})


@dataclass(slots=True)
class ObjectCall:
    """What is asked of a router, as it came.

    Attributes:
        row: of the table of object operations.
        ids: the variable parts of the path, in order, as the caller knows them.
        query: of the URL; names that the row does not have are not sent.
        body: the JSON object that was read, or the fields of a form; None without either.
        content: the body as it is sent where nothing in it has to be changed; a form always is.
        content_type: of `content`; of JSON by default.
        pieces: a body that is sent as it is read, in place of `content`.
        form: of a typed call, in place of both.
        received: a form that is sent on, in place of all three.
        model: the model at whose resource an object is made; else body, query and headers say it.
        headers: names in lower case; those that name a model are read.
        owner, end_user: who asks, for whom.
        must_own: the owner may only use objects that a router gave out.
        may_call: which models the caller may call; None for all.
        options: `timeout`, `extra_headers` and the others.
        call_id: names the call, to Azure as `x-ms-client-request-id`.
        replicates, models: whether a file is uploaded to several resources, and for which models;
            see `AskedObject`.
    """

    row: APIOperation
    ids: Sequence[str] = ()
    query: Mapping[str, Any] = field(default_factory=dict)
    body: Mapping[str, Any] | None = None
    content: bytes | None = None
    content_type: str = "application/json"
    pieces: Content | None = None
    form: Form | None = None
    received: ReceivedForm | None = None
    model: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    owner: str | None = None
    end_user: str | None = None
    must_own: bool = False
    may_call: Callable[[str], bool] | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    call_id: str | None = None
    replicates: bool | None = None
    models: tuple[str, ...] = ()

    @property
    def is_form(self) -> bool:
        """`content` is a form, not JSON."""
        return self.content_type.startswith("multipart/")

    @classmethod
    def of(cls, request: ObjectRequest, **more: Any) -> "ObjectCall":
        """The call of a typed resource."""
        row = OBJECT_OPERATIONS[request.operation]
        body = request.body
        if request.form is not None:
            body = dict(request.form.fields)
        return cls(row, request.ids, request.query, body, form=request.form, **more)


@dataclass(slots=True)
class RoutedObject:
    """A call on a stored object.

    Attributes:
        route_request: what routing is asked.
        call: as it came.
        ids: of the path, as the service knows them.
        query: with the ids in it as the service knows them.
        body_ids: the ids of the body; None without a body.
        is_changed: fields of the body were left out.
        given: ids as the service knows them → as the caller gave them.
        timeout: for the whole call.
        pieces: the body that is sent as it is read, one for all attempts.
        copied: ids of path and query that stand for a file with copies: that of the first copy →
            all of them.
        resources: of a list, the tags of the resources whose objects it has; of an upload, of those
            that get a copy.
        warnings: what was left out of the body, one sentence each.
    """

    reader: Reader
    route_request: RouteRequest
    call: ObjectCall
    ids: tuple[str, ...]
    query: Mapping[str, Any]
    body_ids: RequestIds | None
    is_changed: bool
    given: Mapping[str, str]
    timeout: Timeout
    pieces: Content | None = None
    copied: Mapping[str, SignedId] = field(default_factory=dict)
    resources: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    is_about_stored: ClassVar[bool] = True
    is_background: ClassVar[bool] = False
    is_stream: ClassVar[bool] = False
    caller: ClassVar[APIName] = "responses"
    drops_usage: ClassVar[bool] = False
    known_id: ClassVar[str | None] = None
    given_id: ClassVar[str | None] = None
    starting_after: ClassVar[int | None] = None

    @property
    def row(self) -> APIOperation:
        """What is asked."""
        return self.call.row

    @property
    def operation(self) -> str:
        """The name of the row."""
        return self.call.row.name

    @property
    def owner(self) -> str | None:
        """Who asks."""
        return self.call.owner

    def at(self, resource: str) -> "RoutedObject":
        """The same call at one resource, by its tag: for calls that several resources answer."""
        pin = Pin(resource, None, "model")
        return replace(self, route_request=self.route_request._replace(pin=pin))

    def about(self, operation: str, label: SignedId) -> "RoutedObject":
        """Another operation on one object, for the same caller: on any of its copies."""
        row = OBJECT_OPERATIONS[operation]
        call = replace(self.call, row=row, query={}, body=None, content=None, form=None)
        return replace(
            self,
            route_request=self.route_request._replace(pin=pin_of(label, "id")),
            call=call,
            ids=(label.inner,),
            query={},
            body_ids=None,
            pieces=None,
            copied={label.inner: label} if label.copies else {},
            resources=(),
        )

    def giving(self, labels: Mapping[str, str]) -> "RoutedObject":
        """The same call, in whose reply some ids (as the service knows them) have other labels."""
        return replace(self, given={**self.given, **labels})

    def reading(self, read: Read, order: Order) -> "RoutedObject":
        """The call that reads one page of one resource's list."""
        kept = {name: value for name, value in self.query.items() if name not in _PAGING}
        query = {**kept, "limit": str(read.limit)}
        if read.after is not None:
            query["after"] = read.after
        if "order" in self.row.query:
            query["order"] = "desc" if order.is_descending else "asc"
        return replace(self.at(read.resource), query=query, resources=())

    def prepare(
        self,
        deployment: Deployment,
        call: RoutedCall,
        *,
        drops_params: bool = False,
        api: APIName = "responses",
    ) -> PreparedRequest:
        """What is sent to one deployment of the resource."""
        body, content = None, None
        if self.pieces is None:
            body, content = self._body_for(deployment)
        ids, query = self._named_at(deployment.resource)
        request = UpstreamRequest(
            self.operation,
            options=options_of(self.call.options, self.timeout),
            call_id=self.call.call_id,
            asked=ObjectRequest(self.operation, ids, query, body),
            content=content,
            pieces=self.pieces,
            content_type=self.call.content_type,
        )
        return PreparedRequest(request, self.rewriter(deployment))

    def _named_at(self, resource: str) -> tuple[tuple[str, ...], Mapping[str, Any]]:
        """The ids of path and query as one resource knows them."""
        if not self.copied:
            return self.ids, self.query
        known = {inner: label.at(resource) for inner, label in self.copied.items()}
        query = {
            name: known.get(value, value) if isinstance(value, str) else value
            for name, value in self.query.items()
        }
        return tuple(known.get(each, each) for each in self.ids), query

    @property
    def is_used_up(self) -> bool:
        """The body can be read only once, and has been: there is no further attempt."""
        return self.pieces is not None and not self.pieces.is_repeatable

    @property
    def _pinned(self) -> str | None:
        """The resource that the call goes to, as far as its ids say."""
        pin = self.route_request.pin
        return None if pin is None or pin.is_wish else pin.resource

    @property
    def form(self) -> Form | None:
        """The form of a typed call, without the fields for us and with the service's own ids."""
        form = self.call.form
        if form is None or self.body_ids is None:
            return None
        body = self.body_ids.unlabel(self._pinned).body
        kept = [(name, value) for name, value in form.fields if name in body]
        # A name that stands more than once holds no id.
        names = [name for name, _ in kept]
        fields = [(n, body[n] if names.count(n) == 1 else value) for n, value in kept]
        return Form(fields, form.files)

    def send_on(self, received: ReceivedForm) -> None:
        """Send a form that was received, with the service's own ids and without fields for us."""
        assert self.body_ids is not None
        body, given = self.body_ids.unlabel(self._pinned).body, received.values
        changes = {name: body[name] for name in body if body[name] != given[name]}
        content = received.content({**dict.fromkeys(NOT_SENT), **changes})
        if isinstance(content, bytes):
            self.call = replace(self.call, content=content, content_type=received.content_type)
        else:
            self.pieces = content

    def entry(
        self,
        answer: Mapping[str, Any] | None,
        deployment: Deployment,
        *,
        is_for_all: bool = False,
    ) -> LedgerEntry | None:
        """What to remember of an object that was made, for lists and for a purge.

        With `is_for_all` also of one that was made for no one in particular.
        """
        made = _MAKING.get(self.operation)
        if made is None or answer is None:
            return None
        kind, field_name = made
        found = answer.get(field_name) if field_name else answer
        if not isinstance(found, Mapping):
            return None
        return object_entry(
            kind,
            found,
            # The tag in the ids of objects, which have one id by whichever deployment.
            deployment=deployment.resource,
            resource=deployment.resource,
            owner=self.call.owner,
            end_user=self.call.end_user,
            now=time.time(),
            is_for_all=is_for_all,
        )

    def made_files(
        self, answer: Mapping[str, Any], deployment: Deployment
    ) -> Iterator[LedgerEntry]:
        """What to remember of the files that a batch has written."""
        if self.row.collection != "batches":
            return
        described = {"purpose": "batch_output", "created_at": answer.get("completed_at")}
        for name in ("output_file_id", "error_file_id"):
            entry = object_entry(
                "files",
                {**described, "id": answer.get(name)},
                deployment=deployment.resource,
                resource=deployment.resource,
                owner=self.call.owner,
                end_user=self.call.end_user,
                now=time.time(),
            )
            if entry is not None:
                yield entry

    @property
    def names_files(self) -> bool:
        """The reply may name files that the request does not."""
        return self.operation in _NAMING_FILES

    def file_keys(self, answer: Mapping[str, Any], deployment: Deployment) -> list[str]:
        """The names of the entries that the files of a reply may have."""
        found = answer.get("data")
        entries = (
            [each for each in found if isinstance(each, Mapping)] if isinstance(found, list) else []
        )
        ids = dict.fromkeys(each.get("file_id") or each.get("id") for each in entries)
        return [object_key("files", deployment.resource, str(each)) for each in ids if each]

    def labels_of(self, entries: Iterable[LedgerEntry]) -> dict[str, str]:
        """Ids of files with copies, as the service knows them → the id of all copies."""
        return {
            entry.response_id: self.reader.signer.label_copies(entry.copies, self.call.owner)
            for entry in entries
            if entry.copies and entry.owner == self.call.owner
        }

    def forgotten(self, deployment: Deployment) -> str | None:
        """The name of the entry whose object is gone once the call has succeeded."""
        if self.operation not in _ENDING:
            return None
        ids, _ = self._named_at(deployment.resource)
        return object_key(self.row.collection, deployment.resource, ids[0])

    def _body_for(self, deployment: Deployment) -> tuple[Mapping[str, Any] | None, bytes | None]:
        """The body as an object, or as the bytes that are sent."""
        call = self.call
        if self.body_ids is None or call.is_form:
            return None, call.content
        body = self.body_ids.unlabel(deployment.resource).body
        if call.content is None:
            return body, None
        # Byte for byte where possible: spellings that are unknown here then survive.
        is_same = body is call.body and not self.is_changed
        return None, call.content if is_same else to_bytes(body)

    def answer_rewriter(self, deployment: Deployment) -> IdRewriter:
        """Labels the ids of one answer in the output file of a batch."""
        return IdRewriter(self.reader.signer, deployment, self.call.owner)

    def rewriter(self, deployment: Deployment) -> IdRewriter:
        """Labels the ids of a reply."""
        # Not by the deployment: an object has one id, by whichever deployment of its resource it
        # was made or is listed.
        origin = replace(deployment, tag=deployment.resource)
        return IdRewriter(
            self.reader.signer,
            origin,
            self.call.owner,
            given=self.given,
            place=reply_place(self.operation),
        )
