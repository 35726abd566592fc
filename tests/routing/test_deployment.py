"""A deployment as a router knows it."""

from tests.routing.fleet import deployment


def test_the_name_at_azure_is_the_rows_or_the_one_asked_for() -> None:
    assert deployment("a", model="gpt-5").name_for("gpt") == "gpt-5"
    assert deployment("a", model="*").name_for("o3") == "o3"


def test_a_repr_shows_no_connection() -> None:
    assert "sk-secret" not in repr(deployment("a", connection={"api_key": "sk-secret"}))
