"""Ids that LiteLLM gave out are understood."""

from base64 import b64encode

import pytest

from azure_responses.routing.affinity import (
    LiteLLMId,
    read_litellm_ciphertext,
    read_litellm_id,
)


def _encode(text: str) -> str:
    return b64encode(text.encode()).decode()


@pytest.mark.parametrize(
    ("prefix", "text", "inner"),
    [
        ("resp_", "litellm:custom_llm_provider:azure;model_id:east;response_id:resp_1", "resp_1"),
        ("cntr_", "litellm:custom_llm_provider:azure;model_id:east;container_id:cntr_1", "cntr_1"),
        ("encitem_", "litellm:model_id:east;item_id:rs_1;2", "rs_1;2"),
    ],
)
def test_an_id_names_its_deployment(prefix: str, text: str, inner: str) -> None:
    encoded = prefix + _encode(text)
    assert read_litellm_id(encoded) == LiteLLMId(inner, "east")
    assert read_litellm_id(encoded.rstrip("=")) == LiteLLMId(inner, "east")


@pytest.mark.parametrize(
    "text",
    [
        "resp_0742d30c1d273351016a",
        "resp_" + _encode("litellm:nothing"),
        "resp_bGl0ZWxsbT",
        "resp_bGl0ZWxsbTr_",
        "resp_bGl0ZWxsbTp",
        "other_" + _encode("litellm:model_id:east;item_id:rs_1"),
    ],
)
def test_another_id_is_none_of_litellms(text: str) -> None:
    assert read_litellm_id(text) is None


def test_a_ciphertext_names_its_deployment() -> None:
    text = f"litellm_enc:{_encode('model_id:east')};gAAAA;x"
    assert read_litellm_ciphertext(text) == LiteLLMId("gAAAA;x", "east")


@pytest.mark.parametrize(
    "text",
    ["gAAAA", f"litellm_enc:{_encode('model_id:east')}", f"litellm_enc:{_encode('x')};gAAAA"],
)
def test_another_ciphertext_is_none_of_litellms(text: str) -> None:
    assert read_litellm_ciphertext(text) is None
