"""Containers, in which the code interpreter and the shell work, and the files in them."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from .mending import Loose
from .model import OPEN, Model, Number
from .result import Result
from .tools.code_interpreter import NetworkPolicy

__all__ = ["Container", "ContainerExpiresAfter", "ContainerFile"]


class ContainerExpiresAfter(Model):
    """After how many minutes without use a container ends; Azure's own limit is 20."""

    anchor: Annotated[Literal["last_active_at"] | str, OPEN] | None = None
    minutes: int | None = None


class Container(Result):
    """A container; times are Unix seconds.

    What ran out stays listed for a while, with the status "expired", and cannot be used again.
    """

    _is_sent_by_id: ClassVar[bool] = True
    _stand_ins: ClassVar[Mapping[str, Any]] = {"created_at": 0, "name": "", "status": ""}

    id: str
    created_at: Number
    name: str
    object: str = "container"
    # The service's descriptions list no values; these are the two that were seen.
    status: Annotated[Literal["running", "expired"] | str, OPEN]
    expires_after: Loose[ContainerExpiresAfter | None] = None
    last_active_at: Number | None = None
    memory_limit: Annotated[Literal["1g", "4g", "16g", "64g"] | str, OPEN] | None = None
    network_policy: Loose[NetworkPolicy | None] = None


class ContainerFile(Result):
    """A file in a container.

    Attributes:
        path: where code in the container finds it.
        source: who put it there: "user" or "assistant".
        bytes: its size; None where the service has not counted yet.
    """

    _stand_ins: ClassVar[Mapping[str, Any]] = {"created_at": 0, "path": "", "source": ""}

    id: str
    bytes: int | None = None
    container_id: str | None = None
    created_at: Number
    object: str = "container.file"
    path: str
    source: Annotated[Literal["user", "assistant"] | str, OPEN]
