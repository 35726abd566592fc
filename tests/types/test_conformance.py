"""Recorded traffic, written by nobody here, parses to specific types and survives unchanged."""

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import TypeAdapter

from azure_responses.types import (
    EVENT_TYPES,
    CompactedResponse,
    Includable,
    InputItem,
    Model,
    Reasoning,
    Response,
    ResponseCreateParams,
    StreamEvent,
    TextConfig,
    Tool,
    ToolChoice,
    parse_event,
)

from ..recordings import Exchange, exchanges, wire_folder
from .tree import nodes, unknown_nodes

# A heartbeat in one image stream of agentgateway's tests (made by hand there). No SDK and no
# description lists it, it carries nothing, and a client skips it like any event it does not know.
EXPECTED_UNKNOWN = {("UnknownEvent", "keepalive")}

BODY_TYPES: dict[str, type[Response] | type[CompactedResponse]] = {
    "response": Response,
    "response.compaction": CompactedResponse,
}


def _body(exchange: Exchange) -> dict[str, Any] | None:
    body = exchange.body
    if not isinstance(body, dict):
        return None
    # Two hand-made bodies leave `object` out.
    return body if body.get("object") in BODY_TYPES or {"id", "output"} <= body.keys() else None


def _events(exchange: Exchange) -> Iterator[dict[str, Any]]:
    # Chat completion chunks have an `object` or `choices` (also when `object` is ""), never a type.
    return (event for event in exchange.event_objects() if "type" in event)


def _canonical(value: Any) -> str:
    return json.dumps(value, sort_keys=True)


def _bodies() -> list[tuple[str, dict[str, Any]]]:
    return [
        (exchange.id, body) for exchange in exchanges() if (body := _body(exchange)) is not None
    ]


def _stream_events() -> list[tuple[str, dict[str, Any]]]:
    return [(exchange.id, event) for exchange in exchanges() for event in _events(exchange)]


def _requests() -> list[dict[str, Any]]:
    recorded = [
        exchange.request
        for exchange in exchanges()
        if isinstance(exchange.request, dict) and "input" in exchange.request
    ]
    text = (wire_folder() / "client-requests.jsonl").read_text(encoding="utf-8")
    sent = [json.loads(line) for line in text.rstrip("\n").split("\n")]
    return recorded + [
        row["body"] for row in sent if row["path"].endswith("/responses") and "input" in row["body"]
    ]


def _report(title: str, counts: Counter[str]) -> None:
    print(f"{title}:", ", ".join(f"{name} {count}" for name, count in counts.most_common()))


def test_every_recorded_response_parses_and_comes_back_unchanged() -> None:
    bodies = _bodies()
    for source, body in bodies:
        result = BODY_TYPES[body.get("object", "response")].model_validate_json(json.dumps(body))
        assert _canonical(result.to_dict()) == _canonical(body), source
        assert _canonical(json.loads(result.to_json())) == _canonical(body), source
        assert unknown_nodes(result) == [], source
    assert len(bodies) > 100


def test_every_recorded_event_parses_to_its_class_and_comes_back_unchanged() -> None:
    counts: Counter[str] = Counter()
    unknown: set[tuple[str, Any]] = set()
    for source, event in _stream_events():
        parsed = parse_event(json.dumps(event).encode())
        assert type(parsed).__name__ == "UnknownEvent" or isinstance(
            parsed, EVENT_TYPES[event["type"]]
        )
        assert _canonical(parsed.to_dict()) == _canonical(event), source
        assert _canonical(json.loads(parsed.to_json())) == _canonical(event), source
        counts[event["type"]] += 1
        unknown.update(unknown_nodes(parsed))
    _report("events", counts)
    assert unknown == EXPECTED_UNKNOWN
    assert sum(counts.values()) > 8000


# Plain JSON by design: their keys are the caller's, or too young to type.
RAW_FIELDS = {"metadata", "moderation", "access_programs"}


def _raw_settings(response: Response) -> set[str]:
    """Fields whose value did not fit its type and was kept as plain JSON."""
    values = {name: getattr(response, name) for name in Response.model_fields}
    return {
        name
        for name, value in values.items()
        if isinstance(value, dict)
        or (isinstance(value, list) and any(isinstance(member, dict) for member in value))
    } - RAW_FIELDS


def test_no_recorded_setting_falls_back_to_plain_json() -> None:
    parsed: list[Any] = [Response.model_validate(body) for _, body in _bodies()]
    parsed += [parse_event(json.dumps(event)) for _, event in _stream_events()]
    responses = [node for value in parsed for node in nodes(value) if isinstance(node, Response)]
    assert {name for response in responses for name in _raw_settings(response)} == set()
    assert len(responses) > 500


def test_the_sse_name_does_not_change_what_a_recorded_event_is() -> None:
    for _, event in _stream_events():
        data = json.dumps(event)
        plain = parse_event(data)
        for name in (event["type"], "message", "response.output_text.delta"):
            named = parse_event(data, name)
            assert type(named) is type(plain)
            assert named == plain


def test_recordings_reach_most_kinds_of_node() -> None:
    counts: Counter[str] = Counter()
    for _, body in _bodies():
        parsed = BODY_TYPES[body.get("object", "response")].model_validate(body)
        counts.update(type(node).__name__ for node in nodes(parsed))
    for _, event in _stream_events():
        counts.update(type(node).__name__ for node in nodes(parse_event(json.dumps(event))))
    kinds = {name: _members(name) for name in ("items", "tools", "content")}
    for title, names in kinds.items():
        _report(title, Counter({name: counts[name] for name in names if counts[name]}))
    met = [name for names in kinds.values() for name in names if counts[name]]
    assert len(met) >= 54


def _members(package: str) -> list[str]:
    return [
        kind.__name__
        for kind in Model.__subclasses__()
        if package in kind.__module__.split(".") and "type" in kind.model_fields
    ]


def test_every_recorded_response_field_is_known() -> None:
    # `billing` is OpenAI's own and `input` only GitHub Copilot's: kept, but not worth a field.
    unlisted: set[str] = set()
    for _, body in _bodies():
        parsed = BODY_TYPES[body.get("object", "response")].model_validate(body)
        unlisted.update(parsed.model_extra or {})
    assert unlisted <= {"billing", "input"}


@pytest.mark.parametrize(
    ("field", "adapter"),
    [
        ("input", TypeAdapter[Any](str | list[InputItem])),
        ("tools", TypeAdapter[Any](list[Tool])),
        ("tool_choice", TypeAdapter[Any](ToolChoice)),
        ("text", TypeAdapter[Any](TextConfig)),
        ("reasoning", TypeAdapter[Any](Reasoning)),
        ("include", TypeAdapter[Any](list[Includable])),
    ],
)
def test_what_real_clients_sent_parses_specifically_and_comes_back_unchanged(
    field: str, adapter: TypeAdapter[Any]
) -> None:
    counts: Counter[str] = Counter()
    for request in _requests():
        sent = request.get(field)
        if sent is None:
            continue
        parsed = adapter.validate_json(json.dumps(sent))
        dumped = adapter.dump_python(parsed, mode="json", exclude_unset=True)
        assert _canonical(dumped) == _canonical(sent)
        assert unknown_nodes(parsed) == []
        counts.update(type(node).__name__ for node in nodes(parsed) or ["plain"])
        counts["requests"] += 1
    _report(field, counts)
    assert counts["requests"] > 0


def test_real_clients_sent_only_parameters_we_name() -> None:
    names = {name for request in _requests() for name in request}
    assert names <= ResponseCreateParams.__annotations__.keys()


def test_events_arrive_as_stream_events() -> None:
    for _, event in _stream_events()[:50]:
        assert isinstance(parse_event(json.dumps(event)), StreamEvent)
