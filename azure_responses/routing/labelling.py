"""Labels on what goes out.

API:
    labels = ResponseLabels(labeller, deployment, owner=None, given=unlabelled.given,
                            is_stored=True)       one per response or stream
        labels.label(value) -> value              Response, InputItemList, DeletedResponse,
                                                  CompactedResponse, ChatCompletion, a chunk, any
                                                  stream event; changed in place; or the dict of
                                                  one of them, changed in place
        labels.label_json(body: bytes) -> bytes   the JSON of one of them
        labels.label_frame(frame: bytes) -> bytes one server-sent event
        labels.label_id(inner) -> str             one id of this deployment
        labels.label_text(text) -> str            an error message that names ids of the request

Every form gives the same labels, and labelling twice changes nothing. The ids of items are
labelled while `is_stored`, which the first response with `store: false` ends: nothing can look
them up then. Every other id and every `encrypted_content` is always labelled. Text, arguments and
metadata are never touched.
"""

from collections.abc import Mapping
from typing import Any, TypeVar

from azure_responses.routing.deployment import Deployment
from azure_responses.routing.label import Labeller

__all__ = ["ResponseLabels"]

T = TypeVar("T")


class ResponseLabels:
    """Labels one response, in whatever form it goes out.

    Args:
        labeller: makes them.
        deployment: what made the response.
        owner: only this owner can use the ids; None lets everybody.
        given: ids as the service knows them → as the caller gave them, so that they are repeated
            as they were given.
        is_stored: the items can be looked up by their ids.
    """

    def __init__(
        self,
        labeller: Labeller,
        deployment: Deployment,
        owner: str | None = None,
        *,
        given: Mapping[str, str] | None = None,
        is_stored: bool = True,
    ) -> None:
        raise NotImplementedError

    def label(self, value: T) -> T:
        """Label a model or a dict in place, and return it."""
        raise NotImplementedError

    def label_json(self, body: bytes) -> bytes:
        """Label the JSON of a reply; what is no JSON object is returned as it is."""
        raise NotImplementedError

    def label_frame(self, frame: bytes) -> bytes:
        """Label one server-sent event, given with its lines and line ends."""
        raise NotImplementedError

    def label_id(self, inner: str) -> str:
        """The label of one id."""
        raise NotImplementedError

    def label_text(self, text: str) -> str:
        """A message of the service with the ids in it as the caller knows them."""
        raise NotImplementedError
