"""Ids that LiteLLM's router gave out, read so that conversations can move to this one.

LiteLLM writes the deployment's id into them and does not sign them (responses/utils.py and
types/utils.py of LiteLLM 1.106.2):

```
resp_  + base64 of "litellm:custom_llm_provider:{};model_id:{};response_id:{}"
cntr_  + base64 of "litellm:custom_llm_provider:{};model_id:{};container_id:{}"
encitem_ + base64 of "litellm:model_id:{};item_id:{}"
litellm_enc: + base64 of "model_id:{}" + ; + encrypted_content
```
"""

import re
from binascii import a2b_base64
from typing import NamedTuple

__all__ = ["LiteLLMId", "read_litellm_ciphertext", "read_litellm_id"]

# The fixed beginning is base64 of "litellm:": other ids are told apart without decoding them.
_ENCODED = re.compile(r"(?:resp|cntr|encitem)_(bGl0ZWxsbT[A-Za-z0-9+/_-]*=*)")
_ID = re.compile(
    r"litellm:(?:custom_llm_provider:[^;]*;)?model_id:([^;]*);(?:response|container|item)_id:(.+)",
    re.DOTALL,
)
_CIPHERTEXT = "litellm_enc:"
_URL_SAFE = str.maketrans("-_", "+/")


class LiteLLMId(NamedTuple):
    """The id (or ciphertext) behind LiteLLM's, and the `model_info.id` of the deployment."""

    inner: str
    model_id: str


def read_litellm_id(text: str) -> LiteLLMId | None:
    """What an id of LiteLLM's says, or None for any other id."""
    encoded = _ENCODED.fullmatch(text)
    found = _ID.fullmatch(_decode(encoded[1])) if encoded else None
    return LiteLLMId(found[2], found[1]) if found else None


def read_litellm_ciphertext(text: str) -> LiteLLMId | None:
    """What LiteLLM wrote in front of a ciphertext, or None where it wrote nothing."""
    if not text.startswith(_CIPHERTEXT):
        return None
    head, separator, inner = text[len(_CIPHERTEXT) :].partition(";")
    text_of_head = _decode(head)
    if not separator or not text_of_head.startswith("model_id:"):
        return None
    return LiteLLMId(inner, text_of_head.removeprefix("model_id:"))


def _decode(encoded: str) -> str:
    """The text, or nothing where it is not base64 of text; padding may have been lost."""
    # Ids pass through clients and URLs: either alphabet is read, and the padding may be gone.
    bare = encoded.rstrip("=").translate(_URL_SAFE)
    try:
        return a2b_base64(bare + "=" * (-len(bare) % 4)).decode("utf-8")
    except ValueError:
        return ""
