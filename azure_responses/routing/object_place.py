"""Where a call on a stored object goes: a file, a vector store, a container, a conversation, ….

An id that a router gave out says it. Without one, the caller names a model, and the object is made
at a resource of that model: where there are several, at the same one for all objects of a caller.
Without either it goes to the only resource that the caller may use. Where there are several, the
caller is asked to choose: nothing is made at a place left to chance.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from hashlib import blake2b
from math import log
from typing import Any, NamedTuple

from azure_responses.errors import BadRequestError, ResponseNotFoundError
from azure_responses.protocol.families import facts_of
from azure_responses.routing.affinity import Affinity, RequestIds, conflict, pin_of
from azure_responses.routing.asked_object import AskedObject
from azure_responses.routing.deployment import Deployment
from azure_responses.routing.deployment_registry import DeploymentRegistry
from azure_responses.routing.id_schema import Place, request_place
from azure_responses.routing.id_walker import to_plain
from azure_responses.routing.object_lists import MERGED_LISTS
from azure_responses.routing.route_request import Pin, unknown_response
from azure_responses.routing.routing_errors import no_model_given, no_such_model, unlabelled_id
from azure_responses.routing.signed_id import MOST_COPIES, SignedId

__all__ = ["ObjectPlace", "ObjectPlaces"]

# The hosts of models without a resource.
_SERVERLESS = ".models.ai.azure.com"
_LEFT_OUT = "Reasoning of another resource than the conversation's was left out of the items."
_CURSORS = ("after", "before")
# A version of a skill is a number, not an id.
_NOT_IDS = frozenset({"version"})


class ObjectPlace(NamedTuple):
    """Where it goes, and the ids as the service knows them.

    Attributes:
        group: the model name by which the call is counted and logged.
        pin: the resource; of an object that any of several may store only a preference. None where
            several resources answer.
        ids: of the path.
        query: with the ids in it replaced.
        body: the ids of the body; None without a body.
        given: ids as the service knows them → as the caller gave them.
        copied: ids of the path and the query that stand for a file with copies: the id of the first
            copy → what its label says.
        resources: of a list, the tags of all resources whose objects it has; of everything else
            empty.
        warnings: what is left out of the body, one sentence each.
    """

    group: str
    pin: Pin | None
    ids: tuple[str, ...] = ()
    query: Mapping[str, Any] = {}
    body: RequestIds | None = None
    given: Mapping[str, str] = {}
    copied: Mapping[str, SignedId] = {}
    resources: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


class _Sighted(NamedTuple):
    """An id of path or query, and where it stands."""

    field: str
    text: str
    label: SignedId | None


class ObjectPlaces:
    """Decides where calls on stored objects go.

    Args:
        routing: knows the deployments.
        affinity: reads labels.
    """

    def __init__(self, routing: DeploymentRegistry, affinity: Affinity) -> None:
        self._routing = routing
        self._affinity = affinity
        self._storing = {one.id for one in routing.deployments if _stores(one)}

    def read(self, asked: AskedObject) -> ObjectPlace:
        """Read the ids of a call and decide where it goes.

        Raises:
            ResponseNotFoundError: an id that is forged, another owner's, or of a resource that is
                not configured any more.
            BadRequestError: ids of different resources, or nothing says which of several resources
                is meant.
            NotFoundError: the model named does not exist.
        """
        if asked.row.name in MERGED_LISTS:
            return self._read_list(asked)
        targets = self._copy_targets(asked)
        if len(targets) > 1:
            ids = self._affinity.read(asked.body or {}, asked.owner, Place(fields={}))
            group = self._maker(Pin(targets[0], None, "model"), asked).group
            return ObjectPlace(group, None, body=ids, resources=targets)
        path, query = self._read_path(asked), self._read_query(asked)
        body, sent = None, asked.body
        warnings: tuple[str, ...] = ()
        if sent is not None:
            if asked.row.name == "conversations.items.create" and path[0].label is not None:
                sent, warnings = self._without_foreign_reasoning(sent, asked, path[0].label)
            body = self._affinity.read(sent, asked.owner, request_place(asked.row.collection))
            # What may hold an id that is not read could name another owner's object.
            body.pins.require_ids()
        pin = _join_pins([*path, *query], body)
        raw = _first_raw(path, body)
        if pin is not None:
            group = self._maker(pin, asked).group
        else:
            group, pin = self._choose(asked, raw)
        known = [*path, *query]
        return ObjectPlace(
            group,
            pin,
            tuple(_inner(one) for one in path),
            {**asked.query, **{one.field: _inner(one) for one in query}},
            body,
            {**_given(known), **(body.given if body else {})},
            {one.label.inner: one.label for one in known if one.label and one.label.copies},
            warnings=warnings,
        )

    def _without_foreign_reasoning(
        self, body: Mapping[str, Any], asked: AskedObject, conversation: SignedId
    ) -> tuple[Mapping[str, Any], tuple[str, ...]]:
        """The body without reasoning that only another resource than the conversation's can read.

        Programs such as openai-agents add all items of a response to a conversation, wherever the
        response was made. Its messages and calls are there in full; its reasoning is not.
        """
        items = body.get("items")
        if not isinstance(items, list):
            return body, ()
        kept = [item for item in items if not self._is_foreign(to_plain(item), asked, conversation)]
        if len(kept) == len(items):
            return body, ()
        return {**body, "items": kept}, (_LEFT_OUT,)

    def _is_foreign(self, item: Any, asked: AskedObject, conversation: SignedId) -> bool:
        if not isinstance(item, Mapping) or item.get("type") != "reasoning":
            return False
        item_id = item.get("id")
        # With its encrypted content it is judged as that of a response is.
        if not isinstance(item_id, str) or item.get("encrypted_content"):
            return False
        label = self._affinity.read_id(item_id, asked.owner, "items.id")
        return label is not None and label.resource != conversation.resource

    def _copy_targets(self, asked: AskedObject) -> tuple[str, ...]:
        """The resources that each get a copy of an uploaded file; empty without copies.

        Raises:
            BadRequestError: there are more than a file can have copies.
        """
        replicates = asked.replicates
        if replicates is None:
            replicates = bool(asked.models) or self._routing.settings.replicate_files
        if asked.row.name != "files.create" or not replicates:
            return ()
        named = asked.models or ((asked.model,) if asked.model is not None else ())
        for model in named:
            self._storing_behind(model)
        members = self._storing_of(one for model in named for one in self._routing.group_of(model))
        found = dict.fromkeys(one.resource for one in members)
        targets = tuple(found if named else self.resources(asked.may_call))
        if len(targets) > MOST_COPIES:
            raise BadRequestError(
                f"The file would be uploaded to {len(targets)} resources, and {MOST_COPIES} are "
                "the most.",
                status_code=400,
                code="too_many_copies",
                type="invalid_request_error",
                param="replicate",
                hint="Name a model that fewer resources serve.",
            )
        return targets

    def _read_list(self, asked: AskedObject) -> ObjectPlace:
        """Where a list of all objects of a kind is read; its cursors are read with its pages."""
        if asked.model is not None:
            group, members = asked.model, self._storing_behind(asked.model)
            resources = tuple(dict.fromkeys(one.resource for one in members))
        else:
            choices = self.resources(asked.may_call)
            if not choices:
                raise no_model_given(choices)
            group, resources = next(iter(choices.values()))[0], tuple(choices)
        return ObjectPlace(group, None, query=asked.query, resources=resources)

    def resources(
        self, may_call: Callable[[str], bool] | None = None
    ) -> Mapping[str, Sequence[str]]:
        """The resources that a caller may use, by tag, each with the groups that lead there.

        Deployments of other makers' APIs are left out: their endpoints store nothing.
        """
        found: dict[str, list[str]] = {}
        for group_name, group in self._routing.groups.items():
            name = self._routing.callable_name(group_name, may_call)
            if name is not None:
                for resource in dict.fromkeys(
                    one.resource for one in self._storing_of(group.deployments)
                ):
                    found.setdefault(resource, []).append(name)
        return found

    def _read_path(self, asked: AskedObject) -> list[_Sighted]:
        found: list[_Sighted] = []
        for name, text in zip(asked.row.variables, asked.ids, strict=True):
            label = None
            if name not in _NOT_IDS:
                label = self._affinity.read_id(text, asked.owner, name)
            # An id of the service does not say whose it is. What is inside a thing of the caller's
            # belongs to the caller.
            if label is None and asked.must_own and not found:
                raise unknown_response(text, name)
            found.append(_Sighted(name, text, label))
        return found

    def _read_query(self, asked: AskedObject) -> list[_Sighted]:
        found = []
        for name in _CURSORS:
            text = asked.query.get(name)
            if isinstance(text, str) and text:
                label = self._affinity.read_id(text, asked.owner, name)
                found.append(_Sighted(name, text, label))
        return found

    def _maker(self, pin: Pin, asked: AskedObject) -> Deployment:
        """The deployment by whose name the call is counted."""
        there = [one for tag in pin.resources for one in self._routing.of_resource(tag)]
        if not there:
            raise ResponseNotFoundError(
                f"{pin.field} names something that a resource stores which is not configured here "
                "any more.",
                status_code=404,
                param=pin.field,
                hint="Keep an entry for the resource in model_list until its objects expire.",
            )
        maker = self._routing.by_tag(pin.deployment) if pin.deployment else None
        name_of, may_call = self._routing.callable_name, asked.may_call
        callable_ = (one for one in there if name_of(one.group, may_call) is not None)
        return maker or next(callable_, there[0])

    def _choose(self, asked: AskedObject, raw: tuple[str, str] | None) -> tuple[str, Pin | None]:
        """Group and resource of a call without an id that says them."""
        if asked.model is not None:
            return asked.model, self._of_model(asked.model, raw, asked)
        choices = self.resources(asked.may_call)
        if len(choices) != 1:
            raise no_model_given(choices) if raw is None else unlabelled_id(*raw)
        ((resource, groups),) = choices.items()
        return groups[0], Pin(resource, None, raw[0] if raw else "model")

    def _of_model(self, model: str, raw: tuple[str, str] | None, asked: AskedObject) -> Pin:
        """The one resource of a model, or the one of several that the caller's objects prefer."""
        storing = self._storing_behind(model)
        resources = dict.fromkeys(one.resource for one in storing)
        if len(resources) == 1:
            return Pin(storing[0].resource, None, raw[0] if raw else "model")
        if raw is not None:
            raise unlabelled_id(*raw)
        home = _home(storing, asked)
        if len(storing) == len(self._routing.group_of(model)):
            return Pin(home.resource, home.tag, "model", is_hard=False, is_wish=True)
        # The deployments that store nothing must not get it.
        others = tuple(resource for resource in resources if resource != home.resource)
        return Pin(home.resource, home.tag, "model", others=others)

    def _storing_behind(self, model: str) -> list[Deployment]:
        """The deployments of a model whose resources store objects.

        Raises:
            NotFoundError: the model does not exist.
            BadRequestError: none of its deployments stores objects.
        """
        members = self._routing.group_of(model)
        if not members:
            raise no_such_model(model)
        storing = self._storing_of(members)
        if not storing:
            raise BadRequestError(
                f"The deployments of {model[:200]!r} store no objects.",
                status_code=400,
                code="unsupported_model",
                type="invalid_request_error",
                param="model",
                hint="Name a model of OpenAI's or of a Foundry resource.",
            )
        return storing

    def _storing_of(self, deployments: Iterable[Deployment]) -> list[Deployment]:
        return [one for one in deployments if one.id in self._storing]


def _home(storing: Sequence[Deployment], asked: AskedObject) -> Deployment:
    """The deployment whose resource a caller's new objects of a group prefer, so that they meet.

    Weighted rendezvous hashing: each resource gets its share of the callers, each replica finds the
    same one, and a resource that is added or removed moves only the callers that it gets or had.
    """
    # A weight of 0 keeps new objects away, unless all have it.
    taking = [one for one in storing if one.weight > 0] or list(storing)
    order = min(one.order for one in taking)
    first = [one for one in taking if one.order == order]
    caller = asked.owner or asked.end_user or ""
    weights: dict[str, float] = {}
    for one in first:
        weights[one.resource] = weights.get(one.resource, 0.0) + (one.weight or 1.0)

    def clock(one: Deployment) -> float:
        text = "\n".join((caller, one.group, one.resource)).encode("utf-8", "surrogatepass")
        chance = (int.from_bytes(blake2b(text, digest_size=8).digest()) >> 11) / 2**53
        return -log(1.0 - chance) / weights[one.resource]

    return min(first, key=clock)


def _stores(deployment: Deployment) -> bool:
    """True where its endpoint is that of a resource that stores objects."""
    if deployment.host.endswith(_SERVERLESS):
        return False
    if deployment.api != "auto":
        return deployment.api == "responses"
    facts = facts_of(deployment.base_model, deployment.model)
    return facts.preferred_api != "messages"


def _inner(sighted: _Sighted) -> str:
    return sighted.text if sighted.label is None else sighted.label.inner


def _join_pins(sighted: Iterable[_Sighted], body: RequestIds | None) -> Pin | None:
    """The one resource that all ids lead to; None without any.

    Raises:
        BadRequestError: they lead to different ones; two fields are named.
    """
    labels = [(one.field, one.label) for one in sighted if one.label is not None]
    pins = [pin_of(label, name) for name, label in labels]
    if body is not None and body.pins.hard is not None:
        pins.append(body.pins.hard)
    joined = pins[0] if pins else None
    for pin in pins[1:]:
        both = None if joined is None else joined.join(pin)
        if both is None:
            raise conflict(pins[0].field, pin.field)
        joined = both
    return joined


def _given(sighted: Iterable[_Sighted]) -> dict[str, str]:
    """Ids as the service knows them → as the caller gave them."""
    found: dict[str, str] = {}
    for one in sighted:
        inner = [one.text] if one.label is None else [each for _, each in one.label.places]
        found |= dict.fromkeys(inner, one.text)
    return found


def _first_raw(path: Sequence[_Sighted], body: RequestIds | None) -> tuple[str, str] | None:
    """Where the first id without a label stands, and the id."""
    for one in path:
        if one.label is None and one.field not in _NOT_IDS:
            return one.field, one.text
    if body is not None and body.pins.raw:
        first = body.pins.raw[0]
        return first.path, first.value
    return None
