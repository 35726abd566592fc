"""What a deployment has left this minute."""

import pytest

from azure_responses.routing.quota import Headroom


def _headers(tokens: object = None, requests: object = None, **more: object) -> dict[str, str]:
    named = {
        "x-ratelimit-remaining-tokens": tokens,
        "x-ratelimit-remaining-requests": requests,
        **{key.replace("_", "-"): value for key, value in more.items()},
    }
    return {key: str(value) for key, value in named.items() if value is not None}


def test_nothing_is_known_at_first() -> None:
    headroom = Headroom()
    assert headroom.tokens_left(0.0) is None
    assert headroom.requests_left(0.0) is None
    assert headroom.has_room(10**9, 0.0)


@pytest.mark.parametrize(("tokens", "requests"), [(-1, -1), (0, 0), (None, None)])
def test_azures_placeholders_mean_unknown(tokens: int | None, requests: int | None) -> None:
    headroom = Headroom()
    headroom.observe(_headers(tokens, requests), headroom.reserve(1, 0.0), 0.0)
    assert headroom.has_room(10**9, 0.0)


def test_what_was_reserved_after_the_call_that_was_answered_is_subtracted() -> None:
    headroom = Headroom()
    first = headroom.reserve(100, 0.0)
    second = headroom.reserve(40, 0.0)
    headroom.observe(_headers(1000, 10), first, 1.0)
    assert headroom.tokens_left(1.0) == 960
    assert headroom.requests_left(1.0) == 9
    headroom.settle(second, 40, 25)
    assert headroom.tokens_left(1.0) == 975
    headroom.settle(headroom.reserve(30, 1.0), 30, 0, was_sent=False)
    assert headroom.tokens_left(1.0) == 975
    assert headroom.requests_left(1.0) == 9


def test_a_reply_to_an_earlier_call_does_not_overrule_a_later_one() -> None:
    headroom = Headroom()
    first, second = headroom.reserve(1, 0.0), headroom.reserve(1, 0.0)
    headroom.observe(_headers(500), second, 1.0)
    headroom.observe(_headers(900), first, 2.0)
    assert headroom.tokens_left(2.0) == 500
    headroom.settle(first, 1, 5)
    assert headroom.tokens_left(2.0) == 500


def test_a_call_has_room_only_within_both_remainders() -> None:
    headroom = Headroom()
    headroom.observe(_headers(100, 1), headroom.reserve(1, 0.0), 0.0)
    assert headroom.has_room(100, 0.0)
    assert not headroom.has_room(101, 0.0)
    headroom.reserve(0, 0.0)
    assert not headroom.has_room(1, 0.0)


def test_headers_are_forgotten_with_their_window() -> None:
    headroom = Headroom()
    headroom.observe(_headers(5, 5), headroom.reserve(1, 0.0), 0.0)
    assert headroom.tokens_left(59.0) == 5
    assert headroom.tokens_left(60.0) is None
    short = _headers(5, 5, x_ratelimit_reset_tokens=7, x_ratelimit_reset_requests=0)
    headroom.observe(short, headroom.reserve(1, 100.0), 100.0)
    assert headroom.requests_left(106.0) == 5
    assert headroom.requests_left(107.0) is None


def test_reservations_are_forgotten_with_the_minute() -> None:
    headroom = Headroom()
    for second in range(200):
        headroom.reserve(10, float(second))
    headroom.observe(_headers(1000), 1, 199.0)
    assert headroom.tokens_left(199.0) == 1000 - 600


def test_one_remainder_may_be_known_without_the_other() -> None:
    headroom = Headroom()
    headroom.observe(_headers(tokens=50), headroom.reserve(1, 0.0), 0.0)
    assert headroom.requests_left(0.0) is None
    headroom.observe(_headers(requests=5), headroom.reserve(1, 0.0), 0.0)
    assert headroom.tokens_left(0.0) is None


def test_a_provisioned_deployment_in_full_use_has_no_room_until_it_drains() -> None:
    headroom = Headroom()
    headers = {"azure-openai-deployment-utilization": "130.5%"}
    headroom.observe(headers, headroom.reserve(1, 0.0), 0.0)
    assert not headroom.has_room(1, 18.0)
    assert headroom.has_room(1, 19.0)
