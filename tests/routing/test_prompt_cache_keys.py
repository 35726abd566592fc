"""Which calls share a prompt cache, by the keys made of what they name and how they begin."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azure_responses.routing.prompt_cache_keys import (
    AffinityKind,
    CacheKeys,
    PromptCacheKeys,
    cache_life,
)

_LONG = "You answer for the office. " * 200
_USUAL: frozenset[AffinityKind] = frozenset({"session_affinity", "prompt_caching"})
_KEYS = PromptCacheKeys(b"a secret of sixteen bytes")


def _keys(body: dict[str, Any], *kinds: AffinityKind, **options: Any) -> CacheKeys | None:
    return _KEYS.of(body, frozenset(kinds) or _USUAL, **{"group": "gpt", **options})


def _names(body: dict[str, Any], *kinds: AffinityKind, **options: Any) -> list[str]:
    keys = _keys(body, *kinds, **options)
    return [key.name for key in keys.keys] if keys else []


def _digests(body: dict[str, Any], **options: Any) -> list[bytes]:
    keys = _keys(body, **options)
    return [key.digest for key in keys.keys] if keys else []


def _user(text: Any) -> dict[str, Any]:
    return {"role": "user", "content": text}


def test_a_short_prompt_that_names_nothing_has_no_key() -> None:
    assert _keys({"input": "Hello"}) is None
    assert _keys({"input": [_user("Hello")], "instructions": "Be brief.", "tools": []}) is None
    assert _keys({}) is None


def test_a_prompt_counts_from_about_a_thousand_tokens_in_any_script() -> None:
    assert _keys({"input": "a" * 4000}) is None
    assert _names({"input": "a" * 4096}) == ["conversation", "beginning"]
    assert _names({"input": "界" * 1400}) == ["conversation", "beginning"]


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        ({"x-litellm-session-id": "s-1"}, {}),
        ({"x-litellm-trace-id": "s-1"}, {}),
        ({"x-claude-code-session-id": "s-1"}, {}),
        ({"session-id": "s-1"}, {}),
        ({"session_id": "s-1"}, {}),
        ({"thread-id": "s-1"}, {}),
        ({"conversation_id": "s-1"}, {}),
        ({"x-session-id": "s-1"}, {}),
        ({"x-request-id": "r"}, {"metadata": {"session_id": "s-1"}}),
        (None, {"metadata": {"user_id": "user_0a_account_7_session_s-1"}}),
        (None, {"metadata": {"user_id": json.dumps({"session_id": "s-1"})}}),
    ],
)
def test_a_session_is_found_wherever_clients_name_it(
    headers: dict[str, str] | None, body: dict[str, Any]
) -> None:
    assert _digests(body, headers=headers) == _digests({"metadata": {"session_id": "s-1"}})
    assert _names(body, headers=headers) == ["session"]


def test_a_session_may_be_a_number() -> None:
    one, other = ({"metadata": {"session_id": session}} for session in (7, "7"))
    assert _digests(one) == _digests(other)


def test_the_session_of_litellms_header_counts_before_others() -> None:
    headers = {"session-id": "a", "x-vendor-session-id": "b", "x-litellm-session-id": "c"}
    assert _digests({}, headers=headers) == _digests({}, headers={"session-id": "c"})
    del headers["x-litellm-session-id"]
    assert _digests({}, headers=headers) == _digests({}, headers={"session-id": "b"})


@pytest.mark.parametrize(
    "metadata",
    [
        None,
        "s",
        {},
        {"session_id": True},
        {"session_id": 7.5},
        {"session_id": ""},
        {"session_id": "x" * 513},
        {"user_id": "ann"},
        {"user_id": 7},
        {"user_id": "{broken"},
        {"user_id": "{" * 100_000},
        {"user_id": '{"session_id": 1}'},
        {"user_id": '{"other": 1}'},
    ],
)
def test_what_is_no_session_names_none(metadata: Any) -> None:
    assert _keys({"input": "Hello", "metadata": metadata}) is None


def test_what_a_request_names_counts_before_its_text() -> None:
    body = {"input": _LONG, "prompt_cache_key": "k", "metadata": {"session_id": "s"}}
    assert _names(body) == ["session", "prompt_cache_key", "conversation", "beginning"]
    assert _names(body, "prompt_caching") == ["conversation", "beginning"]
    assert _names(body, "session_affinity") == ["session", "prompt_cache_key"]
    assert _names({"input": _LONG}, "session_affinity") == []


def test_an_owner_ties_calls_only_where_that_is_asked_for() -> None:
    assert _names({"input": "Hi"}, owner="team") == []
    assert _names({"input": "Hi"}, "deployment_affinity", owner="team") == ["owner"]
    assert _names({"input": "Hi"}, "deployment_affinity") == []
    named = {"prompt_cache_key": "k"}
    kinds: tuple[AffinityKind, ...] = ("session_affinity", "deployment_affinity")
    assert _names(named, *kinds, owner="team") == ["prompt_cache_key", "owner"]


def test_owners_groups_secrets_and_kinds_have_keys_of_their_own() -> None:
    body = {"prompt_cache_key": "same"}
    found = [
        _digests(body),
        _digests(body, owner=""),
        _digests(body, owner="a"),
        _digests(body, owner="b"),
        _digests(body, group="other"),
        _digests({"metadata": {"session_id": "same"}}),
    ]
    other = PromptCacheKeys(b"another secret of bytes").of(body, _USUAL, group="gpt")
    assert other is not None
    assert len({digest for digests in found for digest in digests} | {other.keys[0].digest}) == 7


def test_processes_with_one_secret_make_the_same_keys_and_chances() -> None:
    body = {"prompt_cache_key": "same"}
    again = PromptCacheKeys(b"a secret of sixteen bytes").of(body, _USUAL, group="gpt")
    assert again == _keys(body)
    assert again is not None
    assert 0 <= again.keys[0].chance < 1


def test_no_key_holds_what_it_was_made_of() -> None:
    body = {"input": _LONG, "prompt_cache_key": "private-name"}
    keys = _keys(body, "session_affinity", "prompt_caching")
    assert "private" not in repr(keys)
    assert "office" not in repr(_keys({"input": _LONG}))


def test_a_conversation_keeps_its_keys_while_it_grows() -> None:
    system = {"role": "system", "content": _LONG}
    turns = [system, _user("First question")]
    begun = _digests({"input": turns})
    turns += [{"role": "assistant", "content": "An answer"}, _user("Next question")]
    assert _digests({"input": turns}) == begun


def test_conversations_that_begin_alike_share_the_second_key_alone() -> None:
    one, other = (
        _digests({"instructions": _LONG, "input": [_user(text)]}) for text in ("First", "Second")
    )
    assert one[1] == other[1]
    assert one[0] != other[0]


def test_tools_and_instructions_are_part_of_the_beginning() -> None:
    tools = [{"type": "function", "name": "look_up", "description": _LONG}]
    renamed = [{**tools[0], "name": "find"}]
    bodies: list[dict[str, Any]] = [
        {"tools": tools, "input": "Hi"},
        {"tools": renamed, "input": "Hi"},
        {"instructions": _LONG, "input": "Hi"},
        {"system": "Today: " + _LONG, "messages": [_user("Hi")]},
        {"messages": [{"role": "system", "content": _LONG}, _user("Hi")]},
        {"functions": tools, "messages": [_user("Hey")]},
    ]
    found = [_digests(body) for body in bodies]
    assert all(len(digests) == 2 for digests in found)
    assert len({digests[1] for digests in found}) == len(bodies) - 1  # functions say what tools do
    assert len({digests[0] for digests in found}) == len(bodies)


def test_a_prompt_without_a_users_message_has_the_key_of_its_beginning() -> None:
    assert _names({"instructions": _LONG, "input": [{"role": "assistant"}]}) == ["beginning"]
    assert _names({"instructions": _LONG, "input": 7}) == ["beginning"]
    many = [{"role": "developer", "content": _LONG}] * 20
    assert _names({"input": [*many, _user("Hi")]}) == ["beginning"]


class _Item:
    def __init__(self, **fields: Any) -> None:
        self.__dict__.update(fields)


def test_items_of_an_answer_are_read_as_they_are() -> None:
    item = _Item(role="user", content=[_Item(type="input_text", text=_LONG, index=3)])
    same = {"role": "user", "content": [{"type": "input_text", "text": _LONG, "index": 3}]}
    assert _digests({"input": [item]}) == _digests({"input": [same]})


def test_what_comes_after_the_beginning_is_not_read() -> None:
    class Unread(list[Any]):
        def __iter__(self) -> Any:
            raise AssertionError("read too far")

    assert len(_digests({"instructions": _LONG, "input": [_user("Hi"), Unread()]})) == 2
    image = "data:image/png;base64," + "A" * 5_000_000
    assert len(_digests({"input": [_user([{"type": "input_image", "image_url": image}])]})) == 2


@pytest.mark.parametrize(
    ("body", "seconds"),
    [
        ({}, 0.0),
        ({"prompt_cache_retention": "24h"}, 86_400.0),
        ({"prompt_cache_retention": "in_memory"}, 0.0),
        ({"prompt_cache_retention": None}, 0.0),
        ({"prompt_cache_options": {"ttl": "30m"}}, 1800.0),
        ({"prompt_cache_options": {"ttl": 30}}, 0.0),
        ({"prompt_cache_options": "30m"}, 0.0),
        ({"prompt_cache_options": {}, "prompt_cache_retention": "24h"}, 86_400.0),
    ],
)
def test_a_request_says_how_long_its_cache_is_kept(body: dict[str, Any], seconds: float) -> None:
    keys = _keys({"prompt_cache_key": "k", **body})
    assert keys is not None
    assert keys.life == seconds


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@given(st.dictionaries(st.sampled_from(["tools", "input", "messages", "metadata"]), _json))
def test_any_body_is_read(body: dict[str, Any]) -> None:
    assert _keys(body) == _keys(body)


def test_empty_values_without_end_are_not_read_to_their_end() -> None:
    cycle: list[Any] = []
    cycle.append(cycle)
    assert _names({"instructions": cycle, "input": "Hi"}) == ["conversation", "beginning"]


@pytest.mark.parametrize(
    ("items", "is_begun"),
    [
        ("Hello", False),
        ([_user("Hello")], False),
        ([{"role": "system", "content": "Be brief."}, _user("Hello")], False),
        ([_user("Hello"), {"role": "assistant", "content": "Hi"}, _user("More")], True),
        ([_Item(role="user", content="Hello"), _Item(role="assistant", content="Hi")], True),
        ([{"role": "assistant", "content": "Hi"}], False),
        (None, False),
    ],
)
def test_a_conversation_that_has_begun_is_told_from_a_new_one(items: Any, is_begun: bool) -> None:
    keys = _keys({"prompt_cache_key": "k", "input": items})
    assert keys is not None
    assert keys.is_begun is is_begun


@pytest.mark.parametrize(
    ("model", "seconds"),
    [
        ("gpt-4o", 600),
        ("gpt-4.1-mini", 600),
        ("gpt-5", 600),
        ("gpt-5-mini", 600),
        ("gpt-5.4", 600),
        ("gpt-5.4-2026-03-05", 600),
        ("gpt-5.5", 86_400),
        ("gpt-5.10", 86_400),
        ("gpt-6-pro", 86_400),
        ("o3", 600),
        ("my-gpt-6", 600),
        ("gpt-35-turbo", 600),
        ("azure/gpt-5.6", 86_400),
    ],
)
def test_newer_models_keep_their_caches_for_a_day(model: str, seconds: int) -> None:
    assert cache_life(model) == seconds
