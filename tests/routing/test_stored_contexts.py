"""What continuing something stored takes up again."""

from azure_responses.routing.route_request import Outcome, RouteRequest
from azure_responses.routing.routed_call import RoutedCall
from azure_responses.routing.token_estimate import StoredContexts
from tests.routing.fleet import attempt, deployment, fleet


def test_the_latest_of_what_fits_is_remembered() -> None:
    contexts = StoredContexts(capacity=3)
    contexts.note(("resp_1", "conv_1"), 10)
    contexts.note(("resp_2", "conv_1"), 30)
    contexts.note(("resp_3",), 5)
    found = [contexts.tokens_of(each) for each in ("resp_1", "resp_2", "conv_1", "resp_3")]
    assert found == [0, 30, 30, 5]


def test_an_answer_is_noted_under_its_ids_and_a_continued_call_reserves_it() -> None:
    routing = fleet(deployment("a", tpm=10_000))
    call = RoutedCall(routing, RouteRequest("gpt", 5, 100), 0.0)
    attempt(call, 0.0)
    call.answered(Outcome(tokens=3000, stored_ids=("resp_1", "conv_1")), 0.0)
    assert routing.contexts.tokens_of("conv_1") == 3000
    following = RoutedCall(routing, RouteRequest("gpt", 5, 100, context_tokens=3000), 0.0)
    attempt(following, 0.0)
    # Who leaves has had it read all the same.
    settlement = following.abandoned(1.0)
    assert settlement is not None
    assert (settlement.candidate.tokens, settlement.used) == (3105, 3005)


def test_what_is_read_again_costs_nothing_but_is_known_afterwards() -> None:
    routing = fleet("a")
    call = RoutedCall(routing, RouteRequest("gpt"), 0.0)
    attempt(call, 0.0)
    outcome = Outcome(tokens=0, stored_ids=("resp_1",), stored_tokens=70)
    assert call.answered(outcome, 0.0).used == 0
    assert routing.contexts.tokens_of("resp_1") == 70
