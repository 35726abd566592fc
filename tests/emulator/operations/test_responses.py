"""The life of a response: stored, chained, listed, run in the background, cancelled, deleted."""

import httpx
import pytest

from azure_responses.emulator import Clock, EmulatedDeployment, Emulator, Latency, ReadLag, Resource
from tests.emulator.callers import BEGIN, V1, create, event_types, events_of, open_client

DAY = 24 * 3600.0


def slow(**latency: float) -> Emulator:
    return Emulator(clock=Clock(BEGIN), latency=Latency(**latency))


@pytest.mark.parametrize("fields", [{}, {"stream": True}, {"background": True}])
def test_a_failed_answer_is_a_reply_like_any_other(
    client: httpx.Client, fields: dict[str, bool]
) -> None:
    reply = create(client, input="[[azure:fail:image_too_large]]", **fields)
    assert reply.status_code == 200
    response_id = reply.text.split('"id":"')[1].split('"')[0]
    stored = client.get(f"{V1}/{response_id}").json()
    assert (stored["status"], stored["error"]["code"]) == ("failed", "image_too_large")


def test_a_stored_response_reads_back_the_same(client: httpx.Client) -> None:
    created = create(client).json()
    assert client.get(f"{V1}/{created['id']}").json() == created


def test_a_streamed_response_reads_back_as_its_last_event(client: httpx.Client) -> None:
    last = events_of(create(client, stream=True))[-1]["response"]
    assert client.get(f"{V1}/{last['id']}").json() == last


def test_store_false_is_not_stored(client: httpx.Client) -> None:
    created = create(client, store=False).json()
    assert client.get(f"{V1}/{created['id']}").status_code == 404
    reply = create(client, previous_response_id=created["id"])
    assert reply.json()["error"]["code"] == "previous_response_not_found"


def test_a_response_is_kept_for_thirty_days(emulator: Emulator, client: httpx.Client) -> None:
    path = f"{V1}/{create(client).json()['id']}"
    emulator.clock.advance(30 * DAY - 1)
    assert client.get(path).status_code == 200
    emulator.clock.advance(1)
    assert client.get(path).status_code == 404


def test_a_deleted_response_is_gone(client: httpx.Client) -> None:
    created = create(client).json()
    deleted = client.delete(f"{V1}/{created['id']}")
    assert deleted.json() == {"object": "response.deleted", "id": created["id"], "deleted": True}
    assert client.get(f"{V1}/{created['id']}").status_code == 404
    assert client.delete(f"{V1}/{created['id']}").status_code == 404


def test_a_chain_remembers_every_turn_even_where_a_parent_is_deleted(
    client: httpx.Client,
) -> None:
    first = create(client, input="My name is Ada.").json()
    second = create(client, input="I live in Bath.", previous_response_id=first["id"]).json()
    client.delete(f"{V1}/{first['id']}")
    third = create(client, input="What is my name?", previous_response_id=second["id"]).json()
    assert "Ada" in third["output"][-1]["content"][0]["text"]
    assert third["previous_response_id"] == second["id"]
    assert third["usage"]["input_tokens"] > second["usage"]["input_tokens"]


def test_another_resource_does_not_know_the_response() -> None:
    emulator = Emulator([Resource("a"), Resource("b")])
    with open_client(emulator) as client:
        first = create(client).json()["id"]
        elsewhere = "https://b.openai.azure.com" + V1
        assert client.get(f"{elsewhere}/{first}").status_code == 404
        body = {"model": "gpt-4.1", "input": "x", "previous_response_id": first}
        reply = client.post(elsewhere, json=body)
    assert reply.json()["error"]["code"] == "previous_response_not_found"


def test_encrypted_reasoning_of_another_resource_cannot_be_verified() -> None:
    emulator = Emulator([Resource("a"), Resource("b")])
    with open_client(emulator) as client:
        first = create(client, model="gpt-5", store=False, reasoning={"effort": "high"},
                       include=["reasoning.encrypted_content"]).json()  # fmt: skip
        items = [item for item in first["output"] if item["type"] == "reasoning"]
        body = {"model": "gpt-5", "store": False,
                "input": [*items, {"role": "user", "content": "x"}]}  # fmt: skip
        same = client.post(V1, json=body)
        other = client.post("https://b.openai.azure.com" + V1, json=body)
    assert items
    assert same.status_code == 200, same.text
    assert other.status_code == 400
    assert other.json()["error"]["code"] == "invalid_encrypted_content"


def test_a_lagging_response_is_neither_readable_nor_chainable_for_a_while() -> None:
    emulator = Emulator(clock=Clock(BEGIN), read_lag=ReadLag(median=6.0, sigma=0.0))
    with open_client(emulator) as client:
        path_of = {
            streamed: create(client, stream=streamed).text.split('"id":"')[1].split('"')[0]
            for streamed in (True, False)
        }
        assert client.get(f"{V1}/{path_of[False]}").status_code == 200
        assert client.get(f"{V1}/{path_of[True]}").status_code == 404
        chained = create(client, previous_response_id=path_of[True])
        assert chained.json()["error"]["code"] == "previous_response_not_found"
        emulator.clock.advance(6.1)
        assert client.get(f"{V1}/{path_of[True]}").status_code == 200
        assert create(client, previous_response_id=path_of[True]).status_code == 200


def test_a_stream_left_early_is_never_stored(client: httpx.Client) -> None:
    body = {"model": "gpt-4.1", "input": "x", "stream": True}
    with client.stream("POST", V1, json=body) as reply:
        first = next(reply.iter_text())
    response_id = first.split('"id":"')[1].split('"')[0]
    assert client.get(f"{V1}/{response_id}").status_code == 404


def test_input_items_are_listed_newest_first_with_ids(client: httpx.Client) -> None:
    sent = [
        {"role": "user", "content": "one"},
        {"role": "assistant", "content": "two"},
        {"role": "user", "content": [{"type": "input_text", "text": "three"}]},
    ]
    created = create(client, input=sent).json()
    page = client.get(f"{V1}/{created['id']}/input_items").json()
    assert [item["content"][0]["text"] for item in page["data"]] == ["three", "two", "one"]
    assert [item["content"][0]["type"] for item in page["data"]] == [
        "input_text",
        "output_text",
        "input_text",
    ]
    assert {item["status"] for item in page["data"]} == {"completed"}
    assert all(item["id"].startswith("msg_") for item in page["data"])
    assert page["has_more"] is False
    assert (page["first_id"], page["last_id"]) == (page["data"][0]["id"], page["data"][2]["id"])


def test_input_items_come_in_pages(client: httpx.Client) -> None:
    sent = [{"role": "user", "content": str(number)} for number in range(5)]
    path = f"{V1}/{create(client, input=sent).json()['id']}/input_items"
    first = client.get(path, params={"limit": 2, "order": "asc"}).json()
    assert first["has_more"] is True
    second = client.get(path, params={"limit": 3, "order": "asc", "after": first["last_id"]}).json()
    assert [item["content"][0]["text"] for item in second["data"]] == ["2", "3", "4"]
    assert second["has_more"] is False


def test_background_goes_from_queued_over_in_progress_to_completed() -> None:
    emulator = slow(queued=2, running=5)
    with open_client(emulator) as client:
        created = create(client, background=True).json()
        path, seen = f"{V1}/{created['id']}", [created["status"]]
        for _ in range(4):
            seen.append(client.get(path).json()["status"])
            emulator.clock.advance(2.5)
        final = client.get(path).json()
    assert created["output"] == []
    assert seen == ["queued", "queued", "in_progress", "in_progress", "completed"]
    assert final["background"] is True
    assert final["completed_at"] == int(BEGIN + 7)


def test_a_background_response_takes_no_time_by_default(client: httpx.Client) -> None:
    created = create(client, background=True).json()
    assert created["status"] == "queued"
    assert client.get(f"{V1}/{created['id']}").json()["status"] == "completed"


def test_cancelling_twice_is_the_same_as_once() -> None:
    emulator = slow(running=60)
    with open_client(emulator) as client:
        path = f"{V1}/{create(client, background=True).json()['id']}"
        first = client.post(f"{path}/cancel").json()
        emulator.clock.advance(120)
        second = client.post(f"{path}/cancel").json()
        assert (first["status"], first["output"]) == ("cancelled", [])
        assert second == first == client.get(path).json()


def test_cancelling_what_has_ended_changes_nothing(client: httpx.Client) -> None:
    path = f"{V1}/{create(client, background=True).json()['id']}"
    assert client.post(f"{path}/cancel").json()["status"] == "completed"


def test_only_background_responses_can_be_cancelled(client: httpx.Client) -> None:
    reply = client.post(f"{V1}/{create(client).json()['id']}/cancel")
    assert reply.status_code == 400
    assert reply.json()["error"]["message"] == "Cannot cancel a synchronous response."
    assert client.post(f"{V1}/resp_0/cancel").status_code == 404


def test_a_background_parent_can_be_continued_once_it_has_finished() -> None:
    emulator = slow(running=60)
    with open_client(emulator) as client:
        parent = create(client, background=True).json()["id"]
        early = create(client, previous_response_id=parent)
        emulator.clock.advance(61)
        late = create(client, previous_response_id=parent)
    assert early.json()["error"]["code"] == "previous_response_not_found"
    assert late.status_code == 200


def test_a_background_stream_starts_queued_and_resumes_where_it_was_left() -> None:
    emulator = slow(queued=1, running=2)
    with open_client(emulator) as client:
        whole = create(client, background=True, stream=True)
        events = events_of(whole)
        path = f"{V1}/{events[0]['response']['id']}"
        again = client.get(path, params={"stream": "true"})
        rest = client.get(path, params={"stream": "true", "starting_after": 3})
        beyond = client.get(path, params={"stream": "true", "starting_after": len(events)})
    assert event_types(whole)[:3] == [
        "response.created",
        "response.queued",
        "response.in_progress",
    ]
    assert again.text == whole.text
    assert events_of(rest) == events[4:]
    assert beyond.text == ""


def test_a_background_stream_goes_on_without_its_reader() -> None:
    emulator = slow(running=10)
    with open_client(emulator) as client:
        body = {"model": "gpt-4.1", "input": "x", "stream": True, "background": True}
        with client.stream("POST", V1, json=body) as reply:
            first = next(reply.iter_text())
        path = f"{V1}/{first.split(chr(34) + 'id' + chr(34) + ':' + chr(34))[1].split(chr(34))[0]}"
        assert client.get(path).json()["status"] in ("queued", "in_progress")
        emulator.clock.advance(11)
        assert client.get(path).json()["status"] == "completed"


def test_a_background_stream_is_closed_after_five_minutes_and_the_response_goes_on() -> None:
    emulator = slow(running=400)
    with open_client(emulator) as client:
        client.timeout = httpx.Timeout(None)
        reply = create(client, background=True, stream=True)
        assert event_types(reply) == [
            "response.created",
            "response.queued",
            "response.in_progress",
        ]
        assert emulator.clock.now() == pytest.approx(BEGIN + 300)
        path = f"{V1}/{events_of(reply)[0]['response']['id']}"
        assert client.get(path).json()["status"] == "in_progress"
        rest = client.get(path, params={"stream": "true", "starting_after": 2})
    assert event_types(rest)[-1] == "response.completed"


def test_a_cancelled_background_stream_ends_where_it_was() -> None:
    emulator = slow(running=60)
    with open_client(emulator) as client:
        body = {"model": "gpt-4.1", "input": "x", "stream": True, "background": True}
        types = []
        with client.stream("POST", V1, json=body) as reply:
            for line in reply.iter_lines():
                if line.startswith("event: "):
                    types.append(line.removeprefix("event: "))
                if types[-1:] == ["response.in_progress"]:
                    record = emulator._accounts["emulator"].store._records
                    client.post(f"{V1}/{next(iter(record))}/cancel")
    assert types == ["response.created", "response.queued", "response.in_progress"]


@pytest.mark.parametrize("fields", [{}, {"stream": True}, {"background": True}])
def test_only_what_was_created_as_a_background_stream_can_be_streamed_again(
    client: httpx.Client, fields: dict[str, bool]
) -> None:
    response_id = create(client, **fields).text.split('"id":"')[1].split('"')[0]
    reply = client.get(f"{V1}/{response_id}", params={"stream": "true"})
    assert reply.status_code == 400
    assert reply.json()["error"]["param"] == "stream"


def test_a_resumed_stream_can_leave_the_padding_out(client: httpx.Client) -> None:
    events = events_of(create(client, background=True, stream=True))
    path = f"{V1}/{events[0]['response']['id']}"
    reply = client.get(path, params={"stream": "true", "include_obfuscation": "false"})
    assert any("obfuscation" in event for event in events)
    for event in events:
        event.pop("obfuscation", None)
    assert events_of(reply) == events


def test_starting_after_must_be_a_number(client: httpx.Client) -> None:
    events = events_of(create(client, background=True, stream=True))
    path = f"{V1}/{events[0]['response']['id']}"
    reply = client.get(path, params={"stream": "true", "starting_after": "x"})
    assert reply.status_code == 400
    assert reply.json()["error"]["param"] == "starting_after"


def test_the_dated_surface_does_not_stream_a_retrieved_response(client: httpx.Client) -> None:
    events = events_of(create(client, background=True, stream=True))
    path = f"/openai/responses/{events[0]['response']['id']}?api-version=2025-04-01-preview"
    reply = client.get(path + "&stream=true")
    assert reply.json()["status"] == "completed"


def test_latency_delays_a_whole_reply_by_its_tokens() -> None:
    emulator = slow(first_token=1.0, tokens_per_second=10)
    with open_client(emulator) as client:
        created = create(client).json()
    expected = 1.0 + created["usage"]["output_tokens"] / 10
    assert emulator.clock.now() == pytest.approx(BEGIN + expected)
    assert created["completed_at"] == int(BEGIN + expected)


def test_latency_spreads_a_stream_over_its_deltas() -> None:
    deployment = EmulatedDeployment(
        "gpt-4.1", latency=Latency(first_token=2.0, tokens_per_second=4)
    )
    emulator = Emulator([Resource("r", deployments=[deployment])], clock=Clock(BEGIN))
    with open_client(emulator) as client:
        reply = create(client, stream=True)
    deltas = sum(kind.endswith(".delta") for kind in event_types(reply))
    assert emulator.clock.now() == pytest.approx(BEGIN + 2.0 + deltas / 4)


def test_stored_items_can_be_referred_to(client: httpx.Client) -> None:
    first = create(client, input="My name is Ada.").json()
    listed = client.get(f"{V1}/{first['id']}/input_items").json()["data"]
    references = [
        {"type": "item_reference", "id": listed[0]["id"]},
        {"id": first["output"][0]["id"]},
    ]
    reply = create(client, input=[*references, {"role": "user", "content": "What is my name?"}])
    assert reply.status_code == 200, reply.text
    assert "Ada" in reply.json()["output"][-1]["content"][0]["text"]


@pytest.mark.parametrize("stores", [True, False])
def test_an_item_that_is_not_stored_is_not_found(client: httpx.Client, stores: bool) -> None:
    reply = create(client, store=stores, input=[{"type": "item_reference", "id": "rs_0"}])
    error = reply.json()["error"]
    assert (reply.status_code, error["param"]) == (400, "input")
    assert error["message"].startswith("Item with id 'rs_0' not found.")
    assert ("Items are not persisted" in error["message"]) is not stores


def test_reasoning_replayed_by_id_alone_is_looked_up(client: httpx.Client) -> None:
    options = {"model": "gpt-5", "reasoning": {"effort": "high"}}
    turn = {"role": "user", "content": "x"}
    for stores, status in ((True, 200), (False, 400)):
        reasoning, message = create(client, store=stores, **options).json()["output"]
        assert reasoning.keys() == {"id", "type", "summary"}
        del message["status"]
        replay = create(client, input=[reasoning, message, turn], **options)
        assert replay.status_code == status, replay.text


def test_a_conversation_gathers_what_its_responses_said(client: httpx.Client) -> None:
    conversation = client.post("/openai/v1/conversations", json={}).json()["id"]
    create(client, input="My name is Ada.", conversation=conversation)
    reply = create(client, input="What is my name?", conversation={"id": conversation}).json()
    assert "Ada" in reply["output"][-1]["content"][0]["text"]
    items = client.get(f"/openai/v1/conversations/{conversation}/items").json()["data"]
    assert [item["role"] for item in items] == ["assistant", "user", "assistant", "user"]


def test_an_unknown_conversation_is_not_found(client: httpx.Client) -> None:
    reply = create(client, conversation="conv_0")
    assert reply.status_code == 404
    assert reply.json()["error"]["message"] == "Conversation with id 'conv_0' not found."


def test_compacting_gives_items_to_go_on_with(client: httpx.Client) -> None:
    sent = [{"role": "user", "content": "My name is Ada."}]
    reply = client.post(f"{V1}/compact", json={"model": "gpt-5", "input": sent})
    assert reply.status_code == 200, reply.text
    assert reply.json()["object"] == "response.compaction"


def test_the_same_seed_gives_the_same_answers() -> None:
    def run(seed: int) -> str:
        with open_client(Emulator(clock=Clock(BEGIN), seed=seed)) as client:
            return create(client).text + create(client, stream=True).text

    assert run(1) == run(1) != run(2)
