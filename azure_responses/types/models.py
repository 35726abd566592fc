"""The models a resource offers, as `GET /models` lists them."""

from collections.abc import AsyncIterator, Iterator
from typing import Annotated, Literal

from pydantic import Field

from .model import OPEN, Model
from .result import Result

__all__ = ["ModelCapabilities", "ModelDeprecation", "ModelInfo", "ModelList"]


class ModelCapabilities(Model):
    """What Azure lets a model be used for."""

    fine_tune: bool | None = None
    inference: bool | None = None
    completion: bool | None = None
    chat_completion: bool | None = None
    embeddings: bool | None = None


class ModelDeprecation(Model):
    """When Azure retires a model, in Unix seconds."""

    fine_tune: int | None = None
    inference: int | None = None


class ModelInfo(Result):
    """A model; times are Unix seconds. Azure adds all but the first four fields."""

    id: str
    object: str = "model"
    created: int | None = None
    owned_by: str | None = None
    created_at: int | None = None
    status: str | None = None
    capabilities: ModelCapabilities | None = None
    lifecycle_status: (
        Annotated[
            Literal["preview", "generally-available", "deprecating", "deprecated"] | str, OPEN
        ]
        | None
    ) = None
    deprecation: ModelDeprecation | None = None
    shutdown_date: str | None = None


class ModelList(Result):
    """The models a resource offers: iterate it, with `for` or `async for`, or its `data`."""

    object: str = "list"
    data: list[ModelInfo] = Field(default_factory=list)

    def __iter__(self) -> Iterator[ModelInfo]:  # type: ignore[override]
        return iter(self.data)

    async def __aiter__(self) -> AsyncIterator[ModelInfo]:
        for model in self.data:
            yield model
