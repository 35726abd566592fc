"""Skills: folders of instructions and scripts that a model may use in a shell."""

from collections.abc import Mapping
from typing import Any, ClassVar

from .model import Number
from .result import Result

__all__ = ["DeletedSkill", "DeletedSkillVersion", "Skill", "SkillVersion"]


class Skill(Result):
    """A skill; `created_at` is in Unix seconds."""

    _is_sent_by_id: ClassVar[bool] = True
    _stand_ins: ClassVar[Mapping[str, Any]] = {
        "created_at": 0,
        "default_version": "",
        "description": "",
        "latest_version": "",
        "name": "",
    }

    id: str
    created_at: Number
    default_version: str
    description: str
    latest_version: str
    name: str
    object: str = "skill"


class SkillVersion(Result):
    """One version of a skill; `created_at` is in Unix seconds."""

    _stand_ins: ClassVar[Mapping[str, Any]] = {
        "created_at": 0,
        "description": "",
        "name": "",
        "skill_id": "",
    }

    id: str
    created_at: Number
    description: str
    name: str
    object: str = "skill.version"
    skill_id: str
    version: str


class DeletedSkill(Result):
    """Confirms that a skill is deleted."""

    id: str
    deleted: bool
    object: str = "skill.deleted"


class DeletedSkillVersion(Result):
    """Confirms that a version of a skill is deleted."""

    id: str
    deleted: bool
    object: str = "skill.version.deleted"
    version: str | None = None
