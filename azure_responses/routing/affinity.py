"""Where the labels in a request force it to go, and the request without them.

API:
    affinity = Affinity(labeller, deployments=(), accept_litellm_ids=False,
                        accept_litellm_ids_of_owners=False)
    request = affinity.read(body, owner=None)      -> LabelledRequest, for Responses and chat bodies
        request.pins.hard, .soft                   -> Pin | None
        request.pins.pin                           -> the hard one, else the soft one, else None
        request.pins.raw                           -> (Found(path, value), …): server-side ids that
                                                      carry no label; `pins.require_labels()`
                                                      raises for them, naming the fix
        request.pins.raw_ciphertexts               -> paths of encrypted_content without a label
        request.pins.foreign                       -> paths of encrypted reasoning that the pin's
                                                      resource cannot read
        request.unlabel(resource=None, strip_raw=False) -> Unlabelled(body, warnings, given)
    affinity.read_id(text, owner=None, field="response_id") -> Label | None
                                                   for retrieve, cancel, delete, `after=…`

`unlabel(resource=tag)` removes encrypted reasoning of every other resource; `given` (inner id →
id as the caller gave it) goes to `ResponseLabels`, so that a response repeats what was given.
The caller's body is never changed; what can be iterated only once is kept as a list, so that
`unlabel` may be called once per attempt.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from azure_responses.routing.ask import Pin
from azure_responses.routing.deployment import Deployment
from azure_responses.routing.label import Label, Labeller

__all__ = ["Affinity", "Found", "LabelledRequest", "Pins", "Unlabelled"]


@dataclass(frozen=True, slots=True)
class Found:
    """An id and where in the body it stands, such as `input[3].id`."""

    path: str
    value: str


@dataclass(frozen=True, slots=True)
class Pins:
    """What the ids and ciphertexts of a request say about where it can go.

    Attributes:
        hard: a resource stores something it names, or alone can read what cannot be left out.
        soft: a resource encrypted its latest reasoning, which may be left out.
        raw: ids of things stored by the service that carry no label.
        raw_ciphertexts: paths of encrypted content that carries no label.
        foreign: paths of encrypted reasoning that the pin's resource cannot read.
    """

    hard: Pin | None = None
    soft: Pin | None = None
    raw: tuple[Found, ...] = ()
    raw_ciphertexts: tuple[str, ...] = ()
    foreign: tuple[str, ...] = ()

    @property
    def pin(self) -> Pin | None:
        """The pin that counts."""
        return self.hard or self.soft

    def require_labels(self) -> None:
        """Refuse raw ids, where deployments of several resources could be meant.

        Raises:
            BadRequestError: there are some and nothing else says where to go.
        """
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class Unlabelled:
    """A body as the service can read it.

    Attributes:
        body: the caller's own object where nothing had to be changed.
        warnings: one sentence for each kind of thing left out.
        given: ids as the service knows them → as the caller gave them.
    """

    body: Mapping[str, Any]
    warnings: tuple[str, ...]
    given: Mapping[str, str]


class LabelledRequest:
    """A request body whose labels have been read; made by `Affinity.read`."""

    pins: Pins

    def unlabel(self, resource: str | None = None, *, strip_raw: bool = False) -> Unlabelled:
        """The body without labels.

        Args:
            resource: the tag of where it goes; encrypted reasoning of others is left out. None
                leaves nothing out.
            strip_raw: leave out encrypted reasoning without a label too.

        Raises:
            BadRequestError: something stored elsewhere is named, which `resource` cannot know.
        """
        raise NotImplementedError


class Affinity:
    """Reads the labels of requests.

    Args:
        labeller: reads them.
        deployments: whose ids LiteLLM's ids may name.
        accept_litellm_ids: understand ids that LiteLLM gave out. They are not signed: whoever
            can send one can choose the deployment and the stored response.
        accept_litellm_ids_of_owners: understand them in calls with an owner too.
    """

    def __init__(
        self,
        labeller: Labeller,
        deployments: Iterable[Deployment] = (),
        *,
        accept_litellm_ids: bool = False,
        accept_litellm_ids_of_owners: bool = False,
    ) -> None:
        raise NotImplementedError

    def read(self, body: Mapping[str, Any], owner: str | None = None) -> LabelledRequest:
        """Find and read every label of a body of responses.create or of chat completions.

        Raises:
            ResponseNotFoundError: a label is forged, or another owner's.
            BadRequestError: two things are stored by different resources; both fields are named.
        """
        raise NotImplementedError

    def read_id(
        self, text: str, owner: str | None = None, field: str = "response_id"
    ) -> Label | None:
        """What an id's label says, or None for an id without one.

        Raises:
            ResponseNotFoundError: the label is forged, or another owner's.
        """
        raise NotImplementedError
