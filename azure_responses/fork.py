"""What a forked process must not share with its parent.

A fork copies the memory of a process, but of its threads only the one that forks. Two processes on
one connection read each other's answers (openai-python#579), and a lock that another thread held
stays locked for ever. So locks are made here, and what holds connections says here how to leave
them to the parent.
"""

import logging
import os
import socket
import threading
from collections.abc import Callable
from contextlib import closing
from typing import Any, TypeVar
from weakref import WeakKeyDictionary, WeakSet

__all__ = ["generation", "in_forked_child", "keep_for_ever", "leave_socket", "new_lock"]

T = TypeVar("T")

_logger = logging.getLogger("azure_responses")

_locks: WeakSet[Any] = WeakSet()
_leavers: WeakKeyDictionary[Any, Callable[[Any], None]] = WeakKeyDictionary()
_kept: list[object] = []
_generation = 0


def new_lock() -> threading.Lock:
    """A lock that is free again in a forked process."""
    lock = threading.Lock()
    _locks.add(lock)
    return lock


def in_forked_child(owner: T, leave: Callable[[T], None]) -> None:
    """Call `leave(owner)` in every process that is forked while the owner exists."""
    _leavers[owner] = leave


def generation() -> int:
    """How many forks lie between this process and the one that imported the package.

    What was begun under another number belongs to the parent.
    """
    return _generation


def keep_for_ever(thing: object) -> None:
    """Keep what would use the parent's connections while it is collected."""
    _kept.append(thing)


def leave_socket(inherited: Any) -> None:
    """Give the parent's socket up here, under an object that this process may still use or close.

    Its file descriptor leads to an unconnected socket from then on: whatever is read, written,
    shut down or removed from an event loop's selector no longer reaches the connection.
    """
    descriptor = inherited.fileno() if inherited is not None else -1
    if descriptor >= 0:
        with closing(socket.socket(socket.AF_UNIX)) as unconnected:
            os.dup2(unconnected.fileno(), descriptor, inheritable=False)


def _leave_parent() -> None:
    global _generation
    _generation += 1
    for lock in list(_locks):
        # What the standard library does with its own locks.
        lock._at_fork_reinit()
    for owner, leave in list(_leavers.items()):
        try:
            leave(owner)
        except Exception:
            # The others leave all the same.
            _logger.exception("%s could not be made ready after a fork", type(owner).__name__)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_leave_parent)
