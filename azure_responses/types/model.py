"""The base of every wire model."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

__all__ = ["Model"]


class Model(BaseModel):
    """A JSON object of the Responses API: known fields typed, unknown ones kept as they came."""

    model_config = ConfigDict(
        extra="allow",
        # Over a hundred models exist and a program meets a dozen: validators are built on use.
        defer_build=True,
        validate_by_name=True,
        validate_by_alias=True,
        serialize_by_alias=True,
        protected_namespaces=(),
    )

    def to_dict(self, mode: Literal["json", "python"] = "json") -> dict[str, Any]:
        """The object as it was sent or set: defaults that nobody set are left out."""
        return self.model_dump(mode=mode, exclude_unset=True)

    def to_json(self) -> str:
        """`to_dict` as JSON text."""
        return self.model_dump_json(exclude_unset=True)
