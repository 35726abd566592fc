"""Where files with copies are uploaded, and of which resources a list has the objects."""

from typing import Any

import pytest

from azure_responses.errors import APIStatusError, BadRequestError, NotFoundError
from azure_responses.protocol.object_table import OBJECT_OPERATIONS
from azure_responses.routing.affinity import Affinity
from azure_responses.routing.asked_object import AskedObject, asks_for_copies, named_models
from azure_responses.routing.deployment import Deployment
from azure_responses.routing.object_place import ObjectPlace, ObjectPlaces
from azure_responses.routing.route_request import Pin
from azure_responses.routing.signed_id import make_tag
from tests.routing.affinity_samples import LABELLER
from tests.routing.fleet import deployment, fleet


def _row(name: str, group: str, **more: Any) -> Deployment:
    return deployment(f"{group}-{name}", group, make_tag(name), tag=make_tag(group + name), **more)


_ROWS = [
    _row(name, group) for group in ("gpt", "mini") for name in ("a", "b", "c")[: len(group) - 1]
]
_TAGS = {name: make_tag(name) for name in "abc"}


def _read(operation: str = "files.create", rows: Any = None, **asked: Any) -> ObjectPlace:
    options = asked.pop("options", {})
    routing = fleet(*(rows or _ROWS), **options)
    places = ObjectPlaces(routing, Affinity(LABELLER))
    return places.read(AskedObject(OBJECT_OPERATIONS[operation], **asked))


def _names(place: ObjectPlace) -> str:
    return "".join(sorted(name for name, tag in _TAGS.items() if tag in place.resources))


def test_a_file_goes_to_every_resource_of_the_model() -> None:
    assert _names(_read(model="gpt", replicates=True)) == "ab"
    assert _names(_read(model="mini", replicates=True)) == "abc"
    assert _names(_read(replicates=True)) == "abc"
    assert _names(_read(replicates=True, may_call=lambda name: name == "gpt")) == "ab"


def test_a_file_goes_to_one_resource_unless_copies_are_asked_for() -> None:
    for asked in ({"model": "gpt"}, {"model": "gpt", "replicates": False}):
        assert _read(**asked).resources == ()
    options = {"replicate_files": True}
    assert _names(_read(model="gpt", options=options)) == "ab"
    assert _read(model="gpt", replicates=False, options=options).resources == ()
    assert _read("vector_stores.create", model="gpt", replicates=True).resources == ()


def test_litellms_models_each_get_the_file() -> None:
    rows = [*_ROWS, _row("d", "other")]
    place = _read(rows=rows, model="gpt", models=("gpt", "other"))
    assert set(place.resources) == {_TAGS["a"], _TAGS["b"], make_tag("d")}
    assert _read(model="gpt", models=("gpt",), replicates=False).resources == ()


def test_one_resource_gets_the_file_itself() -> None:
    place = _read(rows=[_row("a", "gpt")], model="gpt", replicates=True)
    assert (place.resources, place.pin) == ((), Pin(_TAGS["a"], None, "model"))


def test_more_resources_than_a_file_can_have_copies_are_refused() -> None:
    rows = [_row(f"r{number}", "gpt") for number in range(9)]
    with pytest.raises(BadRequestError, match="9 resources") as caught:
        _read(rows=rows, model="gpt", replicates=True)
    assert caught.value.param == "replicate"


def test_a_model_that_does_not_exist_gets_no_file() -> None:
    with pytest.raises(NotFoundError, match="'other'"):
        _read(models=("gpt", "other"), replicates=True)


def test_a_list_has_the_objects_of_every_resource_that_may_be_used() -> None:
    assert _names(_read("files.list")) == "abc"
    assert _names(_read("files.list", model="gpt")) == "ab"
    place = _read("files.list", may_call=lambda name: name == "gpt", query={"after": "x"})
    assert (_names(place), place.group, place.pin) == ("ab", "gpt", None)
    # Its cursor leads nowhere: objects of every resource come after it.
    assert place.query == {"after": "x"}


def test_a_list_of_nothing_that_may_be_used_is_refused() -> None:
    with pytest.raises(APIStatusError, match="None of the models"):
        _read("files.list", may_call=lambda name: False)


def test_ids_of_copies_lead_to_their_resources_from_path_and_query() -> None:
    copies = [(_TAGS["a"], "assistant-a"), (_TAGS["b"], "assistant-b")]
    label = LABELLER.label_copies(copies)
    place = _read("files.retrieve", ids=(label,))
    assert place.pin == Pin(_TAGS["a"], None, "file_id", others=(_TAGS["b"],))
    assert place.ids == ("assistant-a",)
    assert place.copied["assistant-a"].copies == tuple(copies)
    assert place.given == {"assistant-a": label, "assistant-b": label}
    store = LABELLER.label_id("vs_1", deployment_tag=_TAGS["b"], resource_tag=_TAGS["b"])
    place = _read("vector_stores.files.retrieve", ids=(store, label))
    assert place.pin is not None
    assert place.pin.resources == (_TAGS["b"],)
    elsewhere = LABELLER.label_id("vs_1", deployment_tag=_TAGS["c"], resource_tag=_TAGS["c"])
    with pytest.raises(BadRequestError, match="vector_store_id and file_id"):
        _read("vector_stores.files.retrieve", ids=(elsewhere, label))


@pytest.mark.parametrize(
    ("sources", "expected"),
    [
        ([{}], None),
        ([{"replicate": ""}, {"x-azr-replicate": "1"}], True),
        ([{"replicate": True}], True),
        ([{"replicate": "false"}, {"x-azr-replicate": "true"}], False),
        ([{"replicate": "TRUE"}], True),
    ],
)
def test_copies_are_asked_for_in_a_field_the_query_or_a_header(
    sources: list[dict[str, Any]], expected: bool | None
) -> None:
    assert asks_for_copies(*sources) is expected


def test_what_is_neither_true_nor_false_is_refused() -> None:
    with pytest.raises(BadRequestError, match="neither true nor false"):
        asks_for_copies({"replicate": "perhaps"})


@pytest.mark.parametrize(
    ("sources", "names"),
    [
        ([{}, {}], ()),
        ([{"target_model_names": "gpt, mini,gpt,"}], ("gpt", "mini")),
        ([{"target_model_names": ["gpt", "mini"]}], ("gpt", "mini")),
        ([{"target_model_names": [3]}, {"target_model_names": "gpt"}], ("gpt",)),
    ],
)
def test_litellms_names_of_models_are_read(
    sources: list[dict[str, Any]], names: tuple[str, ...]
) -> None:
    assert named_models(*sources) == names
