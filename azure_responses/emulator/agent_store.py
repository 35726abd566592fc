"""The agents of one project: named definitions with versions, none of which ever changes."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from azure_responses.emulator.bounded_dict import BoundedDict
from azure_responses.emulator.resources import EmulatedAgent

__all__ = ["AgentStore", "AgentVersion"]

_MOST = 1000


@dataclass(frozen=True)
class AgentVersion:
    """One version of an agent.

    Attributes:
        name, version: what a caller refers to.
        definition: as the service shows it: `kind`, `model`, `instructions`, `tools`, ….
        created_at: unix seconds.
        description, metadata: as they were given.
        consent_link: where a user has to consent before remote tools are called.
    """

    name: str
    version: str
    definition: dict[str, Any]
    created_at: int
    description: str = ""
    metadata: dict[str, Any] | None = None
    consent_link: str | None = None

    @property
    def kind(self) -> str:
        """`prompt`, `hosted`, `workflow`, …."""
        return str(self.definition.get("kind") or "prompt")

    def as_object(self) -> dict[str, Any]:
        """The version as the API shows it."""
        return {
            "object": "agent.version",
            "id": f"{self.name}:{self.version}",
            "name": self.name,
            "version": self.version,
            "description": self.description,
            "created_at": self.created_at,
            "definition": self.definition,
            "metadata": self.metadata or {},
            "status": "active",
        }


class AgentStore:
    """The agents of a project.

    Args:
        declared: those of the configuration. None takes any name as a plain agent.
        created_at: unix seconds for those.
    """

    def __init__(self, declared: Iterable[EmulatedAgent] | None, created_at: int) -> None:
        self._takes_any = declared is None
        self._versions: dict[str, dict[str, AgentVersion]] = BoundedDict(_MOST)
        for agent in declared or ():
            made = AgentVersion(
                agent.name,
                agent.version,
                agent.definition,
                created_at,
                consent_link=agent.consent_link,
            )
            self._versions.setdefault(agent.name, {})[agent.version] = made

    def find(self, name: str, version: str | None = None) -> AgentVersion | None:
        """The version asked for, or the latest; None where there is no such agent."""
        versions = self._versions.get(name)
        if versions is None:
            if not self._takes_any:
                return None
            plain = EmulatedAgent(name, version=version or "1")
            # Not stored: a name that is only asked for does not become an agent that lists show.
            return AgentVersion(name, plain.version, plain.definition, 0)
        if version is None:
            # The last one made is the latest: numbers as text would put 10 before 9.
            return next(reversed(versions.values()))
        return versions.get(version)

    def add(self, name: str, fields: dict[str, Any], created_at: int) -> AgentVersion:
        """The next version of an agent, which may be its first."""
        versions = self._versions.get(name, {})
        made = AgentVersion(
            name,
            str(len(versions) + 1),
            fields["definition"],
            created_at,
            str(fields.get("description") or ""),
            fields.get("metadata"),
        )
        self._versions[name] = {**versions, made.version: made}
        return made

    def latest(self) -> list[AgentVersion]:
        """The latest version of every agent, in the order they were made."""
        return [next(reversed(versions.values())) for versions in self._versions.values()]

    def versions(self, name: str) -> list[AgentVersion]:
        """The versions of an agent, the oldest first."""
        return list(self._versions.get(name, {}).values())

    def discard(self, name: str, version: str | None = None) -> bool:
        """Delete an agent, or one of its versions; False where there is none."""
        versions = self._versions.get(name)
        if versions is None or (version is not None and version not in versions):
            return False
        left = {key: made for key, made in versions.items() if version not in (None, key)}
        if left:
            self._versions[name] = left
        else:
            del self._versions[name]
        return True
