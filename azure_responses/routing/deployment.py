"""A deployment as a router knows it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

__all__ = ["ANY_MODEL", "Deployment"]

ANY_MODEL = "*"
"""As a group: serves every model asked for. As a model: the name asked for is the deployment."""


@dataclass(frozen=True, slots=True, eq=False)
class Deployment:
    """One row of a model list.

    Attributes:
        id: unique in the router; from `model_info.id`, else made of the row, so that every
            replica with the same row has the same id.
        group: the name callers use (`model_name`).
        model: the deployment's name at Azure, or `ANY_MODEL`.
        tag, resource: short opaque hashes of the id and of the endpoint. A resource is what
            stores responses and encrypts reasoning: origin and path prefix of the endpoint.
        host: the endpoint's host, for logs and explanations.
        weight: share of the calls under "weighted"; 0 takes none unless a call is pinned to it.
        order: priority group; every deployment of a lower order is tried before a higher one.
        rpm, tpm: requests and tokens a minute that may be sent; None is no limit of ours.
        max_input_tokens: the model's context window for input, where the row says so.
        base_model: the model behind the name, for prices.
        timeout, cooldown_time, max_retries: the row's own, in seconds and attempts; None leaves
            them to the router.
        dropped_params: parameters that are left out of every call (`additional_drop_params`).
        connection: arguments of the client; may hold secrets.
    """

    id: str
    group: str
    model: str
    tag: str
    resource: str
    host: str = ""
    weight: float = 1.0
    order: int = 1
    rpm: int | None = None
    tpm: int | None = None
    max_input_tokens: int | None = None
    base_model: str | None = None
    timeout: float | None = None
    cooldown_time: float | None = None
    max_retries: int | None = None
    dropped_params: frozenset[str] = frozenset()
    info: Mapping[str, Any] = field(default_factory=dict, repr=False)
    connection: Mapping[str, Any] = field(default_factory=dict, repr=False)

    def name_for(self, requested: str) -> str:
        """The deployment to call at Azure when a caller asked for `requested`."""
        return requested if self.model == ANY_MODEL else self.model
