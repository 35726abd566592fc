"""Releases the memory that errors hold once they have been answered."""

from collections.abc import Iterable

__all__ = ["clear_tracebacks"]


def clear_tracebacks(errors: Iterable[BaseException | None]) -> None:
    """Remove the tracebacks of errors that have been answered, and of their causes.

    Their frames refer to what was worked on, the body of the request and the error itself among it:
    a cycle of references that keeps tens of megabytes until the next garbage collection, which is
    rare because such a cycle has few objects.
    """
    pending, known = list(errors), set[int]()
    while pending:
        error = pending.pop()
        # One that is raised from itself is its own cause.
        if error is not None and id(error) not in known:
            known.add(id(error))
            error.__traceback__ = None
            pending += [error.__cause__, error.__context__]
