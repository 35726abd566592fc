"""The prices that an entry of a model list sets, by LiteLLM's keys: per token, use or second."""

import re
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from difflib import get_close_matches
from typing import Any

from azure_responses.errors import ConfigurationError
from azure_responses.pricing.custom_prices import SEARCH_SIZES, CustomPrices
from azure_responses.pricing.prices import PER_MILLION, AudioPrice, read_amount
from azure_responses.routing.entry_model import Entry

__all__ = ["PRICE_KEYS", "is_price_key", "read_prices"]

_Warn = Callable[[str], None]

# LiteLLM's keys of prices per token → the parts of a `Price`.
_TOKENS: Mapping[str, str] = {
    "input_cost_per_token": "input",
    "output_cost_per_token": "output",
    "cache_read_input_token_cost": "cached_input",
    "input_cost_per_token_cache_hit": "cached_input",
    "cache_creation_input_token_cost": "cache_write",
    "output_cost_per_reasoning_token": "reasoning",
    "input_cost_per_audio_token": "audio_input",
    "output_cost_per_audio_token": "audio_output",
}
_TIERS = {"priority": "priority", "flex": "flex", "batches": "batch"}
# LiteLLM writes the tier before the size or after it.
_BASES, _NAMES = "|".join(_TOKENS), "|".join(_TIERS)
_TOKEN_KEY = re.compile(
    rf"({_BASES})(?:_({_NAMES}))?(?:_above_(\d{{1,9}})(k?)_tokens)?(?:_({_NAMES}))?", re.ASCII
)
_IMAGES_GIVEN = ("input_cost_per_image_token",)
_IMAGES_MADE = ("output_cost_per_image_token",)
# Of the two LiteLLM takes the first that is set, and both for images made.
_IMAGES = ("output_cost_per_image", "input_cost_per_image")
_SECONDS = (
    "output_cost_per_second",
    "input_cost_per_second",
    "input_cost_per_audio_per_second",
    "output_cost_per_audio_per_second",
)
_CHARACTERS = ("input_cost_per_character", "output_cost_per_character")
# The second is one call's price in LiteLLM's list too, in spite of its name.
_TOOLS = {
    "code_interpreter_cost_per_session": "code_interpreter",
    "file_search_cost_per_1k_calls": "file_search",
}
_SEARCHES = "search_context_cost_per_query"
_TIERED = "tiered_pricing"
_DISCOUNT, _MARGIN = "cost_discount", "cost_margin"
_NO_EFFECT = re.compile(
    r"(balanced|ultrafast|regional|video|ocr|annotation|google_maps|citation|computer_use|vector_store|storage)"
    r"|_per_query$|_gb_per_day$"
)
_REFUSED: Mapping[str, str] = {
    "cost_per_second": "Write input_cost_per_second for audio, or prices per token.",
    "input_cost_per_pixel": "Write output_cost_per_image.",
    "output_cost_per_pixel": "Write output_cost_per_image.",
    **dict.fromkeys(
        [f"output_cost_per_image_{size}" for size in (512, 1024, 1536)],
        "Write output_cost_per_image, in an entry of its own for each size.",
    ),
    "off_peak_pricing": "Prices are the same at all hours here: write the higher ones.",
}
PRICE_KEYS = frozenset(
    {*_TOKENS, *_IMAGES_GIVEN, *_IMAGES_MADE, *_IMAGES, *_SECONDS, *_CHARACTERS, *_TOOLS}
    | {_SEARCHES, _TIERED, _DISCOUNT, _MARGIN}
)
"""The keys that are read, besides those of a tier (`_priority`) or size (`_above_272k_tokens`)."""

_LOOKS_LIKE_A_PRICE = re.compile(r"cost_per_|_token_costs?(_|$)|_pricing$")
_AUDIO_MODES = ("audio_transcription", "audio_speech", "realtime")
# What such models are called in LiteLLM's list and in Azure's.
_AUDIO_MODEL = re.compile(r"whisper|tts|transcribe|audio|speech|realtime")
_INPUT_ONLY = ("embedding", "moderation", "rerank", *_AUDIO_MODES)


def is_price_key(key: object) -> bool:
    """True for a key that `read_prices` reads, warns of or refuses."""
    text = str(key)
    return text in PRICE_KEYS or bool(_LOOKS_LIKE_A_PRICE.search(text))


def read_prices(entry: Entry, warn: _Warn) -> CustomPrices | None:
    """The prices of an entry; None where it sets none.

    Those of the params come before those of `model_info`, key by key, as in LiteLLM. Amounts are
    US dollars, as numbers or text.

    Raises:
        ConfigurationError: an amount is not a sum of money, or a key names a price that does not
            exist here.
    """
    given = {**entry.info, **_set(entry.params)}
    found = {str(k): v for k, v in given.items() if v is not None and is_price_key(k)}
    return _EntryPrices(entry, found, warn).read() if found else None


def _set(values: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in values.items() if value is not None}


class _EntryPrices:
    """Reads the price keys of one entry."""

    def __init__(self, entry: Entry, found: Mapping[str, Any], warn: _Warn) -> None:
        self._entry = entry
        self._found = found
        self._warn = warn
        self._tokens: dict[tuple[str, int], dict[str, Decimal]] = {}

    def read(self) -> CustomPrices:
        """The prices."""
        for key, value in self._found.items():
            match = _TOKEN_KEY.fullmatch(key)
            if match is not None and not (match[2] and match[5]):
                self._add_tokens(match, self._amount(key, value) * PER_MILLION)
            elif key not in PRICE_KEYS:
                self._refuse_or_warn(key)
        for place, row in enumerate(self._tiers()):
            self._add_tiered(place, row)
        self._check_base()
        discount, margin, fee = self._adjustments()
        return CustomPrices(
            tokens=self._tokens,
            tools={tool: amount for key, tool in _TOOLS.items() for amount in self._some(key)},
            searches=self._searches(),
            audio=self._audio(),
            image_tokens=(self._first(_IMAGES_GIVEN), self._first(_IMAGES_MADE)),
            image=self._first(_IMAGES),
            discount=discount,
            margin=margin,
            fee=fee,
        )

    def _amount(self, key: str, value: Any) -> Decimal:
        try:
            return read_amount(value, key)
        except ConfigurationError as error:
            self._entry.refuse(error.message, error.hint or "")

    def _some(self, key: str) -> Iterator[Decimal]:
        if key in self._found:
            yield self._amount(key, self._found[key])

    def _first(self, keys: tuple[str, ...]) -> Decimal | None:
        unit = PER_MILLION if keys[0].endswith("_token") else 1
        return next((amount * unit for key in keys for amount in self._some(key)), None)

    def _add_tokens(self, match: re.Match[str], amount: Decimal) -> None:
        above = int(match[3] or 0) * (1000 if match[4] else 1)
        tier = _TIERS.get(match[2] or match[5] or "", "standard")
        parts = self._tokens.setdefault((tier, above), {})
        # A key of its own comes before its other name.
        if match[1] == "input_cost_per_token_cache_hit":
            parts.setdefault(_TOKENS[match[1]], amount)
        else:
            parts[_TOKENS[match[1]]] = amount

    def _tiers(self) -> list[Any]:
        rows = self._found.get(_TIERED, [])
        if not isinstance(rows, list | tuple):
            self._entry.refuse(f"{_TIERED} is not a list.", _TIERED_SHAPE)
        return list(rows)

    def _add_tiered(self, place: int, row: Any) -> None:
        limits = row.get("range") if isinstance(row, Mapping) else None
        first = limits[0] if isinstance(limits, list | tuple) and limits else None
        if isinstance(first, bool) or not isinstance(first, int | float) or not 0 <= first < 1e9:
            self._entry.refuse(f"{_TIERED}[{place}] has no range of tokens.", _TIERED_SHAPE)
        parts = self._tokens.setdefault(("standard", int(first)), {})
        for key, value in row.items():
            if key in _TOKENS:
                parts[_TOKENS[key]] = self._amount(f"{_TIERED}[{place}].{key}", value) * PER_MILLION
            elif key != "range":
                self._entry.refuse(f"{_TIERED}[{place}] has no price {key!r}.", _TIERED_SHAPE)

    def _check_base(self) -> None:
        base = self._tokens.get(("standard", 0), {})
        has_input, has_output = "input" in base, "output" in base
        if has_input == has_output or self._entry.info.get("mode") in _INPUT_ONLY:
            return
        has, lacks = ("input", "output") if has_input else ("output", "input")
        if has_output or base["input"]:
            self._warn(
                f"{self._entry.place}: {has}_cost_per_token is set and {lacks}_cost_per_token is "
                f"not: {lacks} tokens cost nothing, as in LiteLLM. Write {lacks}_cost_per_token."
            )

    def _searches(self) -> dict[str, Decimal]:
        given = self._found.get(_SEARCHES, {})
        if not isinstance(given, Mapping):
            amount = self._amount(_SEARCHES, given)
            return dict.fromkeys(SEARCH_SIZES, amount)
        names = {f"search_context_size_{size}": size for size in SEARCH_SIZES}
        unknown = [key for key in given if key not in names]
        if unknown:
            self._entry.refuse(f"{_SEARCHES} has no {unknown[0]!r}.", f"Write {', '.join(names)}.")
        return {names[key]: self._amount(key, value) for key, value in _set(given).items()}

    def _audio(self) -> AudioPrice | None:
        second, character = self._first(_SECONDS), self._first(_CHARACTERS)
        if second is None and character is None:
            return None
        keys = [key for key in (*_SECONDS, *_CHARACTERS) if key in self._found]
        if not self._serves_audio():
            # LiteLLM multiplies it by the time a call takes, which Azure does not bill.
            self._entry.refuse(
                f"{keys[0]} prices audio, and the entry is not known to serve any.",
                "Write prices per token, or model_info: {mode: audio_transcription}.",
            )
        return AudioPrice(second=second, character=character)

    def _serves_audio(self) -> bool:
        entry = self._entry
        names = (
            entry.params.get("model"),
            entry.params.get("base_model"),
            entry.info.get("base_model"),
        )
        told = " ".join(str(name).lower() for name in names if name)
        return entry.info.get("mode") in _AUDIO_MODES or bool(_AUDIO_MODEL.search(told))

    def _adjustments(self) -> tuple[Decimal, Decimal, Decimal]:
        discount = self._first((_DISCOUNT,)) or Decimal(0)
        if discount > 1:
            self._entry.refuse(
                f"{_DISCOUNT} is {self._found[_DISCOUNT]!r}, more than all.",
                "Write five per cent as 0.05.",
            )
        margin = self._found.get(_MARGIN, 0)
        if not isinstance(margin, Mapping):
            return discount, self._amount(_MARGIN, margin), Decimal(0)
        unknown = [key for key in margin if key not in ("percentage", "fixed_amount")]
        if unknown:
            self._entry.refuse(
                f"{_MARGIN} has no {unknown[0]!r}.",
                f"Write {_MARGIN}: {{percentage: 0.08, fixed_amount: 0.0005}}.",
            )
        share, fee = (
            self._amount(f"{_MARGIN}.{key}", margin.get(key) or 0)
            for key in ("percentage", "fixed_amount")
        )
        return discount, share, fee

    def _refuse_or_warn(self, key: str) -> None:
        if _NO_EFFECT.search(key) or "_above_1hr" in key:
            self._warn(f"{self._entry.place}: {key!r} has no effect: nothing is billed by it here.")
            return
        near = get_close_matches(key, sorted(PRICE_KEYS), n=1)
        hint = _REFUSED.get(key) or (f"Did you mean {near[0]!r}?" if near else "Leave it out.")
        self._entry.refuse(f"there is no price {key!r}.", hint)


_TIERED_SHAPE = (
    f"Write {_TIERED}: [{{range: [0, 128000], input_cost_per_token: 1e-6, "
    "output_cost_per_token: 4e-6}]."
)
