"""Chat completions read into types, and the events of their streams."""

import pickle
from typing import Any

import openai
import pytest
from openai.lib.streaming.chat import ChatCompletionStreamState
from openai.types.chat import ChatCompletionChunk as TheirChunk
from pydantic import BaseModel, ValidationError

from azure_responses import pydantic_function_tool, pydantic_responses_function_tool
from azure_responses.bridge.chat_parsing import ChatEvents, ChatParser
from azure_responses.errors import ContentFilterFinishReasonError, LengthFinishReasonError
from azure_responses.types.chat import ChatCompletion
from azure_responses.types.chat_chunk import ChatCompletionChunk


class Animal(BaseModel):
    """An output type."""

    name: str
    legs: int


class GetWeather(BaseModel):
    """The arguments of a function."""

    city: str


_TEXT = '{"name":"Tom","legs":4}'
_STRICT = {"type": "function", "function": {"name": "strict", "strict": True, "parameters": {}}}
_LOOSE = {"type": "function", "function": {"name": "loose", "parameters": {}}}
_CUSTOM = {"type": "custom", "custom": {"name": "shell"}}


def _completion(message: dict[str, Any], reason: str = "stop") -> ChatCompletion:
    return ChatCompletion.model_validate(
        {
            "id": "c",
            "created": 1,
            "model": "m",
            "choices": [{"index": 0, "message": message, "finish_reason": reason}],
        }
    )


def _call(name: str, arguments: str) -> dict[str, Any]:
    function = {"name": name, "arguments": arguments}
    return {"id": "call_1", "type": "function", "function": function}


def test_the_text_is_read_into_the_type() -> None:
    given = _completion({"role": "assistant", "content": _TEXT, "new": 1})
    parsed = ChatParser[Animal](Animal, None).read(given)
    message = parsed.choices[0].message
    assert message.parsed == Animal(name="Tom", legs=4)
    assert (message.content, message.tool_calls, message["new"]) == (_TEXT, None, 1)
    # What was parsed is not sent back with the message.
    assert message.to_dict() == {"role": "assistant", "content": _TEXT, "new": 1}
    assert parsed.to_dict() == given.to_dict()
    assert pickle.loads(pickle.dumps(parsed)) == parsed


@pytest.mark.parametrize("format_", [None, {"type": "json_object"}])
def test_without_a_type_nothing_is_read(format_: Any) -> None:
    parsed = ChatParser[Any](format_, None).read(_completion({"content": _TEXT}))
    assert parsed.choices[0].message.parsed is None


def test_a_refusal_is_not_read() -> None:
    given = _completion({"content": "{", "refusal": "No."})
    assert ChatParser[Animal](Animal, None).read(given).choices[0].message.parsed is None


def test_a_text_that_does_not_fit_raises_with_the_completion() -> None:
    given = _completion({"content": '{"name": 1}'})
    with pytest.raises(ValidationError) as raised:
        ChatParser[Animal](Animal, None).read(given)
    assert raised.value.response is given  # type: ignore[attr-defined]


def test_arguments_are_read_by_the_tool_that_is_called() -> None:
    tools = [pydantic_function_tool(GetWeather), _STRICT, _LOOSE, _CUSTOM, "text"]
    calls = [
        _call("GetWeather", '{"city": "Oslo"}'),
        _call("strict", '{"a": 1}'),
        _call("loose", '{"a": 1}'),
        _call("unknown", "{"),
        _call("strict", "{"),
        {"id": "call_2", "type": "custom", "custom": {"name": "shell", "input": "ls"}},
    ]
    given = _completion({"content": None, "tool_calls": calls}, "tool_calls")
    found = ChatParser[Any](None, tools).read(given).choices[0].message.tool_calls or []
    assert [call.function.parsed_arguments for call in found[:5]] == [
        GetWeather(city="Oslo"),
        {"a": 1},
        None,
        None,
        None,
    ]
    assert [call.to_dict() for call in found] == calls


def test_a_tool_of_the_openai_package_is_known() -> None:
    given = _completion({"tool_calls": [_call("GetWeather", '{"city": "Oslo"}')]}, "tool_calls")
    parser = ChatParser[Any](None, [openai.pydantic_function_tool(GetWeather)])
    calls = parser.read(given).choices[0].message.tool_calls or []
    assert calls[0].function.parsed_arguments == GetWeather(city="Oslo")


@pytest.mark.parametrize(
    ("reason", "kind"),
    [("length", LengthFinishReasonError), ("content_filter", ContentFilterFinishReasonError)],
)
def test_an_answer_that_did_not_end_is_an_error(
    reason: str, kind: type[LengthFinishReasonError]
) -> None:
    given = _completion({"content": "{"}, reason)
    with pytest.raises(kind) as raised:
        ChatParser[Any](None, None).read(given)
    assert raised.value.completion is given


def test_a_tool_of_a_model_is_that_of_the_openai_package() -> None:
    for ours, theirs in (
        (pydantic_function_tool, openai.pydantic_function_tool),
        (pydantic_responses_function_tool, openai.pydantic_responses_function_tool),
    ):
        for named in ({}, {"name": "other", "description": "Says it."}):
            given: Any = named
            assert ours(GetWeather, **given) == theirs(GetWeather, **given)


def test_a_model_without_a_docstring_is_a_tool_without_a_description() -> None:
    bare = type("Bare", (BaseModel,), {"__annotations__": {"a": int}})
    assert "description" not in pydantic_function_tool(bare)["function"]


# Streams: the same chunks through both packages.


def _chunk(delta: dict[str, Any], reason: str | None = None, **more: Any) -> dict[str, Any]:
    choice = {"index": 0, "delta": delta, "finish_reason": reason, **more}
    head = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m"}
    return {**head, "choices": [choice]}


def _piece(index: int, arguments: str, **more: Any) -> dict[str, Any]:
    function = {"arguments": arguments, **({"name": more.pop("name")} if "name" in more else {})}
    return {"tool_calls": [{"index": index, "function": function, **more}]}


_LOGPROB = {"token": "a", "logprob": -0.1, "bytes": None, "top_logprobs": []}
_STREAMS: dict[str, tuple[Any, list[Any], list[dict[str, Any]]]] = {
    "text": (
        None,
        [],
        [
            _chunk({"role": "assistant", "content": ""}),
            _chunk({"content": "Hel"}, logprobs={"content": [_LOGPROB], "refusal": None}),
            _chunk({"content": "lo"}, logprobs={"content": [_LOGPROB], "refusal": None}),
            _chunk({}, "stop"),
        ],
    ),
    "a type": (
        Animal,
        [],
        [
            _chunk({"role": "assistant", "content": ""}),
            _chunk({"content": '{"name":"T'}),
            _chunk({"content": 'om","legs":4}'}),
            _chunk({}, "stop"),
        ],
    ),
    "a refusal": (
        Animal,
        [],
        [
            _chunk({"role": "assistant", "content": None, "refusal": "I "}),
            _chunk({"refusal": "won't."}, logprobs={"content": None, "refusal": [_LOGPROB]}),
            _chunk({}, "stop"),
        ],
    ),
    "calls": (
        None,
        [openai.pydantic_function_tool(GetWeather), _STRICT],
        [
            _chunk({"role": "assistant", "content": "Let me see."}),
            _chunk(_piece(0, "", id="call_1", type="function", name="GetWeather")),
            _chunk(_piece(0, '{"city":')),
            _chunk(_piece(0, '"Oslo"}')),
            _chunk(_piece(1, "", id="call_2", type="function", name="strict")),
            _chunk(_piece(1, '{"a": 1}')),
            _chunk({}, "tool_calls"),
        ],
    ),
}


def _seen(event: Any) -> dict[str, Any]:
    names = (
        "type", "delta", "snapshot", "content", "parsed", "refusal", "name", "index", "arguments",
        "arguments_delta", "parsed_arguments",
    )  # fmt: skip
    found = {name: getattr(event, name) for name in names if hasattr(event, name)}
    if event.type == "chunk":
        found["snapshot"] = _plain(event.snapshot)
    return {name: _as_json(value) for name, value in found.items()}


def _plain(completion: Any) -> list[Any]:
    return [
        [
            choice.message.content,
            choice.message.refusal,
            choice.finish_reason,
            [
                [call.id, call.function.name, call.function.arguments]
                for call in choice.message.tool_calls or ()
            ],
        ]
        for choice in completion.choices
    ]


def _as_json(value: Any) -> Any:
    if isinstance(value, list):
        return [_as_json(one) for one in value]
    return value.to_dict() if hasattr(value, "to_dict") else value


@pytest.mark.parametrize("name", _STREAMS)
def test_a_stream_has_the_events_of_the_openai_package(name: str) -> None:
    format_, tools, chunks = _STREAMS[name]
    asked = {} if format_ is None else {"response_format": format_}
    theirs: Any = ChatCompletionStreamState(input_tools=tools, **asked)
    parser = ChatParser[Any](format_, tools)
    ours = ChatEvents(parser, ends_early=True)
    for chunk in chunks:
        expected = [_seen(one) for one in theirs.handle_chunk(TheirChunk.model_validate(chunk))]
        found = [_seen(one) for one in ours.take(ChatCompletionChunk.model_validate(chunk))]
        assert found == expected
    assert ours.snapshot is not None
    assert _plain(ours.snapshot) == _plain(theirs.get_final_completion())
    assert _plain(parser.read(ours.snapshot)) == _plain(ours.snapshot)


def test_the_choices_of_a_stream_are_kept_apart() -> None:
    events = ChatEvents(ChatParser[Any](None, None), ends_early=False)
    for index, text in ((1, "b"), (0, "a"), (1, "d"), (0, "c")):
        chunk = _chunk({"content": text})
        chunk["choices"][0]["index"] = index
        events.take(ChatCompletionChunk.model_validate(chunk))
    assert events.snapshot is not None
    assert [one.message.content for one in events.snapshot.choices] == ["ac", "bd"]


def test_a_chunk_without_choices_adds_to_the_snapshot() -> None:
    events = ChatEvents(ChatParser[Any](None, None), ends_early=False)
    usage = {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}
    chunk = {"id": "", "choices": [], "usage": usage, "model": ""}
    assert [one.type for one in events.take(ChatCompletionChunk.model_validate(chunk))] == ["chunk"]
    assert events.snapshot is not None
    assert events.snapshot.usage is not None
    assert events.snapshot.usage.total_tokens == 3


@pytest.mark.parametrize("ends_early", [True, False])
def test_a_stream_that_is_cut_short_is_an_error_where_it_is_read(ends_early: bool) -> None:
    events = ChatEvents(ChatParser[Any](None, None), ends_early=ends_early)
    chunk = ChatCompletionChunk.model_validate(_chunk({"content": "a"}, "length"))
    if not ends_early:
        assert [one.type for one in events.take(chunk)] == [
            "chunk",
            "content.delta",
            "content.done",
        ]
        return
    with pytest.raises(LengthFinishReasonError) as raised:
        events.take(chunk)
    assert raised.value.completion is events.snapshot


def test_the_call_of_a_custom_tool_has_no_events_of_a_function() -> None:
    events = ChatEvents(ChatParser[Any](None, None), ends_early=False)
    custom = {"index": 0, "id": "call_1", "type": "custom", "custom": {"name": "x", "input": "y"}}
    for delta, reason in (({"tool_calls": [custom]}, None), ({}, "tool_calls")):
        chunk = ChatCompletionChunk.model_validate(_chunk(delta, reason))
        assert [one.type for one in events.take(chunk)] == ["chunk"]


def test_what_only_this_package_says_of_a_message_grows_too() -> None:
    events = ChatEvents(ChatParser[Any](None, None), ends_early=False)
    for text in ("a", "b"):
        delta = {"reasoning_content": text, "hosted_items": [{"id": text}]}
        events.take(ChatCompletionChunk.model_validate(_chunk(delta)))
    assert events.snapshot is not None
    message = events.snapshot.choices[0].message
    assert (message.reasoning_content, message.hosted_items) == ("ab", [{"id": "a"}, {"id": "b"}])
