"""Images that the model makes."""

from typing import Annotated, Any, Literal

from ..model import OPEN, ItemEvent, ItemStatus, Model
from .facts import Charge, ToolFacts

__all__ = [
    "ImageGenerationCall",
    "ImageGenerationCallCompletedEvent",
    "ImageGenerationCallGeneratingEvent",
    "ImageGenerationCallInProgressEvent",
    "ImageGenerationCallPartialImageEvent",
    "ImageGenerationTool",
    "ImageMask",
]


class ImageMask(Model):
    """The part of an image to change."""

    file_id: str | None = None
    image_url: str | None = None


class ImageGenerationTool(Model):
    """Image generation.

    Azure also needs the header `x-ms-oai-image-generation-deployment` with this tool.
    """

    type: Literal["image_generation"]
    model: str | None = None
    action: Annotated[Literal["generate", "edit", "auto"] | str, OPEN] | None = None
    background: Annotated[Literal["transparent", "opaque", "auto"] | str, OPEN] | None = None
    complexity: Annotated[Literal["low", "medium", "high"] | str, OPEN] | None = None
    frame_count: int | None = None
    frame_duration_ms: int | None = None
    input_fidelity: Annotated[Literal["high", "low"] | str, OPEN] | None = None
    input_image_mask: ImageMask | None = None
    moderation: Annotated[Literal["auto", "low"] | str, OPEN] | None = None
    n: int | None = None
    output_compression: int | None = None
    output_format: Annotated[Literal["png", "webp", "jpeg", "gif", "svg"] | str, OPEN] | None = None
    partial_images: int | None = None
    quality: (
        Annotated[Literal["low", "medium", "high", "xhigh", "max", "auto"] | str, OPEN] | None
    ) = None
    size: str | None = None
    svg: dict[str, Any] | None = None


class ImageGenerationCall(Model):
    """An image the model made; `result` is base64.

    Azure reports no completion of its own: `status` may stay "generating" (recorded by
    vercel/ai).
    """

    type: Literal["image_generation_call"]
    id: str | None = None
    status: ItemStatus | None = None
    # Megabytes: logs and telemetry must leave it out.
    result: str | None = None
    action: str | None = None
    background: str | None = None
    error: dict[str, Any] | None = None
    output_format: str | None = None
    quality: str | None = None
    revised_prompt: str | None = None
    size: str | None = None
    svg_usage: dict[str, Any] | None = None


class ImageGenerationCallInProgressEvent(ItemEvent):
    """An image was asked for."""

    type: Literal["response.image_generation_call.in_progress"]


class ImageGenerationCallGeneratingEvent(ItemEvent):
    """An image is being made."""

    type: Literal["response.image_generation_call.generating"]


class ImageGenerationCallPartialImageEvent(ItemEvent):
    """An early look at an image, in base64."""

    type: Literal["response.image_generation_call.partial_image"]
    partial_image_index: int
    partial_image_b64: str
    background: str | None = None
    output_format: str | None = None
    quality: str | None = None
    size: str | None = None


class ImageGenerationCallCompletedEvent(ItemEvent):
    """An image is complete; Azure leaves this event out (recorded by vercel/ai)."""

    type: Literal["response.image_generation_call.completed"]


Tool = ImageGenerationTool
Item = ImageGenerationCall
Event = (
    ImageGenerationCallInProgressEvent
    | ImageGenerationCallGeneratingEvent
    | ImageGenerationCallPartialImageEvent
    | ImageGenerationCallCompletedEvent
)
Choice = Literal["image_generation"]
FACTS = ToolFacts(
    is_hosted=True,
    charge=Charge("image_generation", ImageGenerationCall, "tokens"),
    # No field of the API has the mask's id as text, or as `id`: callers have sent both.
    stored_in_tool=("input_image_mask", "input_image_mask.id", "input_image_mask.file_id"),
)
