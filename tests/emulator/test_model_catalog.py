"""The catalogue of models: names, snapshots and what each takes."""

import pytest

from azure_responses.emulator.model_catalog import MODELS, EmulatedModel, find_model


@pytest.mark.parametrize("name", list(MODELS))
def test_every_model_is_found_by_name_and_by_snapshot(name: str) -> None:
    assert find_model(name).name == name
    assert find_model(find_model(name).snapshot).name == name


@pytest.mark.parametrize(
    ("name", "reasons"),
    [("gpt-4.1", False), ("gpt-5-chat", False), ("gpt-5-mini", True), ("o4-mini", True)],
)
def test_models_reason_or_do_not(name: str, reasons: bool) -> None:
    assert find_model(name).reasoning is reasons


@pytest.mark.parametrize("model", MODELS.values(), ids=lambda model: model.name)
def test_codex_and_pro_models_answer_responses_only(model: EmulatedModel) -> None:
    if "codex" in model.name or model.name.endswith("-pro"):
        assert model.responses_only


@pytest.mark.parametrize("model", MODELS.values(), ids=lambda model: model.name)
def test_limits_are_consistent(model: EmulatedModel) -> None:
    assert 0 < model.max_output < model.context_window
    assert model.max_input <= model.context_window
    assert model.default_effort in model.efforts or not model.reasoning


def test_an_older_snapshot_is_the_same_model() -> None:
    model = find_model("gpt-4o-2024-08-06")
    assert (model.name, model.snapshot) == ("gpt-4o", "gpt-4o-2024-08-06")


def test_an_unknown_model_samples_and_answers_everything() -> None:
    model = find_model("my-own-model")
    assert model.name == model.snapshot == "my-own-model"
    assert not model.reasoning
    assert not model.responses_only
    assert model.samples(None)


def test_a_reasoning_model_samples_only_without_effort() -> None:
    model = find_model("gpt-5.1")
    assert model.samples("none")
    assert not model.samples("low")


def test_the_router_serves_with_another_model() -> None:
    assert find_model("model-router").routes_to == "gpt-4.1-nano-2025-04-14"


def test_input_of_gpt5_leaves_room_for_output() -> None:
    assert find_model("gpt-5-mini").max_input == 272_000
