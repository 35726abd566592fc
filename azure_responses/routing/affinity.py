"""Where the labels in a request force it to go, and the request without them.

API:
    affinity = Affinity(signer, deployments=(), accept_litellm_ids=False)
    request = affinity.read(body, owner=None)      -> RequestIds, for Responses and chat bodies
        request.pins.hard, .soft                   -> Pin | None
        request.pins.pin                           -> the hard one, else the soft one, else None
        request.pins.raw                           -> (Found(path, value), …): server-side ids that
                                                      carry no label; `pins.require_labels()`
                                                      raises for them, naming the fix
        request.pins.unreadable                    -> paths of what is not an id where one may stand
        request.pins.raw_ciphertexts               -> paths of encrypted_content without a label
        request.unlabel(resource=None, strip_raw=False) -> Unlabelled(body, warnings, given)
    affinity.read_id(text, owner=None, field="response_id") -> SignedId | None
                                                   for retrieve, cancel, delete, `after=…`

`unlabel(resource=tag)` removes encrypted reasoning of every other resource; `given` (inner id →
id as the caller gave it) goes to `IdRewriter`, so that a response repeats what was given.
The caller's body is never changed; what can be iterated only once is kept as a list, so that
`unlabel` may be called once per attempt.

Ids that LiteLLM's router gave out, read so that conversations can move to this one.

LiteLLM writes the deployment's id into them and does not sign them (responses/utils.py and
types/utils.py of LiteLLM 1.106.2):

```
resp_  + base64 of "litellm:custom_llm_provider:{};model_id:{};response_id:{}"
cntr_  + base64 of "litellm:custom_llm_provider:{};model_id:{};container_id:{}"
encitem_ + base64 of "litellm:model_id:{};item_id:{}"
litellm_enc: + base64 of "model_id:{}" + ; + encrypted_content
```
"""

import re
from binascii import a2b_base64
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from azure_responses.errors import BadRequestError, ResponseNotFoundError
from azure_responses.protocol.reasoning_filter import Stripper
from azure_responses.protocol.stored_response import SEALED, is_kept_here
from azure_responses.routing.deployment import Deployment
from azure_responses.routing.id_schema import REQUEST, Kind, Place
from azure_responses.routing.id_walker import Path, Visit, format_path, walk
from azure_responses.routing.route_request import Found, Pin, Pins
from azure_responses.routing.signed_id import MARKER, IdSigner, SignedId

__all__ = [
    "Affinity",
    "Found",
    "LiteLLMId",
    "Pins",
    "RequestIds",
    "Unlabelled",
    "conflict",
    "pin_of",
    "read_litellm_ciphertext",
    "read_litellm_id",
]

_CIPHERTEXTS = (Kind.CIPHERTEXT, Kind.REASONING)
_ITEMS = (Kind.ITEM, Kind.REASONING_ITEM)
_BARE = frozenset({"id", "type", "status"})
_PREVIOUS = (None, "previous_response_id")
_URLS = ("https://", "http://", "data:")


class Unlabelled(NamedTuple):
    """A body as the service can read it.

    Attributes:
        body: without labels; the caller's own object where nothing had to be changed.
        warnings: one sentence for each kind of thing left out.
        given: ids as the service knows them → as the caller gave them.
    """

    body: Mapping[str, Any]
    warnings: tuple[str, ...]
    given: Mapping[str, str]


class Affinity:
    """Reads the labels of requests.

    Args:
        signer: reads them.
        deployments: whose ids LiteLLM's ids may name.
        accept_litellm_ids: understand ids that LiteLLM gave out. They are not signed: a caller
            who can send one can choose the deployment and the stored response. Calls with an owner
            never understand them.
    """

    def __init__(
        self,
        signer: IdSigner,
        deployments: Iterable[Deployment] = (),
        *,
        accept_litellm_ids: bool = False,
    ) -> None:
        self._signer = signer
        self._deployments = {deployment.id: deployment for deployment in deployments}
        self._accepts_litellm = accept_litellm_ids

    def read(
        self, body: Mapping[str, Any], owner: str | None = None, place: Place = REQUEST
    ) -> "RequestIds":
        """Find and read every label of a body of responses.create or of chat completions.

        With `place`, of another body: that says where ids stand in it.

        Ids of things stored pin hard, and so does a compaction: it stands for the conversation
        so far, and without it the call would not mean the same. Encrypted reasoning pins softly.
        Items that are there in full do not pin, and neither do the citations of earlier answers:
        the service looks neither up.

        Raises:
            ResponseNotFoundError: a label is forged, or another owner's.
            BadRequestError: two things are stored by different resources; both fields are named.
                Or a labelled ciphertext was altered.
        """
        return RequestIds(body, self, owner, place)

    def read_id(
        self, text: str, owner: str | None = None, field: str = "response_id"
    ) -> SignedId | None:
        """What an id's label says, or None for an id without one.

        Raises:
            ResponseNotFoundError: the label is forged, or another owner's.
        """
        label = self._signer.read(text, owner, field)
        if label is None and self.accepts_litellm(owner):
            found = read_litellm_id(text)
            return None if found is None else self._place(found, field)
        return label

    def read_ciphertext(
        self, text: str, owner: str | None = None, field: str = "encrypted_content"
    ) -> SignedId | None:
        """What a ciphertext's label says, or None for a ciphertext without one.

        Raises:
            BadRequestError: it was altered, or labelled with another secret.
        """
        label = self._signer.read_ciphertext(text, field)
        if label is None and self.accepts_litellm(owner):
            found = read_litellm_ciphertext(text)
            return None if found is None else self._place(found, field)
        return label

    def accepts_litellm(self, owner: str | None) -> bool:
        """True when ids that LiteLLM gave out are understood in calls of this owner."""
        return self._accepts_litellm and owner is None

    def _place(self, found: "LiteLLMId", field: str) -> SignedId:
        deployment = self._deployments.get(found.model_id)
        if deployment is None:
            raise ResponseNotFoundError(
                f"{field} was made by LiteLLM's deployment {found.model_id!r}, which is not one "
                "of this router's.",
                status_code=404,
                param=field,
                hint="Give its entry in model_list the same model_info.id.",
            )
        return SignedId(found.inner, deployment.tag, deployment.resource)


class _Sighting(NamedTuple):
    """A label, and where it was found."""

    label: SignedId
    path: Path

    def is_nested(self) -> bool:
        return self.path is not None and self.path[0] is not None

    def to_pin(self, is_hard: bool, *, is_wish: bool = False) -> Pin:
        pin = pin_of(self.label, format_path(self.path))
        return pin._replace(is_hard=is_hard, is_wish=is_wish)


def pin_of(label: SignedId, field: str) -> Pin:
    """The pin of what a label names; of a file with copies, to each resource that has one."""
    if not label.copies:
        return Pin(label.resource, label.deployment, field)
    others = tuple(resource for resource, _ in label.copies[1:])
    return Pin(label.resource, None, field, others=others)


class RequestIds:
    """A request body whose labels have been read; made by `Affinity.read`.

    Attributes:
        pins: where it has to go.
    """

    def __init__(
        self,
        body: Mapping[str, Any],
        affinity: Affinity,
        owner: str | None,
        place: Place = REQUEST,
    ) -> None:
        self._affinity = affinity
        self._owner = owner
        self._may_be_litellms = affinity.accepts_litellm(owner)
        self._ids: dict[str, SignedId | None] = {}
        self._ciphertexts: dict[str, SignedId | None] = {}
        # Ciphertexts as the service knows them → the resource that can read them, where known.
        self._origins: dict[str, str | None] = {}
        self._stored: list[_Sighting] = []
        self._reasoning: list[_Sighting] = []
        self._kept: list[_Sighting] = []
        self._raw: list[Found] = []
        self._unreadable: list[str] = []
        self._raw_ciphertexts: list[str] = []
        self._given: dict[str, str] = {}
        self._place = place
        # Files with copies stay in the body until it is known which copy is sent.
        self._copied: dict[str, SignedId] = {}
        self._is_stored = body.get("store") is True
        plain = {name: _settle(value) for name, value in body.items()}
        has_settled = any(plain[name] is not value for name, value in body.items())
        # One walk finds the signed ids and puts the service's in their places: those are the same
        # for every deployment. Only what a deployment cannot read differs, see `unlabel`.
        self._body = walk(plain if has_settled else body, place, self._read)
        self.pins = self._draw_pins()

    def unlabel(
        self,
        resource: str | None = None,
        *,
        strip_raw: bool = False,
        strip_sealed: bool = False,
    ) -> Unlabelled:
        """The body without labels; may be called again for the next attempt.

        Args:
            resource: the tag of where it goes; encrypted reasoning of others is left out. None
                leaves nothing out.
            strip_raw: leave out encrypted reasoning without a label too.
            strip_sealed: leave out what we sealed ourselves, which no service can read.

        Raises:
            BadRequestError: something stored elsewhere is named, which `resource` cannot know.
        """
        hard = self.pins.hard
        if resource is not None and hard is not None and resource not in hard.resources:
            raise BadRequestError(
                f"{hard.field} names something that another resource stores.",
                status_code=400,
                param=hard.field,
                hint="Only the resource that made it can serve this call.",
            )
        stripper = Stripper(
            lambda text: (
                not text.startswith(SEALED) and self._is_unreadable(text, resource, strip_raw)
            ),
            drops_ours=strip_sealed,
        )
        body = stripper.strip(self._body) if self._origins else self._body
        if self._copied:
            body = walk(body, self._place, self._choose_copies(resource))
        return Unlabelled(body, stripper.warnings, self._given)

    def _choose_copies(self, resource: str | None) -> Visit:
        def choose(kind: Kind, value: Any, item: Mapping[str, Any], path: Path) -> Any:
            label = self._copied.get(value) if isinstance(value, str) else None
            return value if label is None else label.at(resource or label.resource)

        return choose

    @property
    def given(self) -> Mapping[str, str]:
        """Ids as the service knows them → as the caller gave them."""
        return self._given

    def inner_id(self, text: str) -> str:
        """An id of the request as the service knows it."""
        label = self._ids.get(text)
        return text if label is None else label.inner

    def _is_unreadable(self, text: str, resource: str | None, strip_raw: bool) -> bool:
        origin = self._origins.get(text)
        if origin is None:
            return strip_raw
        return resource is not None and origin != resource

    def _read(self, kind: Kind, value: Any, item: Mapping[str, Any], path: Path) -> Any:
        """Note what stands at a place of the body; the result is what the service is sent there."""
        if kind is Kind.UNREADABLE:
            self._unreadable.append(format_path(path))
            return value
        if kind in _CIPHERTEXTS:
            label = self._note_ciphertext(kind, value, item, path)
        else:
            label = self._note_id(kind, value, item, path)
        if label is not None and label.copies:
            self._copied[value] = label
            return value
        return value if label is None else label.inner

    def _note_ciphertext(
        self, kind: Kind, value: str, item: Mapping[str, Any], path: Path
    ) -> SignedId | None:
        label = _once(self._ciphertexts, value, path, self._read_ciphertext)
        if label is None:
            self._origins.setdefault(value, None)
            self._raw_ciphertexts.append(format_path(path))
            return None
        self._origins[label.inner] = label.resource
        if label.inner.startswith(SEALED):
            # Every deployment of the same family can be given it.
            self._kept.append(_Sighting(label, path))
            return label
        is_reasoning = kind is Kind.REASONING or item.get("type") == "reasoning"
        (self._reasoning if is_reasoning else self._stored).append(_Sighting(label, path))
        return label

    def _note_id(
        self, kind: Kind, value: str, item: Mapping[str, Any], path: Path
    ) -> SignedId | None:
        label = _once(self._ids, value, path, self._read_id)
        if kind is not Kind.CALL:
            self._given[value if label is None else label.inner] = value
            for _, inner in () if label is None else label.copies:
                self._given[inner] = value
        if self._needs_look_up(kind, item):
            self._note_look_up(kind, value, path, label)
        return label

    def _note_look_up(self, kind: Kind, value: str, path: Path, label: SignedId | None) -> None:
        """An id that only the resource which stores its thing can look up."""
        if label is not None:
            # What is stored on our side can be continued by every deployment, and best by its own.
            kept = self._kept if is_kept_here(label.inner) else self._stored
            kept.append(_Sighting(label, path))
        elif not (_is_file(path) and value.startswith(_URLS)):
            is_private = kind in _ITEMS or path == _PREVIOUS
            self._raw.append(Found(format_path(path), value, is_private))

    def _needs_look_up(self, kind: Kind, item: Mapping[str, Any]) -> bool:
        if kind in _ITEMS:
            is_reasoning = kind is Kind.REASONING_ITEM
            return _is_reference(item) and (self._is_stored or not is_reasoning)
        return kind is Kind.STORED

    def _read_id(self, value: str, path: Path) -> SignedId | None:
        if MARKER not in value and not self._may_be_litellms:
            return None
        try:
            return self._affinity.read_id(value, self._owner)
        except ResponseNotFoundError:
            # Once more, to say where: paths are not written out for labels that are right.
            return self._affinity.read_id(value, self._owner, format_path(path))

    def _read_ciphertext(self, value: str, path: Path) -> SignedId | None:
        if not value.startswith(MARKER) and not self._may_be_litellms:
            return None
        return self._affinity.read_ciphertext(value, self._owner, format_path(path))

    def _draw_pins(self) -> Pins:
        # What the request itself continues, before what its input and tools name.
        stored = sorted(self._stored, key=_Sighting.is_nested)
        hard = stored[0].to_pin(True) if stored else None
        for sighting in stored[1:]:
            joined = None if hard is None else hard.join(sighting.to_pin(True))
            if hard is not None and joined is None:
                raise conflict(hard.field, format_path(sighting.path))
            hard = joined
        soft = None
        if self._reasoning:
            soft = self._reasoning[-1].to_pin(False)
        elif self._kept:
            soft = self._kept[0].to_pin(False, is_wish=True)
        return Pins(
            hard,
            soft,
            tuple(self._raw),
            tuple(self._unreadable),
            tuple(self._raw_ciphertexts),
        )


def _settle(value: Any) -> Any:
    """What can be iterated only once as a list: there may be a second attempt."""
    return list(value) if isinstance(value, Iterator) else value


def _once(
    known: dict[str, SignedId | None],
    value: str,
    path: Path,
    read: Callable[[str, Path], SignedId | None],
) -> SignedId | None:
    if value not in known:
        known[value] = read(value, path)
    return known[value]


def _is_file(path: Path) -> bool:
    """True for a file's id, where LiteLLM's callers put URLs."""
    return path is not None and path[1] == "file_id"


def _is_reference(item: Mapping[str, Any]) -> bool:
    """True for an item that the service has to look up by its id."""
    kind = item.get("type")
    if kind == "item_reference" or _is_bare(item):
        return True
    if kind not in ("reasoning", "thinking", None) or "role" in item:
        return False
    return not item.get("encrypted_content") and not item.get("content")


def _is_bare(item: Mapping[str, Any]) -> bool:
    # The first look answers for nearly every item; fields that are null say nothing.
    return item.keys() <= _BARE or all(
        value is None for name, value in item.items() if name not in _BARE
    )


def conflict(first: str, second: str) -> BadRequestError:
    """The error of two fields whose things no one resource stores."""
    return BadRequestError(
        f"{first} and {second} name things that different resources store.",
        status_code=400,
        param=second,
        hint="Leave one of them out, or make it again beside the other.",
    )


# The fixed beginning is base64 of "litellm:": other ids are told apart without decoding them.
_ENCODED = re.compile(r"(?:resp|cntr|encitem)_(bGl0ZWxsbT[A-Za-z0-9+/_-]*=*)")
_ID = re.compile(
    r"litellm:(?:custom_llm_provider:[^;]*;)?model_id:([^;]*);(?:response|container|item)_id:(.+)",
    re.DOTALL,
)
_CIPHERTEXT = "litellm_enc:"
_URL_SAFE = str.maketrans("-_", "+/")


class LiteLLMId(NamedTuple):
    """The id (or ciphertext) behind LiteLLM's, and the `model_info.id` of the deployment."""

    inner: str
    model_id: str


def read_litellm_id(text: str) -> LiteLLMId | None:
    """What an id of LiteLLM's says, or None for any other id."""
    encoded = _ENCODED.fullmatch(text)
    found = _ID.fullmatch(_decode(encoded[1])) if encoded else None
    return LiteLLMId(found[2], found[1]) if found else None


def read_litellm_ciphertext(text: str) -> LiteLLMId | None:
    """What LiteLLM wrote in front of a ciphertext, or None where it wrote nothing."""
    if not text.startswith(_CIPHERTEXT):
        return None
    head, separator, inner = text[len(_CIPHERTEXT) :].partition(";")
    text_of_head = _decode(head)
    if not separator or not text_of_head.startswith("model_id:"):
        return None
    return LiteLLMId(inner, text_of_head.removeprefix("model_id:"))


def _decode(encoded: str) -> str:
    """The text, or nothing where it is not base64 of text; padding may have been lost."""
    # Ids pass through clients and URLs: either alphabet is read, and the padding may be gone.
    bare = encoded.rstrip("=").translate(_URL_SAFE)
    try:
        return a2b_base64(bare + "=" * (-len(bare) % 4)).decode("utf-8")
    except ValueError:
        return ""
