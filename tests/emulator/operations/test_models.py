"""The models list."""

import httpx


def test_models_are_listed_and_can_be_looked_up(client: httpx.Client) -> None:
    listed = client.get("/openai/v1/models").json()
    assert listed["object"] == "list"
    by_id = {model["id"]: model for model in listed["data"]}
    assert by_id["gpt-5-mini-2025-08-07"]["capabilities"]["chat_completion"] is True
    assert by_id["gpt-5-codex-2025-09-15"]["capabilities"]["chat_completion"] is False
    for name in ("gpt-5-mini", "gpt-5-mini-2025-08-07"):
        shown = client.get(f"/openai/v1/models/{name}").json()
        assert shown == by_id["gpt-5-mini-2025-08-07"]


def test_an_unknown_model_is_not_found(client: httpx.Client) -> None:
    reply = client.get("/openai/models/nothing?api-version=2024-10-21")
    assert reply.status_code == 404
