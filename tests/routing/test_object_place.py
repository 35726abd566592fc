"""Where calls on stored objects go: by an id, by a model, to the only resource, or nowhere."""

from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azure_responses.errors import BadRequestError, NotFoundError, ResponseNotFoundError
from azure_responses.protocol.object_table import OBJECT_OPERATIONS
from azure_responses.routing.affinity import Affinity
from azure_responses.routing.asked_object import AskedObject, named_model
from azure_responses.routing.deployment import Deployment
from azure_responses.routing.deployment_registry import DeploymentRegistry
from azure_responses.routing.object_place import ObjectPlace, ObjectPlaces
from azure_responses.routing.route_request import AttemptStep, RouteRequest
from azure_responses.routing.routed_call import RoutedCall
from azure_responses.routing.settings import read_settings
from azure_responses.routing.signed_id import IdSigner, make_tag

_SIGNER = IdSigner([b"s" * 32])
_ROWS = {"east": "gpt", "west": "gpt", "north": "o4"}


def _deployment(name: str, group: str, **more: Any) -> Deployment:
    resource = make_tag(more.pop("at", name))
    return Deployment(name, group, more.pop("model", "gpt-5"), make_tag(name), resource, **more)


def _places(*deployments: Deployment) -> ObjectPlaces:
    found = deployments or tuple(_deployment(name, group) for name, group in _ROWS.items())
    return ObjectPlaces(DeploymentRegistry(found), Affinity(_SIGNER, found))


def _label(inner: str, resource: str = "east", owner: str | None = None) -> str:
    tag = make_tag(resource)
    return _SIGNER.label_id(inner, deployment_tag=tag, resource_tag=tag, owner=owner)


def _read(operation: str, *ids: str, at: ObjectPlaces | None = None, **asked: Any) -> ObjectPlace:
    return (at or _places()).read(AskedObject(OBJECT_OPERATIONS[operation], ids, **asked))


def _resource(place: ObjectPlace) -> str | None:
    return None if place.pin is None else place.pin.resource


def test_an_id_of_the_path_says_the_resource_whatever_the_model() -> None:
    place = _read("files.content", _label("file-1", "west"), model="o4")
    assert (_resource(place), place.ids, place.group) == (make_tag("west"), ("file-1",), "gpt")
    assert place.given == {"file-1": _label("file-1", "west")}


def test_ids_of_the_query_and_of_the_body_do_so_too() -> None:
    after, store = _label("file-9", "north"), _label("vs_1", "north")
    place = _read("vector_stores.files.list", store, query={"after": after, "limit": "2"})
    assert (place.query, place.group) == ({"after": "file-9", "limit": "2"}, "o4")
    place = _read("vector_stores.create", body={"file_ids": [_label("file-1", "north")]})
    assert _resource(place) == make_tag("north")
    assert place.body is not None
    assert place.body.unlabel().body == {"file_ids": ["file-1"]}


@pytest.mark.parametrize(
    ("ids", "asked", "first", "second"),
    [
        ([("vs_1", "east"), ("file-1", "west")], {}, "vector_store_id", "file_id"),
        (
            [("vs_1", "east")],
            {"query": {"after": _label("file-1", "west")}},
            "vector_store_id",
            "after",
        ),
        (
            [],
            {"body": {"file_ids": [_label("file-1", "east"), _label("file-2", "west")]}},
            r"file_ids\[0\]",
            r"file_ids\[1\]",
        ),
        (
            [("vs_1", "east")],
            {"body": {"file_id": _label("file-1", "west")}},
            "vector_store_id",
            "file_id",
        ),
    ],
)
def test_ids_of_two_resources_are_refused_and_named(
    ids: list[tuple[str, str]], asked: dict[str, Any], first: str, second: str
) -> None:
    operation = {
        2: "vector_stores.files.retrieve",
        1: "vector_stores.files.list" if "query" in asked else "vector_stores.files.create",
        0: "vector_stores.create",
    }[len(ids)]
    with pytest.raises(BadRequestError, match=f"{first} and {second} name things"):
        _read(operation, *(_label(*each) for each in ids), **asked)


def test_a_label_of_another_owner_or_a_forged_one_is_not_found() -> None:
    label = _label("file-1", owner="ann")
    assert _read("files.retrieve", label, owner="ann").ids == ("file-1",)
    for owner, text in (("bob", label), (None, label), ("ann", label[:-3] + "AAA")):
        with pytest.raises(ResponseNotFoundError) as caught:
            _read("files.retrieve", text, owner=owner)
        assert caught.value.param == "file_id"


def test_a_resource_that_is_not_configured_any_more_is_said() -> None:
    with pytest.raises(ResponseNotFoundError, match="not configured here any more"):
        _read("files.retrieve", _label("file-1", "south"))


def test_a_model_says_where_an_object_is_made() -> None:
    place = _read("files.create", body={}, model="o4")
    assert (_resource(place), place.group) == (make_tag("north"), "o4")
    place = _read("files.create", body={}, model="gpt")
    assert place.group == "gpt"
    assert _resource(place) in (make_tag("east"), make_tag("west"))


def test_a_model_that_does_not_exist_is_not_found() -> None:
    with pytest.raises(NotFoundError) as caught:
        _read("files.create", body={}, model="gpt-9")
    assert caught.value.code == "model_not_found"


def test_the_only_resource_needs_no_model() -> None:
    sole = _places(_deployment("a", "gpt", at="east"), _deployment("b", "o4", at="east"))
    assert _resource(_read("files.create", body={}, at=sole)) == make_tag("east")


def test_the_only_resource_is_that_of_the_models_the_caller_may_call() -> None:
    place = _read("files.create", body={}, may_call=lambda name: name == "o4")
    assert (_resource(place), place.group) == (make_tag("north"), "o4")


def test_of_several_resources_the_caller_is_asked_to_choose() -> None:
    with pytest.raises(BadRequestError) as caught:
        _read("conversations.create", body={})
    assert (caught.value.code, caught.value.param) == ("missing_required_parameter", "model")
    assert str(caught.value.hint).endswith("gpt or o4.")


def test_a_caller_who_may_call_nothing_that_stores_is_told_so() -> None:
    for operation in ("files.create", "files.list"):
        with pytest.raises(BadRequestError, match="None of the models"):
            _read(operation, body=None, may_call=lambda name: False)


@pytest.mark.parametrize(
    "other",
    [
        {"api": "messages"},
        {"host": "k2.eastus.models.ai.azure.com"},
        {"model": "claude-sonnet-4-5"},
        {"base_model": "claude-opus-4-1"},
    ],
)
def test_an_endpoint_that_stores_no_objects_is_left_out(
    other: dict[str, Any],
) -> None:
    places = _places(_deployment("a", "gpt"), _deployment("b", "claude", **other))
    assert _resource(_read("files.create", body={}, at=places)) == make_tag("a")
    with pytest.raises(BadRequestError, match="store no objects"):
        _read("files.create", body={}, model="claude", at=places)


def test_a_group_of_which_only_some_store_objects_keeps_to_those() -> None:
    places = _places(
        _deployment("a", "mixed", api="messages"), _deployment("b", "mixed", api="responses")
    )
    assert _resource(_read("files.create", body={}, model="mixed", at=places)) == make_tag("b")
    three = _places(
        _deployment("a", "mixed", api="messages"),
        _deployment("b", "mixed", api="responses"),
        _deployment("c", "mixed", api="responses"),
    )
    pin = _read("files.create", body={}, model="mixed", at=three).pin
    assert pin is not None
    assert not pin.is_wish
    assert sorted(pin.resources) == sorted([make_tag("b"), make_tag("c")])


_CALLERS = [f"caller-{number}" for number in range(200)]
_CREATIONS = ("files.create", "vector_stores.create", "containers.create", "conversations.create")


def _homes(*names: str, who: str = "owner", **weights: float) -> dict[str, str]:
    """Caller → name of the resource that each of their objects prefers."""
    places = _places(*(_deployment(n, "gpt", weight=weights.get(n, 1.0)) for n in names))
    named = {make_tag(name): name for name in names}
    found = {}
    for caller in _CALLERS:
        asked: dict[str, Any] = {who: caller, "model": "gpt", "body": {}}
        pins = [_read(operation, at=places, **asked).pin for operation in _CREATIONS]
        assert all(pin is not None and pin.is_wish and not pin.is_hard for pin in pins)
        (resource,) = {pin.resource for pin in pins if pin is not None}
        found[caller] = named[resource]
    return found


@pytest.mark.parametrize("who", ["owner", "end_user"])
def test_each_callers_objects_meet_at_one_resource_and_the_callers_are_spread(who: str) -> None:
    counts = Counter(_homes("a", "b", "c", who=who).values())
    assert set(counts) == {"a", "b", "c"}
    assert min(counts.values()) > 45


def test_the_owner_counts_before_the_end_user() -> None:
    places = _places(*(_deployment(name, "gpt") for name in "abc"))
    homes = {
        _resource(_read("files.create", model="gpt", at=places, owner="ann", end_user=caller))
        for caller in _CALLERS
    }
    assert homes == {_resource(_read("files.create", model="gpt", at=places, owner="ann"))}


def test_a_resource_that_is_added_or_removed_moves_only_its_own_callers() -> None:
    three, four = _homes("a", "b", "c"), _homes("d", "c", "b", "a")
    moved = {caller for caller in _CALLERS if three[caller] != four[caller]}
    assert {four[caller] for caller in moved} == {"d"}
    assert 25 < len(moved) < 75


def test_resources_get_callers_by_their_weight_and_lowest_order() -> None:
    counts = Counter(_homes("a", "b", "c", a=3.0, c=0.0).values())
    assert counts["a"] > 2 * counts["b"] > 0
    assert "c" not in counts
    assert set(_homes("a", "b", a=0.0, b=0.0).values()) == {"a", "b"}
    places = _places(_deployment("a", "gpt", order=2), _deployment("b", "gpt"))
    for caller in _CALLERS:
        place = _read("files.create", model="gpt", at=places, owner=caller)
        assert _resource(place) == make_tag("b")


def test_an_alias_and_any_model_lead_to_the_place_of_the_group() -> None:
    rows = [_deployment(name, "*") for name in "abc"]
    registry = DeploymentRegistry(rows, read_settings({"model_group_alias": {"mine": "*"}}))
    places = ObjectPlaces(registry, Affinity(_SIGNER, rows))
    for caller in _CALLERS:
        models = ("gpt-5", "gpt-5-mini", "mine")
        found = [_read("files.create", model=m, at=places, owner=caller) for m in models]
        assert len({_resource(place) for place in found}) == 1


def test_a_place_in_cooldown_is_not_used_and_is_used_again_afterwards() -> None:
    rows = [_deployment(name, "gpt") for name in "abc"]
    registry = DeploymentRegistry(rows)
    pin = _read("files.create", model="gpt", at=ObjectPlaces(registry, Affinity(_SIGNER)))[1]
    assert pin is not None
    request = RouteRequest("gpt", pin=pin, can_move=False, is_object=True)
    home = registry.by_tag(pin.resource)
    assert home is not None

    def taken(now: float) -> set[str]:
        calls = [RoutedCall(registry, request, now) for _ in range(20)]
        steps = [call.next_step(now, number / 20) for number, call in enumerate(calls)]
        return {step.candidates[0].deployment.id for step in steps if isinstance(step, AttemptStep)}

    assert taken(0.0) == {home.id}
    registry.health.fail(
        home.id, "failures", 0.0, hint=None, at_once=True, is_probe=False, counts=True
    )
    assert taken(1.0) == {"a", "b", "c"} - {home.id}
    assert home.id in taken(1000.0)


def test_an_id_of_the_service_goes_to_the_only_resource() -> None:
    places = _places(_deployment("a", "gpt"), _deployment("b", "o4", at="a"))
    place = _read("files.retrieve", "file-raw", at=places)
    assert (_resource(place), place.ids) == (make_tag("a"), ("file-raw",))
    assert place.pin is not None
    assert place.pin.field == "file_id"
    body = {"file_ids": ["file-raw"]}
    place = _read("vector_stores.create", body=body, at=places, model="gpt")
    assert place.pin is not None
    assert place.pin.field == "file_ids[0]"


@pytest.mark.parametrize("asked", [{}, {"model": "gpt"}])
def test_an_id_of_the_service_is_refused_where_several_resources_could_have_it(
    asked: dict[str, Any],
) -> None:
    with pytest.raises(BadRequestError, match="was not given out here"):
        _read("files.retrieve", "file-raw", **asked)
    with pytest.raises(BadRequestError, match=r"file_ids\[0\] 'file-raw' was not given out"):
        _read("vector_stores.create", body={"file_ids": ["file-raw"]}, **asked)


def test_an_owner_uses_only_what_was_given_out_here() -> None:
    sole = _places(_deployment("a", "gpt"))
    with pytest.raises(ResponseNotFoundError):
        _read("files.retrieve", "file-raw", at=sole, owner="ann", must_own=True)
    store = _label("vs_1", "a", owner="ann")
    place = _read(
        "vector_stores.files.retrieve", store, "file-raw", at=sole, owner="ann", must_own=True
    )
    assert place.ids == ("vs_1", "file-raw")


def test_a_version_of_a_skill_is_no_id() -> None:
    place = _read("skills.versions.retrieve", _label("skill_1"), "2")
    assert place.ids == ("skill_1", "2")


def test_what_may_hold_an_id_that_cannot_be_read_is_refused() -> None:
    for body in ({"file_ids": {"0": "file-1"}}, {"File_Ids": ["file-1"]}, {"file_ids": [["x"]]}):
        with pytest.raises(BadRequestError) as caught:
            _read("vector_stores.create", body=body, model="o4")
        assert caught.value.code == "invalid_type"


def test_metadata_attributes_and_chunking_are_not_read() -> None:
    label = _label("file-1", "west")
    body = {"metadata": {"file_id": label}, "chunking_strategy": {"file_id": label}, "name": label}
    place = _read("vector_stores.create", body=body, model="o4")
    assert place.body is not None
    assert place.body.unlabel().body is body


def test_items_of_a_conversation_are_read_as_those_of_a_response() -> None:
    item = {"type": "item_reference", "id": _label("msg_1", "west")}
    place = _read("conversations.items.create", _label("conv_1", "west"), body={"items": [item]})
    assert place.body is not None
    assert place.body.unlabel().body["items"][0]["id"] == "msg_1"


def test_reasoning_of_another_resource_is_left_out_of_a_conversation() -> None:
    """A program adds the items of a response to a conversation wherever the response was made."""
    foreign = {"type": "reasoning", "id": _label("rs_1", "west"), "summary": []}
    own = {"type": "reasoning", "id": _label("rs_2", "east"), "summary": []}
    message = {"type": "message", "id": _label("msg_1", "west"), "role": "assistant", "content": []}
    sealed = {"type": "reasoning", "summary": [], "encrypted_content": "gAAAA"}
    odd = [{"type": "reasoning"}, sealed, "text"]
    conversation = _label("conv_1", "east")
    place = _read(
        "conversations.items.create", conversation, body={"items": [foreign, message, own, *odd]}
    )
    assert _resource(place) == make_tag("east")
    assert place.body is not None
    left = place.body.unlabel(make_tag("east")).body["items"]
    assert [item["id"] for item in left[:2]] == ["msg_1", "rs_2"]
    assert place.warnings == (
        "Reasoning of another resource than the conversation's was left out of the items.",
    )
    for body in ({"items": [own, message]}, {"items": "text"}, {}):
        place = _read("conversations.items.create", conversation, body=body)
        assert place.warnings == ()


@pytest.mark.parametrize(
    ("sources", "model"),
    [
        ([{}, {"x-azr-model": "a"}], "a"),
        ([{"model": "b"}, {"x-azr-model": "a"}], "b"),
        ([{"x-litellm-model": "c"}], "c"),
        ([{"target_model_names": "d, e"}], "d"),
        ([{"target_model_names": ["d", "e"]}], "d"),
        ([{"model": None, "x-azr-model": ""}], None),
        ([], None),
    ],
)
def test_the_model_is_named_in_body_query_or_header(
    sources: list[dict[str, Any]], model: str | None
) -> None:
    assert named_model(*sources) == model


@pytest.mark.parametrize(
    "source", [{"model": 7}, {"target_model_names": []}, {"target_model_names": [7]},
               {"target_model_names": ","}, {"model": ["a"]}],
)  # fmt: skip
def test_what_is_not_a_name_is_refused(source: dict[str, Any]) -> None:
    with pytest.raises(BadRequestError) as caught:
        named_model(source)
    assert caught.value.param in source


@given(st.sampled_from(sorted(OBJECT_OPERATIONS)), st.sampled_from(sorted(_ROWS)), st.data())
def test_labelled_ids_of_any_operation_lead_to_their_resource(
    operation: str, home: str, data: st.DataObject
) -> None:
    row = OBJECT_OPERATIONS[operation]
    inner = data.draw(
        st.lists(
            st.from_regex(r"[a-z]{2,5}_[a-f0-9]{4,20}", fullmatch=True),
            min_size=len(row.variables),
            max_size=len(row.variables),
        )
    )
    if not inner:
        return
    labels = [
        text if name == "version" else _label(text, home, "ann")
        for name, text in zip(row.variables, inner, strict=True)
    ]
    place = _read(operation, *labels, owner="ann", must_own=True)
    assert place.ids == tuple(inner)
    assert _resource(place) == make_tag(home)


def test_the_group_of_a_call_is_one_the_caller_may_call_where_the_resource_has_one() -> None:
    places = _places(_deployment("a", "gpt", at="east"), _deployment("b", "o4", at="east"))
    place = _read("files.retrieve", _label("file-1"), at=places, may_call=lambda name: name == "o4")
    assert place.group == "o4"
    place = _read("files.retrieve", _label("file-1"), at=places, may_call=lambda name: False)
    assert place.group == "gpt"
