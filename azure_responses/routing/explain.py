"""Why a call goes where it goes."""

from dataclasses import dataclass
from typing import Any

__all__ = ["Explanation", "Verdict"]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What routing would do with one deployment.

    Attributes:
        deployment: its id.
        host: of its endpoint.
        serves: it may take this call.
        reason: one clause, such as "cooling down after a rate limit for 12.5 s".
        until: seconds until the reason no longer holds, or None when time does not change it.
    """

    deployment: str
    host: str
    serves: bool
    reason: str
    until: float | None = None


@dataclass(frozen=True, slots=True)
class Explanation:
    """What routing would do with a call now.

    Attributes:
        group: the group asked for.
        deployment: the id of the deployment it would go to, or None when nobody can take it.
        verdicts: the deployments that may take it, in order of preference, then the others.
        fallbacks: the groups that would be asked afterwards, in order.
        wait: seconds until the first of them can serve; 0 when one can now, None when none ever.
    """

    group: str
    deployment: str | None
    verdicts: tuple[Verdict, ...]
    fallbacks: tuple[str, ...] = ()
    wait: float | None = None

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        raise NotImplementedError
