"""Images: made, changed and varied; each is a real PNG of one pixel."""

from collections.abc import Iterator, Mapping
from typing import Any

from azure_responses.emulator import engine
from azure_responses.emulator.dispatch import EmulatedCall
from azure_responses.emulator.event_streams import STREAM_TYPE, frame
from azure_responses.emulator.http_messages import Pause, PlannedReply, ReplyStep, json_reply
from azure_responses.emulator.operations.deployed import flag, on_deployment, spend
from azure_responses.emulator.resources import EmulatedDeployment
from azure_responses.emulator.service_errors import (
    ServiceError,
    invalid_request,
    invalid_type,
    invalid_value,
    missing_parameter,
    too_long,
)
from azure_responses.emulator.tokens import count_text
from azure_responses.emulator.validation.shapes import Integer

__all__ = ["edit", "generate", "vary"]

# OpenAI's reference, by the beginning of the model's name.
_LONGEST = {"dall-e-2": 1000, "dall-e-3": 4000}
_LONGEST_PROMPT, _MOST_IMAGES, _MOST_PARTIAL, _LARGEST_IMAGE = 32_000, 10, 3, 50 * 1024**2
_IMAGE_TOKENS = {"low": 272, "medium": 1056, "high": 4160}
_FORMATS = ("png", "jpeg", "webp")


def generate(call: EmulatedCall) -> PlannedReply:
    """`POST /images/generations`."""
    return on_deployment(call, "images", lambda call, deployment: _Job(
        call, deployment, call.body, "image_generation"
    ).run())  # fmt: skip


def edit(call: EmulatedCall) -> PlannedReply:
    """`POST /images/edits`: a form with one image or several."""
    return on_deployment(call, "images", _edit_on)


def _edit_on(call: EmulatedCall, deployment: EmulatedDeployment) -> PlannedReply:
    _check_images(call, several=True)
    return _Job(call, deployment, call.form.fields, "image_edit").run()


def vary(call: EmulatedCall) -> PlannedReply:
    """`POST /images/variations`: a form with one image and no prompt."""
    return on_deployment(call, "images", _vary_on)


def _vary_on(call: EmulatedCall, deployment: EmulatedDeployment) -> PlannedReply:
    _check_images(call, several=False)
    name = call.form.file("image").filename
    fields = {**call.form.fields, "prompt": f"A variation of {name}"}
    return _Job(call, deployment, fields, "image_edit").run()


def _check_images(call: EmulatedCall, several: bool) -> None:
    fields = ("image", "image[]") if several else ("image",)
    images = [file for file in call.form.files if file.field in fields]
    if not images:
        raise missing_parameter("image")
    for image in images:
        if image.content.size == 0 or image.content.size > _LARGEST_IMAGE:
            raise invalid_request(
                f"Invalid image '{image.filename}': it is empty or larger than 50 MB.", "image"
            )


class _Job:
    """One call for images; `fields` are those of a JSON body or of a form, which are texts."""

    def __init__(
        self,
        call: EmulatedCall,
        deployment: EmulatedDeployment,
        fields: Mapping[str, Any],
        kind: str,
    ) -> None:
        self._call = call
        self._deployment = deployment
        self._fields = fields
        self._kind = kind
        self._is_dalle = "dall-e" in deployment.model_name
        self._prompt = self._read_prompt()
        self._count = self._read_number("n", 1, 1, _MOST_IMAGES)
        self._quality = self._read_choice("quality", "medium")
        self._size = self._read_choice("size", "1024x1024")
        self._format = self._read_choice("output_format", "png")
        if self._format not in _FORMATS:
            raise invalid_value("output_format", self._format, _FORMATS)

    def run(self) -> PlannedReply:
        partial = self._read_number("partial_images", 0, 0, _MOST_PARTIAL)
        usage = self._usage()
        delay = spend(self._call, self._deployment, usage["total_tokens"])
        if flag(self._fields.get("stream")):
            return PlannedReply(200, [STREAM_TYPE], steps=self._events(partial, usage, delay))
        reply = json_reply(self._whole(usage))
        reply.delay = delay
        return reply

    def _read_prompt(self) -> str:
        prompt = self._fields.get("prompt")
        if not prompt:
            raise missing_parameter("prompt")
        if not isinstance(prompt, str):
            raise invalid_type("prompt", "a string", prompt)
        longest = _LONGEST.get(self._deployment.model_name, _LONGEST_PROMPT)
        if len(prompt) > longest:
            raise too_long("prompt", len(prompt), longest)
        if "[[azure:block-prompt]]" in prompt:
            raise _blocked()
        return prompt

    def _read_number(self, name: str, default: int, least: int, most: int) -> int:
        value: Any = self._fields.get(name)
        if value is None:
            return default
        if isinstance(value, str) and value.isdecimal() and len(value) < 9:
            value = int(value)
        Integer(least, most).check(value, name)
        return int(value)

    def _read_choice(self, name: str, default: str) -> str:
        value = self._fields.get(name)
        if value is not None and not isinstance(value, str):
            raise invalid_type(name, "a string", value)
        return default if value in (None, "", "auto") else value

    def _usage(self) -> dict[str, Any]:
        text = count_text(self._prompt)
        images = 0 if self._kind == "image_generation" else 194
        painted = _IMAGE_TOKENS.get(self._quality, 1056) * self._count
        return {
            "input_tokens": text + images,
            "input_tokens_details": {"image_tokens": images, "text_tokens": text},
            "output_tokens": painted,
            "total_tokens": text + images + painted,
        }

    def _shown(self) -> dict[str, Any]:
        background = self._fields.get("background")
        return {
            "background": "opaque" if background in (None, "auto") else background,
            "output_format": self._format,
            "quality": self._quality,
            "size": self._size,
        }

    def _paint(self, number: int, stage: int = 0) -> str:
        return engine.paint(f"{self._prompt}/{number}", stage)

    def _whole(self, usage: dict[str, Any]) -> dict[str, Any]:
        images = [self._paint(number) for number in range(self._count)]
        created = {"created": int(self._call.now)}
        if not self._is_dalle:
            data: list[dict[str, Any]] = [{"b64_json": image} for image in images]
            return {**created, **self._shown(), "data": data, "usage": usage}
        revised = f"A clear picture: {self._prompt}"
        if self._fields.get("response_format") == "b64_json":
            data = [{"b64_json": image, "revised_prompt": revised} for image in images]
        else:
            # Azure's address of a blob; nothing is there.
            place = "https://dalleproduse.blob.core.windows.net/private/images"
            names = [self._call.account.mint.request() for _ in images]
            data = [
                {"url": f"{place}/{name}/generated_00.png", "revised_prompt": revised}
                for name in names
            ]
        return {**created, "data": data}

    def _events(self, partial: int, usage: dict[str, Any], delay: float) -> Iterator[ReplyStep]:
        shown = {"created_at": int(self._call.now), **self._shown()}
        for index in range(partial):
            event = {"type": f"{self._kind}.partial_image", "partial_image_index": index}
            yield frame({**event, "b64_json": self._paint(0, index + 1), **shown})
        if delay:
            yield Pause(delay)
        for number in range(self._count):
            event = {"type": f"{self._kind}.completed", "b64_json": self._paint(number)}
            yield frame({**event, **shown, "usage": usage})


def _blocked() -> ServiceError:
    """The body that Microsoft's image how-to shows for a prompt that is filtered."""
    message = (
        "Your request was rejected as a result of our safety system. Your prompt may contain text "
        "that is not allowed by our safety system."
    )
    return ServiceError(400, {"error": {"code": "contentFilter", "message": message}})
