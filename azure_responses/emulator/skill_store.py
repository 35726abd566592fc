"""Skills: bundles of files with a SKILL.md, in numbered versions."""

import io
import re
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from azure_responses.emulator.contents import StoredContent
from azure_responses.emulator.forms import SubmittedFile
from azure_responses.emulator.service_errors import ServiceError, invalid_request

__all__ = ["Bundle", "EmulatedSkill", "EmulatedSkillVersion", "read_bundle"]

# OpenAI's skills guide, which Azure's pages repeat.
_LARGEST_BUNDLE, _LARGEST_FILE, _MOST_FILES = 50 * 1024**2, 25 * 1024**2, 500
_LARGEST_MANIFEST = 1024 * 1024
_MANIFEST = "skill.md"
_FRONT_MATTER = re.compile(r"\A---\s*\n(.*?)\n---\s*(?:\n|\Z)", re.DOTALL)
_LINE = re.compile(r"^(name|description):[ \t]*(.+)$", re.MULTILINE)


@dataclass(frozen=True)
class Bundle:
    """The zip archive of a version, and what its SKILL.md says."""

    name: str
    description: str
    archive: StoredContent


@dataclass(frozen=True)
class EmulatedSkillVersion:
    """One version of a skill; it does not change."""

    id: str
    number: str
    created_at: int
    bundle: Bundle

    def as_object(self, skill_id: str) -> dict[str, Any]:
        """The version as the API shows it."""
        return {
            "id": self.id,
            "object": "skill.version",
            "created_at": self.created_at,
            "name": self.bundle.name,
            "description": self.bundle.description,
            "skill_id": skill_id,
            "version": self.number,
        }


@dataclass
class EmulatedSkill:
    """A skill and its versions, oldest first."""

    id: str
    created_at: int
    default: str = "1"
    latest: int = 0
    versions: dict[str, EmulatedSkillVersion] = field(default_factory=dict)

    def add(self, version_id: str, bundle: Bundle, now: int) -> EmulatedSkillVersion:
        """The next version; numbers are never given out twice."""
        self.latest += 1
        version = EmulatedSkillVersion(version_id, str(self.latest), now, bundle)
        self.versions[version.number] = version
        return version

    def find(self, version: str | None) -> EmulatedSkillVersion | None:
        """A version by its number, `latest`, or the default for None."""
        if version == "latest":
            return next(reversed(self.versions.values()), None)
        return self.versions.get(version or self.default)

    def as_object(self) -> dict[str, Any]:
        """The skill as the API shows it."""
        bundle = self.versions[self.default].bundle
        return {
            "id": self.id,
            "object": "skill",
            "created_at": self.created_at,
            "name": bundle.name,
            "description": bundle.description,
            "default_version": self.default,
            "latest_version": next(reversed(self.versions)),
        }


def read_bundle(files: Sequence[SubmittedFile]) -> Bundle:
    """A bundle from one zip archive, or from the files of a directory.

    Raises ServiceError (400) for too many or too large files, for paths that lead out of the
    bundle, and without exactly one SKILL.md that has a name and a description.
    """
    if not files:
        raise _invalid("Upload one zip archive, or the files of a directory.")
    if sum(file.content.size for file in files) > _LARGEST_BUNDLE:
        raise _invalid("The bundle is too large: at most 50 MB are allowed.")
    if len(files) == 1 and files[0].content.read(0, 4) in (b"PK\x03\x04", b"PK\x05\x06"):
        archive = files[0].content
    else:
        archive = _pack(files)
    return _read_archive(archive)


def _invalid(message: str) -> ServiceError:
    return invalid_request(message, "files", "invalid_skill")


def _pack(files: Sequence[SubmittedFile]) -> StoredContent:
    if len(files) > _MOST_FILES:
        raise _invalid(f"The bundle has too many files: at most {_MOST_FILES} are allowed.")
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as packed:
        for file in files:
            # A fixed date, so that equal files make an equal archive.
            packed.writestr(zipfile.ZipInfo(file.filename), file.content.read())
    return StoredContent(buffer.getvalue())


def _read_archive(archive: StoredContent) -> Bundle:
    try:
        with zipfile.ZipFile(io.BytesIO(archive.read())) as opened:
            entries = [entry for entry in opened.infolist() if not entry.is_dir()]
            _check_entries(entries)
            manifest = _find_manifest(entries)
            # A bomb says that it is small: no more is read than a manifest may have.
            with opened.open(manifest) as file:
                text = file.read(_LARGEST_MANIFEST).decode("utf-8", "replace")
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, ValueError):
        raise _invalid("The archive could not be read.") from None
    return _read_manifest(text, archive)


def _check_entries(entries: Sequence[zipfile.ZipInfo]) -> None:
    if len(entries) > _MOST_FILES:
        raise _invalid(f"The bundle has too many files: at most {_MOST_FILES} are allowed.")
    for entry in entries:
        parts = entry.filename.replace("\\", "/").split("/")
        if ".." in parts or not parts[0] or ":" in parts[0]:
            raise _invalid(f"The path '{entry.filename}' leads out of the bundle.")
        if entry.file_size > _LARGEST_FILE:
            raise _invalid(f"The file '{entry.filename}' is too large: at most 25 MB are allowed.")


def _find_manifest(entries: Sequence[zipfile.ZipInfo]) -> zipfile.ZipInfo:
    found = [one for one in entries if one.filename.lower().split("/")[-1] == _MANIFEST]
    if len(found) != 1:
        raise _invalid(f"The bundle needs exactly one SKILL.md, not {len(found)}.")
    return found[0]


def _read_manifest(text: str, archive: StoredContent) -> Bundle:
    front = _FRONT_MATTER.match(text.replace("\r\n", "\n"))
    pairs = dict(_LINE.findall(front[1])) if front else {}
    if len(pairs) < 2:
        raise _invalid("SKILL.md needs a name and a description in its front matter.")
    name, description = (pairs[key].strip().strip("'\"") for key in ("name", "description"))
    return Bundle(name, description, archive)
