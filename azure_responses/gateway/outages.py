"""Failures that may last: each is logged once when it begins and once when it ends."""

import logging
import threading
from collections.abc import Callable

from azure_responses.errors import AzureResponsesError

__all__ = ["DatabaseError", "LOGGER", "Outages"]


class DatabaseError(AzureResponsesError):
    """The database cannot be used now; the message has neither its URL nor its values."""


LOGGER = logging.getLogger("azure_responses.gateway")


class Outages:
    """Attempts what may fail for a while; safe to share between threads."""

    def __init__(self) -> None:
        self._known: set[str] = set()
        self._lock = threading.Lock()

    def __bool__(self) -> bool:
        """True while something fails."""
        return bool(self._known)

    def attempt(self, subject: str, consequence: str, action: Callable[[], None]) -> None:
        """Do it; log at the first failure what follows from it, and when it works again."""
        try:
            action()
        except (DatabaseError, OSError) as error:
            if self._note(subject, fails=True):
                reason = str(error).removesuffix(".")
                LOGGER.warning("The %s fails: %s. %s", subject, reason, consequence)
        else:
            if self._note(subject, fails=False):
                LOGGER.warning("The %s works again", subject)

    def _note(self, subject: str, *, fails: bool) -> bool:
        """True where that is news."""
        with self._lock:
            # Logged at the change only: a database may be away for hours, asked every second.
            if fails is (subject in self._known):
                return False
            (self._known.add if fails else self._known.discard)(subject)
            return True
