"""The base of every wire model."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, ClassVar, Literal, Self

from pydantic import BaseModel, ConfigDict

__all__ = ["Model"]


class Model(BaseModel):
    """A JSON object of the Responses API: known fields typed, unknown ones kept as they came.

    Two tables are for objects that do not fit their class (`mending`):
        _stand_ins: of required fields that an object can do without: what they then hold.
        _readers: of fields that are seen in another shape: turns what arrived into the usual one.
    """

    model_config = ConfigDict(
        extra="allow",
        # Over a hundred models exist and a program meets a dozen: validators are built on use.
        defer_build=True,
        validate_by_name=True,
        validate_by_alias=True,
        serialize_by_alias=True,
        protected_namespaces=(),
    )
    _stand_ins: ClassVar[Mapping[str, Any]] = MappingProxyType({})
    _readers: ClassVar[Mapping[str, Callable[[Any], Any]]] = MappingProxyType({})

    def to_dict(self, mode: Literal["json", "python"] = "json") -> dict[str, Any]:
        """The object as it was sent or set: defaults that nobody set are left out."""
        return self.model_dump(mode=mode, exclude_unset=True)

    def to_json(self) -> str:
        """`to_dict` as JSON text."""
        return self.model_dump_json(exclude_unset=True)

    def keep_odd(self, fields: Mapping[str, Any], *missing: str) -> Self:
        """Keep, under the names of declared fields, what came in their place; dumps have it.

        `missing` names fields in whose place nothing came.
        """
        self.__pydantic_fields_set__.difference_update(fields, missing)
        extra = self.__pydantic_extra__
        assert extra is not None
        extra.update(fields)
        return self
