"""Whose time an attempt ran out of."""

from azure_responses.routing.route_request import RouteRequest

__all__ = ["is_callers_time"]

# Sockets and clocks are not exact: a time that has nearly passed has passed.
_NEARLY = 0.98


def is_callers_time(
    request: RouteRequest, own: float | None, left: float | None, timeout: float | None, took: float
) -> bool:
    """True when a timeout is the caller's, who would not wait any longer; times are in seconds.

    litellm#41223: a caller in a hurry must not shut a slow deployment to everybody else. Neither
    says it anything of a deployment that earlier attempts left it little time.

    Args:
        request: the call; its deadline is the caller's choice.
        own: the timeout of the row, or None.
        left: what was left of the call's time when the attempt began, or None for no limit.
        timeout: the configured time of a call, which holds where the ask has no deadline.
        took: how long the attempt has taken.
    """
    is_whole = request.deadline is None and left is not None and left >= (timeout or 0.0) * _NEARLY
    limits = (None if is_whole else left, request.patience)
    callers = min((limit for limit in limits if limit is not None), default=None)
    if callers is None or (own is not None and own <= callers):
        return False
    # Sooner than that only a time of ours can have passed, such as that for connecting.
    return took >= callers * _NEARLY
