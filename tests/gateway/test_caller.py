import pytest

from azure_responses.gateway.key_table import ANYONE, MASTER, ApiCaller


@pytest.mark.parametrize(
    ("models", "model", "may"),
    [
        ((), "anything", True),
        (("gpt-5",), "gpt-5", True),
        (("gpt-5",), "gpt-5-mini", False),
        (("gpt-5*",), "gpt-5-mini", True),
        (("o1-pro", "gpt-*"), "GPT-5", False),
        (("a[b]",), "a[b]", True),
    ],
)
def test_models_are_names_or_patterns(models: tuple[str, ...], model: str, may: bool) -> None:
    assert ApiCaller(key_id="k", models=models).may_call(model) is may


def test_a_key_expires_in_its_second() -> None:
    caller = ApiCaller(key_id="k", expires=100.0)
    assert not caller.is_expired(99.9)
    assert caller.is_expired(100.0)
    assert not ApiCaller(key_id="k").is_expired(1e12)


def test_limits_are_either_of_the_two() -> None:
    assert ApiCaller(key_id="k", rpm=1).has_limits
    assert ApiCaller(key_id="k", tpm=1).has_limits
    assert not MASTER.has_limits


def test_nobody_owns_what_a_gateway_without_keys_makes() -> None:
    assert ANYONE.owner is None
    assert MASTER.owner == "master"
