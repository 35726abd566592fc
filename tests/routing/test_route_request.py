"""What a call asks of a router."""

from azure_responses.routing.route_request import RouteRequest


def test_what_is_reserved_is_input_and_output() -> None:
    assert RouteRequest("gpt", input_tokens=10, output_tokens=5).tokens == 15
