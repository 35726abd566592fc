"""Labels on what goes out.

API:
    labels = IdRewriter(signer, deployment, owner=None, given=unlabelled.given,
                            is_stored=True)       one per response or stream
        labels.label(value) -> value              Response, InputItemList, DeletedResponse,
                                                  CompactedResponse, ChatCompletion, a chunk, any
                                                  stream event; changed in place; or the dict of
                                                  one of them, changed in place
        labels.label_id(inner) -> str             one id of this deployment
        labels.label_text(text) -> str            an error message that names ids of the request

Models and dicts get the same labels, and labelling twice changes nothing. The ids of items are
labelled while `is_stored`, which the first response with `store: false` ends: nothing can look
them up then. Every other id and every `encrypted_content` is always labelled. Text, arguments and
metadata are never touched.
"""

from collections.abc import Mapping
from typing import Any, TypeVar

from azure_responses.errors import BadRequestError, ResponseNotFoundError
from azure_responses.routing.deployment import Deployment
from azure_responses.routing.id_schema import REPLY, Kind, Place
from azure_responses.routing.signed_id import MARKER, IdSigner
from azure_responses.types.events import EVENT_TYPES
from azure_responses.types.model import Model, StreamEvent

__all__ = ["IdRewriter"]

T = TypeVar("T")

# Whatever is shorter may be part of any word; ids of the service are longer.
_SHORTEST_NAMED = 8
_NO_PLACES: Mapping[str, Place] = {}
_CIPHERTEXTS = (Kind.CIPHERTEXT, Kind.REASONING)
_OF_ITEMS = (Kind.ITEM, Kind.REASONING_ITEM, Kind.ITEM_NAME)
# Fields of events in which there may be more ids than that of the item.
_RICH = frozenset({"annotation", "item", "output", "part", "response"})
# Events whose only id is that of the item: all deltas, so nearly every event.
_LEAN_TYPES: frozenset[type[StreamEvent]] = frozenset(
    event
    for event in EVENT_TYPES.values()
    if "item_id" in event.model_fields and not _RICH & event.model_fields.keys()
)


class IdRewriter:
    """Labels one response, in whatever form it goes out.

    Not to be shared between threads.

    Args:
        signer: makes them.
        deployment: what made the response.
        owner: only this owner can use the ids; None lets everybody.
        given: ids as the service knows them → as the caller gave them, so that they are repeated
            as they were given.
        is_stored: the items can be looked up by their ids.
    """

    def __init__(
        self,
        signer: IdSigner,
        deployment: Deployment,
        owner: str | None = None,
        *,
        given: Mapping[str, str] | None = None,
        is_stored: bool = True,
    ) -> None:
        self._signer = signer
        self._deployment_tag = deployment.tag
        self._resource_tag = deployment.resource
        self._owner = owner
        self._is_stored = is_stored
        self._labels: dict[str, str] = {}
        if given:
            # What has been handed out already is handed out again as it is.
            self._labels = {**given, **{label: label for label in given.values()}}
        self._ciphertexts: dict[str, str] = {}

    def label(self, value: T) -> T:
        """SignedId a model or a dict in place, and return it."""
        if type(value) not in _LEAN_TYPES:
            self._label(value)
        elif self._is_stored:
            fields = vars(value)
            fields["item_id"] = self.label_id(fields["item_id"])
        return value

    def label_id(self, inner: str) -> str:
        """The label of one id; of a label of ours, and of none at all, itself."""
        label = self._labels.get(inner)
        if label is None:
            if not inner:
                return inner
            label = inner if MARKER in inner and self._is_ours(inner) else self._make(inner)
            self._labels[inner] = self._labels[label] = label
        return label

    def label_text(self, text: str) -> str:
        """A message of the service with the ids in it as the caller knows them."""
        for inner, label in self._labels.items():
            if inner != label and len(inner) >= _SHORTEST_NAMED and inner in text:
                text = text.replace(inner, label)
        return text

    def _label(self, value: Any) -> None:
        response = _field(value, "response") or value
        is_compacted = _field(response, "object") == "response.compaction"
        if is_compacted or _field(response, "store") is False:
            self._is_stored = False
        self._apply(value, REPLY)

    def _apply(self, value: Any, place: Place) -> Any:
        """What belongs in the place of `value`; objects are changed themselves."""
        if isinstance(value, str):
            return value if place.kind is None else self._change(place.kind, value)
        if isinstance(value, dict):
            self._apply_fields(value, place)
        elif (places := _places_in(type(value), place)) is not None:
            self._apply_model(value, place, places)
        return value

    def _apply_model(self, value: Any, place: Place, places: "_Places") -> None:
        fields = vars(value)
        for name, inner, id_kind in places:
            found = fields.get(name)
            # Most of them are empty or not there, and text is none of our business.
            if not found:
                continue
            if type(found) is list:
                self._apply_entries(found, inner)
            elif type(found) is not str:
                fields[name] = self._apply(found, inner)
            elif id_kind is not None:
                fields[name] = self._change(id_kind, found)
        if value.__pydantic_extra__:
            self._apply_fields(value.__pydantic_extra__, place)

    def _apply_entries(self, entries: list[Any], place: Place) -> None:
        for index, entry in enumerate(entries):
            if type(entry) is dict:
                self._apply_fields(entry, place)
            elif not isinstance(entry, list):
                entries[index] = self._apply(entry, place)

    def _apply_fields(self, fields: dict[str, Any], place: Place) -> None:
        places, other = place.fields or _NO_PLACES, place.values
        for name, value in fields.items():
            inner = places.get(name, other)
            # Most fields hold no id, and most of those that could are empty or hold a text.
            if not value or inner is None:
                continue
            kind = type(value)
            if kind is str:
                if inner.kind is not None:
                    fields[name] = self._change(inner.kind, value)
            elif kind is dict:
                self._apply_fields(value, inner)
            elif kind is list:
                self._apply_entries(value, inner)
            else:
                fields[name] = self._apply(value, inner)

    def _change(self, kind: Kind, value: str) -> str:
        if kind in _OF_ITEMS:
            return self.label_id(value) if self._is_stored else self._labels.get(value, value)
        if kind in _CIPHERTEXTS:
            return self._label_ciphertext(value)
        return value if kind is Kind.CALL else self.label_id(value)

    def _label_ciphertext(self, value: str) -> str:
        label = self._ciphertexts.get(value)
        if label is None:
            label = value if self._is_our_ciphertext(value) else self._wrap(value)
            self._ciphertexts[value] = self._ciphertexts[label] = label
        return label

    def _make(self, inner: str) -> str:
        return self._signer.label_id(
            inner,
            deployment_tag=self._deployment_tag,
            resource_tag=self._resource_tag,
            owner=self._owner,
        )

    def _wrap(self, inner: str) -> str:
        return self._signer.label_ciphertext(
            inner, deployment_tag=self._deployment_tag, resource_tag=self._resource_tag
        )

    def _is_ours(self, text: str) -> bool:
        try:
            return self._signer.read(text, self._owner) is not None
        except ResponseNotFoundError:
            # Another router's, which stands between this one and the service.
            return False

    def _is_our_ciphertext(self, text: str) -> bool:
        try:
            return self._signer.read_ciphertext(text) is not None
        except BadRequestError:
            return False


_Places = tuple[tuple[str, Place, Kind | None], ...]

# By a class and a place, which lives as long as its module.
_PLACES_IN: dict[tuple[type, int], _Places | None] = {}


def _places_in(kind: type, place: Place) -> _Places | None:
    """The fields of a model that may hold ids in a place; None of what is no model."""
    key = kind, id(place)
    try:
        return _PLACES_IN[key]
    except KeyError:
        found = _PLACES_IN[key] = _look_up(kind, place)
        return found


def _look_up(kind: type, place: Place) -> _Places | None:
    if not issubclass(kind, Model):
        return None
    fields, other = place.fields or _NO_PLACES, place.values
    places = ((name, fields.get(name, other)) for name in kind.model_fields)
    return tuple((name, inner, inner.kind) for name, inner in places if inner is not None)


def _field(value: Any, name: str) -> Any:
    if isinstance(value, dict):
        return value.get(name)
    # Asking whether it is a Model takes longer than all the rest.
    fields = getattr(value, "__dict__", _NO_PLACES)
    if name in fields:
        return fields[name]
    extra = getattr(value, "__pydantic_extra__", None)
    return extra.get(name) if extra else None
