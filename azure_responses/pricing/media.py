"""What the APIs of images and audio used, and what that costs.

Their usage is counted in tokens of text, images and audio, in seconds of sound, or in characters.
The openai package's types of `images` and `audio.transcriptions` have the names of the counts.
"""

from collections.abc import Iterable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from azure_responses.pricing.bill import UnpriceableError, price_images
from azure_responses.pricing.prices import PER_MILLION, AudioPrice, Catalogue
from azure_responses.pricing.use import AudioUse, Tokens, Use, count, read_image_tokens, read_use

__all__ = ["charge_media", "read_media_use"]


def read_media_use(
    operation: str, result: Mapping[str, Any], headers: Mapping[str, str] | None = None
) -> Use:
    """Read the reply of an operation on images or audio, as JSON.

    Args:
        operation: such as "images.edits" or "audio.speech".
        result: the reply, or the event that ends a stream; its `usage` says what was used. Where
            `usage` lacks, `duration` of a transcription holds, in seconds.
        headers: of the reply, names in lower case.
    """
    usage = result.get("usage")
    usage = usage if isinstance(usage, Mapping) else {}
    use = read_use({**result, "usage": None}, headers or {})
    if operation.startswith("images."):
        made = result.get("data")
        # The event that ends a stream has its one image beside the usage.
        pictures = len(made) if isinstance(made, list) else int("b64_json" in result)
        images = read_image_tokens(usage)
        return use._replace(tokens=_tokens(usage), images=images, pictures=pictures)
    audio = _read_audio(operation, usage, result)
    return use._replace(tokens=_tokens(usage), audio=audio)


def _tokens(usage: Mapping[str, Any]) -> Tokens | None:
    if not count(usage.get("total_tokens")):
        return None
    return Tokens(input=count(usage.get("input_tokens")), output=count(usage.get("output_tokens")))


def _read_audio(
    operation: str, usage: Mapping[str, Any], result: Mapping[str, Any]
) -> AudioUse | None:
    kind = usage.get("type")
    if kind == "characters":
        return AudioUse(characters=count(usage.get("characters")))
    if count(usage.get("total_tokens")):
        return _read_audio_tokens(operation, usage)
    seconds = _seconds(usage.get("seconds") if kind == "duration" else result.get("duration"))
    return AudioUse(seconds=seconds) if seconds else None


def _read_audio_tokens(operation: str, usage: Mapping[str, Any]) -> AudioUse:
    given, made = count(usage.get("input_tokens")), count(usage.get("output_tokens"))
    if operation == "audio.speech":
        return AudioUse(text_input=given, audio_output=made)
    # The types of transcriptions write "token" where all others write "tokens".
    details = usage.get("input_token_details") or usage.get("input_tokens_details")
    heard = count(details.get("audio_tokens")) if isinstance(details, Mapping) else 0
    return AudioUse(text_input=given - heard, audio_input=heard, text_output=made)


def _seconds(value: Any) -> Decimal:
    # Older replies have the duration as text.
    try:
        seconds = Decimal(str(value))
    except InvalidOperation:
        return Decimal(0)
    return seconds if seconds.is_finite() and seconds > 0 else Decimal(0)


def charge_media(use: Use, models: Iterable[str], catalogue: Catalogue) -> Decimal:
    """What images or audio cost.

    Args:
        use: what was used.
        models: the names the model may be listed under, best first.
        catalogue: the prices.

    Raises:
        UnpriceableError: no price is known.
    """
    if use.pictures and catalogue.image is not None:
        return catalogue.image * use.pictures
    names = tuple(models) or ("a model that the reply does not name",)
    for name in names:
        if use.images is not None and (found := catalogue.find_image_model(name)) is not None:
            return price_images(use.images, found[0]) * (1 - found[1])
        if use.audio is not None and (price := catalogue.find_audio_model(name)) is not None:
            return _price_audio(use.audio, price, name) * (1 - catalogue.discount(name))
    shown = " or ".join(names)
    raise UnpriceableError(shown, f"there is no price of {shown} for images or audio")


def _price_audio(use: AudioUse, price: AudioPrice, model: str) -> Decimal:
    """Counts times prices; a count without a price has none."""
    counts = (
        (use.text_input, price.text_input, PER_MILLION),
        (use.audio_input, price.audio_input, PER_MILLION),
        (use.text_output, price.text_output, PER_MILLION),
        (use.audio_output, price.audio_output, PER_MILLION),
        (use.seconds, price.second, 1),
        (use.characters, price.character, 1),
    )
    total = Decimal(0)
    for used, amount, unit in counts:
        if used and amount is None:
            raise UnpriceableError(
                f"audio {model}", f"{model} has no price for one of the counts of the reply"
            )
        total += used * (amount or Decimal(0)) / unit
    return total
