import pytest
from pydantic import BaseModel

from azure_responses import types
from azure_responses.types import FunctionTool, JsonSchemaFormat, Model, TextConfig, Usage


def test_unknown_fields_are_readable_and_kept() -> None:
    usage = Usage.model_validate({"input_tokens": 3, "carbon_grams": 2})
    assert usage.model_extra == {"carbon_grams": 2}
    assert usage.to_dict() == {"input_tokens": 3, "carbon_grams": 2}


def test_dumps_leave_out_what_nobody_set() -> None:
    assert Usage().to_dict() == {}
    assert Usage(output_tokens=1).to_json() == '{"output_tokens":1}'


def test_an_explicit_null_is_kept() -> None:
    assert TextConfig.model_validate({"verbosity": None}).to_dict() == {"verbosity": None}


@pytest.mark.parametrize("name", ["async", "async_"])
def test_a_field_named_like_a_keyword_is_set_by_either_name(name: str) -> None:
    tool = FunctionTool.model_validate({"type": "function", "name": "f", name: True})
    assert tool.async_ is True
    assert tool.to_dict() == {"type": "function", "name": "f", "async": True}


def test_an_alias_is_written_inside_other_models_too() -> None:
    sent = {"format": {"type": "json_schema", "name": "n", "schema": {"type": "object"}}}
    config = TextConfig.model_validate(sent)
    assert isinstance(config.format, JsonSchemaFormat)
    assert config.format.schema_ == {"type": "object"}
    assert config.to_dict() == sent
    assert config.to_dict(mode="python") == sent


def _all_models(model: type[BaseModel]) -> list[type[BaseModel]]:
    below = model.__subclasses__()
    return below + [deeper for kind in below for deeper in _all_models(kind)]


def test_every_model_says_what_it_is() -> None:
    assert all(getattr(types, name) is not None for name in types.__all__)
    ours = [kind for kind in _all_models(Model) if kind.__module__.startswith("azure_responses")]
    assert len(ours) > 180
    # Pydantic makes a class for every parametrised generic, without the docstring.
    written = [kind for kind in ours if "[" not in kind.__name__]
    assert [kind.__name__ for kind in written if not kind.__doc__] == []
    assert all(kind.model_config.get("extra") == "allow" for kind in ours)
