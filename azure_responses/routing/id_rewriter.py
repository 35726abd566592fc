"""Signed ids in what goes out, in place of the service's own.

    ids = IdRewriter(signer, deployment, owner=None, given=unlabelled.given, is_stored=True)
    ids.label(value) -> value        the JSON object of a response, page, deletion, compaction, chat
                                     completion, chunk or stream event; changed in place
    ids.label_text(text) -> str      an error message that names ids of the request

One rewriter serves one response or stream. Rewriting twice changes nothing. The ids of items are
rewritten while `is_stored`, which the first response with `store: false` ends: nothing can look
them up then. Every other id and every `encrypted_content` is always rewritten. Text, arguments and
metadata are never touched.
"""

from collections.abc import Mapping
from typing import Any

from azure_responses.errors import BadRequestError, ResponseNotFoundError
from azure_responses.routing.deployment import Deployment
from azure_responses.routing.id_schema import REPLY, Kind, Place
from azure_responses.routing.signed_id import MARKER, IdSigner

__all__ = ["IdRewriter", "NoIds"]

# A shorter text may be part of any word of a message; ids of the service are longer.
_SHORTEST_NAMED = 8
# Beginnings of ids of objects that any deployment of their resource knows. They have one label, in
# responses and in their own lists, so that programs can compare them.
_OBJECTS = ("file-", "file_", "assistant-", "cntr_", "cfile_", "vs_")
_NO_PLACES: Mapping[str, Place] = {}
_CIPHERTEXTS = (Kind.CIPHERTEXT, Kind.REASONING)
_OF_ITEMS = (Kind.ITEM, Kind.REASONING_ITEM, Kind.ITEM_NAME)


class NoIds:
    """In the place of an `IdRewriter` for answers without ids that a later request can name."""

    def label(self, value: dict[str, Any]) -> dict[str, Any]:
        """The JSON object as it is."""
        return value

    def label_text(self, text: str) -> str:
        """The message as it is."""
        return text


class IdRewriter:
    """Rewrites the ids of one response or stream.

    Not to be shared between threads.

    Args:
        signer: makes them.
        deployment: what made the response.
        owner: only this owner can use the ids; with None every caller can.
        given: ids as the service knows them → as the caller gave them, so that they are repeated
            as they were given.
        is_stored: the items can be looked up by their ids.
        place: where ids stand in what is rewritten.
    """

    def __init__(
        self,
        signer: IdSigner,
        deployment: Deployment,
        owner: str | None = None,
        *,
        given: Mapping[str, str] | None = None,
        is_stored: bool = True,
        place: Place = REPLY,
    ) -> None:
        self._signer = signer
        self._place = place
        self._deployment_tag = deployment.tag
        self._resource_tag = deployment.resource
        self._owner = owner
        self._is_stored = is_stored
        self._labels: dict[str, str] = {}
        if given:
            # What has been handed out already is handed out again as it is.
            self._labels = {**given, **{label: label for label in given.values()}}
        self._ciphertexts: dict[str, str] = {}

    def label(self, value: dict[str, Any]) -> dict[str, Any]:
        """Rewrite a JSON object in place, and return it."""
        response = value.get("response")
        if not isinstance(response, dict):
            response = value
        # Before the ids: the first event of a stream says already whether its items are stored. A
        # compaction has no `store`, and its items are never kept.
        if response.get("store") is False or response.get("object") == "response.compaction":
            self._is_stored = False
        self._apply_fields(value, self._place)
        return value

    def give(self, labels: Mapping[str, str]) -> None:
        """Label some ids, as the service knows them, otherwise than by their resource."""
        self._labels.update(labels)

    def _label_id(self, inner: str, *, is_object: bool = False) -> str:
        """The signed id of one id; of a signed id of ours, itself."""
        label = self._labels.get(inner)
        if label is None:
            is_label = MARKER in inner and self._is_ours(inner)
            label = inner if is_label else self._make(inner, is_object=is_object)
            self._labels[inner] = self._labels[label] = label
        return label

    def label_text(self, text: str) -> str:
        """A message of the service with the ids in it as the caller knows them."""
        for inner, label in self._labels.items():
            if inner != label and len(inner) >= _SHORTEST_NAMED and inner in text:
                text = text.replace(inner, label)
        return text

    def _apply_fields(self, fields: dict[str, Any], place: Place) -> None:
        places, other = place.fields or _NO_PLACES, place.values
        for name, value in fields.items():
            inner = places.get(name, other)
            # Most fields hold no id, and most of those that could are empty or hold a text.
            if not value or inner is None:
                continue
            if isinstance(value, str):
                if inner.kind is not None:
                    fields[name] = self._change(inner.kind, value)
            elif isinstance(value, dict):
                self._apply_fields(value, inner)
            elif isinstance(value, list):
                self._apply_entries(value, inner)

    def _apply_entries(self, entries: list[Any], place: Place) -> None:
        for index, entry in enumerate(entries):
            if isinstance(entry, dict):
                self._apply_fields(entry, place)
            elif entry and isinstance(entry, str) and place.kind is not None:
                entries[index] = self._change(place.kind, entry)

    def _change(self, kind: Kind, value: str) -> str:
        if kind in _OF_ITEMS:
            return self._label_id(value) if self._is_stored else self._labels.get(value, value)
        if kind in _CIPHERTEXTS:
            return self._label_ciphertext(value)
        if kind is Kind.CALL:
            return value
        return self._label_id(value, is_object=value.startswith(_OBJECTS))

    def _label_ciphertext(self, value: str) -> str:
        label = self._ciphertexts.get(value)
        if label is None:
            label = value if self._is_our_ciphertext(value) else self._wrap(value)
            self._ciphertexts[value] = self._ciphertexts[label] = label
        return label

    def _make(self, inner: str, *, is_object: bool) -> str:
        return self._signer.label_id(
            inner,
            deployment_tag=self._resource_tag if is_object else self._deployment_tag,
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
