"""Azure's content filter verdicts on a response.

Every field is optional: recordings leave out categories that Microsoft's OpenAPI description
marks as required (`jailbreak`, `indirect_attack`, `task_adherence`).
"""

from typing import Annotated, Any, Literal

from pydantic import Field

from .model import OPEN, Model

__all__ = [
    "BlocklistDetail",
    "BlocklistResult",
    "CodeCitation",
    "ContentFilter",
    "ContentFilterFailure",
    "ContentFilterOffsets",
    "ContentFilterResults",
    "CustomTopicDetail",
    "CustomTopicResult",
    "DetectionResult",
    "PersonalInformationResult",
    "PersonalInformationSubCategory",
    "ProtectedCodeResult",
    "SeverityResult",
    "TextSpan",
    "UngroundedMaterialResult",
]


# Of hate, sexual content, violence and self-harm; most others are found or not.
class SeverityResult(Model):
    """A verdict with a degree."""

    filtered: bool | None = None
    severity: Annotated[Literal["safe", "low", "medium", "high"] | str, OPEN] | None = None


class DetectionResult(Model):
    """A verdict without a degree."""

    filtered: bool | None = None
    detected: bool | None = None


class CodeCitation(Model):
    """The public repository that generated code resembles."""

    license: str | None = None
    url: str | None = Field(default=None, alias="URL")


class ProtectedCodeResult(DetectionResult):
    """Whether the output matches known public code, and which."""

    citation: CodeCitation | None = None


class BlocklistDetail(Model):
    """One blocklist and whether it matched."""

    id: str | None = None
    filtered: bool | None = None


class BlocklistResult(Model):
    """Matches against the resource's own blocklists."""

    filtered: bool | None = None
    details: list[BlocklistDetail] | None = None


class CustomTopicDetail(Model):
    """One custom topic and whether it was found."""

    id: str | None = None
    detected: bool | None = None


class CustomTopicResult(Model):
    """Matches against the resource's own topics."""

    filtered: bool | None = None
    details: list[CustomTopicDetail] | None = None


class TextSpan(Model):
    """A stretch of the completion, in characters."""

    completion_start_offset: int | None = None
    completion_end_offset: int | None = None


class UngroundedMaterialResult(DetectionResult):
    """Text that the given sources do not support, and where."""

    details: list[TextSpan] | None = None


class PersonalInformationSubCategory(Model):
    """One kind of personal information."""

    sub_category: str | None = None
    filtered: bool | None = None
    detected: bool | None = None
    redacted: bool | None = None


class PersonalInformationResult(DetectionResult):
    """Personal information that was found, and the text without it."""

    redacted_text: str | None = None
    sub_categories: list[PersonalInformationSubCategory] | None = None


class ContentFilterFailure(Model):
    """Why the filter itself failed."""

    code: int | str | None = None
    message: str | None = None


class ContentFilterResults(Model):
    """The verdict per category; a category that was not checked is None."""

    sexual: SeverityResult | None = None
    hate: SeverityResult | None = None
    violence: SeverityResult | None = None
    self_harm: SeverityResult | None = None
    profanity: DetectionResult | None = None
    jailbreak: DetectionResult | None = None
    indirect_attack: DetectionResult | None = None
    task_adherence: DetectionResult | None = None
    protected_material_text: DetectionResult | None = None
    protected_material_code: ProtectedCodeResult | None = None
    ungrounded_material: UngroundedMaterialResult | None = None
    personally_identifiable_information: PersonalInformationResult | None = None
    custom_blocklists: BlocklistResult | None = None
    custom_topics: CustomTopicResult | None = None
    error: ContentFilterFailure | None = None


class ContentFilterOffsets(Model):
    """What the verdict covers, in characters.

    Azure counts hidden system text too, and may report an end far beyond the visible text, so
    these offsets cannot be used to slice the user's own text.
    """

    start_offset: int | None = None
    end_offset: int | None = None
    check_offset: int | None = None


class ContentFilter(Model):
    """Azure's verdict on one source of a response: its prompt or its completion."""

    blocked: bool | None = None
    source_type: Annotated[Literal["prompt", "completion"] | str, OPEN] | None = None
    content_filter_raw: list[Any] | None = None
    content_filter_results: ContentFilterResults | None = None
    content_filter_offsets: ContentFilterOffsets | None = None
