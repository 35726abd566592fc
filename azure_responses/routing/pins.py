"""What the ids and ciphertexts of one request say about where it can go."""

from dataclasses import dataclass

from azure_responses.errors import BadRequestError, ResponseNotFoundError
from azure_responses.routing.route_request import Pin
from azure_responses.routing.signed_id import show_id

__all__ = ["Found", "Pins", "unknown_response"]


@dataclass(frozen=True, slots=True)
class Found:
    """An id and where in the body it stands, such as `input[3].id`.

    Attributes:
        is_private: of a response or an item of one, which belong to who made them.
    """

    path: str
    value: str
    is_private: bool = False


@dataclass(frozen=True, slots=True)
class Pins:
    """Where a request has to go, and what nobody can tell about it.

    Attributes:
        hard: a resource stores something it names, or alone can read what cannot be left out.
        soft: a resource encrypted its latest reasoning, which may be left out.
        raw: ids of things stored by the service that carry no label.
        unreadable: paths of what is not an id where an id may stand.
        raw_ciphertexts: paths of encrypted content that carries no label.
    """

    hard: Pin | None = None
    soft: Pin | None = None
    raw: tuple[Found, ...] = ()
    unreadable: tuple[str, ...] = ()
    raw_ciphertexts: tuple[str, ...] = ()

    @property
    def pin(self) -> Pin | None:
        """The pin that counts."""
        return self.hard or self.soft

    def not_on(self, resource: str) -> str | None:
        """Where the first thing stands that a resource is not known to store, if any does."""
        if self.hard is not None and self.hard.resource != resource:
            return self.hard.field
        unknown = (*self.unreadable, *(found.path for found in self.raw))
        return unknown[0] if unknown else None

    def require_ids(self) -> None:
        """Refuse what may hold an id that cannot be read.

        Raises:
            BadRequestError: something is not an id where only an id may stand.
        """
        if self.unreadable:
            first = self.unreadable[0]
            raise BadRequestError(
                f"{first} is not an id where one is expected.",
                status_code=400,
                param=first,
                code="invalid_type",
                type="invalid_request_error",
                hint="Pass the id as a string, in a field whose name is written as the API does.",
            )

    def require_own(self) -> None:
        """Refuse ids of responses and their items that carry no label.

        Raises:
            ResponseNotFoundError: there is one; its caller may have heard of it anywhere.
        """
        for found in self.raw:
            if found.is_private:
                raise unknown_response(found.value, found.path)

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


def unknown_response(response_id: str, field: str) -> ResponseNotFoundError:
    """The error of an id that was not given out to its caller."""
    return ResponseNotFoundError(
        f"{field} {show_id(response_id)} was not found.",
        status_code=404,
        code="previous_response_not_found" if field == "previous_response_id" else "not_found",
        type="invalid_request_error",
        param=field,
        hint="Use ids as they were given out here, with the key they were given to.",
    )
