"""Who is calling, and what they may do."""

from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

__all__ = ["ANYBODY", "MASTER", "Caller"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """One key, without the key.

    Attributes:
        key_id: names the key in logs and totals; "master" for the master key, "" for a caller
            of a gateway that asks for no key.
        name: what an operator calls it.
        owner: whose responses these are: keys of one owner may continue each other's. None where
            no key is asked for.
        models: names or patterns (`gpt-5*`) of what may be called; empty is everything.
        rpm, tpm: requests and tokens a minute; None is no limit.
        budget: millionths of a millionth of a US dollar in a period, or None.
        budget_period: days of a period, or None for the whole life of the key.
        created, expires, revoked: unix seconds; the last two None while they do not apply.
        end_user: for whom calls count that name no end user themselves.
    """

    key_id: str
    name: str = ""
    owner: str | None = None
    is_master: bool = False
    models: Sequence[str] = ()
    rpm: int | None = None
    tpm: int | None = None
    budget: int | None = None
    budget_period: int | None = None
    created: float = 0.0
    expires: float | None = None
    revoked: float | None = None
    end_user: str | None = None

    @property
    def has_limits(self) -> bool:
        """True where requests or tokens a minute are limited."""
        return self.rpm is not None or self.tpm is not None

    def is_expired(self, now: float) -> bool:
        """True from the second in which the key expires."""
        return self.expires is not None and now >= self.expires

    def may_call(self, model: str) -> bool:
        """True where the key is for this model."""
        if not self.models:
            return True
        return model in self.models or any(fnmatchcase(model, name) for name in self.models)


MASTER = Caller(key_id="master", name="master", owner="master", is_master=True)
ANYBODY = Caller(key_id="", name="anybody")
