"""What the ids and ciphertexts of one request say about where it can go."""

from dataclasses import dataclass

from azure_responses.errors import BadRequestError
from azure_responses.routing.ask import Pin
from azure_responses.routing.label import show_id

__all__ = ["Found", "Pins"]


@dataclass(frozen=True, slots=True)
class Found:
    """An id and where in the body it stands, such as `input[3].id`."""

    path: str
    value: str


@dataclass(frozen=True, slots=True)
class Pins:
    """Where a request has to go, and what nobody can tell about it.

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

    def not_on(self, resource: str) -> str | None:
        """Where the first thing stands that a resource is not known to store, if any does."""
        if self.hard is not None and self.hard.resource != resource:
            return self.hard.field
        return self.raw[0].path if self.raw else None

    def require_labels(self) -> None:
        """Refuse raw ids, for a group whose deployments do not all share one resource.

        Beside a hard pin they are let through: they can only be meant for the same resource.

        Raises:
            BadRequestError: there are some, and nothing says which resource knows them.
        """
        if not self.raw or self.hard is not None:
            return
        first = self.raw[0]
        fields = ", ".join(found.path for found in self.raw)
        raise BadRequestError(
            f"No deployment is known to have made what {fields} names: {show_id(first.value)} is "
            "not an id that this router gave out, and its deployments are on several resources.",
            status_code=400,
            param=first.path,
            hint="Give it a label with router.adopt(id, deployment=…) and send that.",
        )
