# Written by scripts/unasync: change the file of this name in ../_async instead.
"""`client.skills`: instructions and scripts that a model may use in a shell, and their versions."""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import Any, Literal, Unpack

from azure_responses._sync.downloads import StreamedContent
from azure_responses._sync.object_resource import ObjectResource
from azure_responses._sync.pages import Pages
from azure_responses.call_options import CallOptions
from azure_responses.downloaded_content import BinaryContent
from azure_responses.parameter_help import shows_parameters
from azure_responses.protocol.multipart import form_fields
from azure_responses.protocol.object_request import Form, FormFile, given
from azure_responses.types.skills import DeletedSkill, DeletedSkillVersion, Skill, SkillVersion

__all__ = [
    "SkillContent",
    "SkillVersionContent",
    "SkillVersions",
    "Skills",
    "StreamedSkillContent",
    "StreamedSkillVersionContent",
]


def _files(given_files: Any) -> Iterator[FormFile]:
    """The files of a form; a list is sent under the name that the openai package uses for it."""
    # A tuple is one file: its name, its content, and perhaps more.
    if isinstance(given_files, list):
        for file in given_files:
            yield FormFile("files[]", file)
    elif given_files is not None:
        yield FormFile("files", given_files)


class Skills(ObjectResource):
    """`client.skills`."""

    @property
    def content(self) -> "SkillContent":
        """The content of a skill's default version."""
        return SkillContent(self._calls, self._timeout)

    @property
    def versions(self) -> "SkillVersions":
        """The versions of a skill."""
        return SkillVersions(self._calls, self._timeout)

    @shows_parameters(CallOptions)
    def create(self, *, files: Any = None, **options: Unpack[CallOptions]) -> Skill:
        """Upload a skill: a zip file, or a list of the files of its folder, SKILL.md among them.

        Each file is given as `files.create` takes it. A skill has at most 500 files and 50 MB.
        """
        form = Form(files=tuple(_files(files)))
        return self._perform("skills.create", Skill, options, form=form)

    @shows_parameters(CallOptions)
    def retrieve(self, skill_id: str, **options: Unpack[CallOptions]) -> Skill:
        """The description of a skill."""
        return self._perform("skills.retrieve", Skill, options, skill_id)

    @shows_parameters(CallOptions)
    def update(
        self, skill_id: str, *, default_version: str, **options: Unpack[CallOptions]
    ) -> Skill:
        """Choose the default version, which is used if a request names none."""
        body = {"default_version": default_version}
        return self._perform("skills.update", Skill, options, skill_id, body=body)

    @shows_parameters(CallOptions)
    def list(
        self,
        *,
        after: str | None = None,
        limit: int | None = None,
        order: Literal["asc", "desc"] | None = None,
        **options: Unpack[CallOptions],
    ) -> Pages[Skill]:
        """The skills: iterate for all of them, over as many pages as needed."""
        return self._list("skills.list", Skill, options, after=after, limit=limit, order=order)

    @shows_parameters(CallOptions)
    def delete(self, skill_id: str, **options: Unpack[CallOptions]) -> DeletedSkill:
        """Delete a skill and its versions."""
        return self._perform("skills.delete", DeletedSkill, options, skill_id)


class SkillContent(ObjectResource):
    """`client.skills.content`."""

    @property
    def with_streaming_response(self) -> "StreamedSkillContent":
        """`retrieve` as the content arrives, in place of complete."""
        return StreamedSkillContent(self._calls, self._timeout)

    @shows_parameters(CallOptions)
    def retrieve(self, skill_id: str, **options: Unpack[CallOptions]) -> BinaryContent:
        """The zip file of a skill's default version."""
        return self._download("skills.content", options, skill_id)


class StreamedSkillContent(ObjectResource):
    """`client.skills.content.with_streaming_response`."""

    @shows_parameters(CallOptions)
    def retrieve(
        self, skill_id: str, **options: Unpack[CallOptions]
    ) -> AbstractContextManager[StreamedContent]:
        """The zip file as it arrives; the connection is released with the context."""
        return self._stream("skills.content", options, skill_id)


class SkillVersions(ObjectResource):
    """`client.skills.versions`."""

    @property
    def content(self) -> "SkillVersionContent":
        """The content of a version."""
        return SkillVersionContent(self._calls, self._timeout)

    @shows_parameters(CallOptions)
    def create(
        self,
        skill_id: str,
        *,
        default: bool | None = None,
        files: Any = None,
        **options: Unpack[CallOptions],
    ) -> SkillVersion:
        """Upload another version; with `default` it becomes the one that is used."""
        form = Form(tuple(form_fields(given(default=default))), tuple(_files(files)))
        return self._perform("skills.versions.create", SkillVersion, options, skill_id, form=form)

    @shows_parameters(CallOptions)
    def retrieve(
        self, version: str, *, skill_id: str, **options: Unpack[CallOptions]
    ) -> SkillVersion:
        """The description of a version."""
        return self._perform("skills.versions.retrieve", SkillVersion, options, skill_id, version)

    @shows_parameters(CallOptions)
    def list(
        self,
        skill_id: str,
        *,
        after: str | None = None,
        limit: int | None = None,
        order: Literal["asc", "desc"] | None = None,
        **options: Unpack[CallOptions],
    ) -> Pages[SkillVersion]:
        """The versions of a skill: iterate for all of them, over as many pages as needed."""
        return self._list(
            "skills.versions.list",
            SkillVersion,
            options,
            skill_id,
            after=after,
            limit=limit,
            order=order,
        )

    @shows_parameters(CallOptions)
    def delete(
        self, version: str, *, skill_id: str, **options: Unpack[CallOptions]
    ) -> DeletedSkillVersion:
        """Delete a version; the default version cannot be deleted."""
        return self._perform(
            "skills.versions.delete", DeletedSkillVersion, options, skill_id, version
        )


class SkillVersionContent(ObjectResource):
    """`client.skills.versions.content`."""

    @property
    def with_streaming_response(self) -> "StreamedSkillVersionContent":
        """`retrieve` as the content arrives, in place of complete."""
        return StreamedSkillVersionContent(self._calls, self._timeout)

    @shows_parameters(CallOptions)
    def retrieve(
        self, version: str, *, skill_id: str, **options: Unpack[CallOptions]
    ) -> BinaryContent:
        """The zip file of a version."""
        return self._download("skills.versions.content", options, skill_id, version)


class StreamedSkillVersionContent(ObjectResource):
    """`client.skills.versions.content.with_streaming_response`."""

    @shows_parameters(CallOptions)
    def retrieve(
        self, version: str, *, skill_id: str, **options: Unpack[CallOptions]
    ) -> AbstractContextManager[StreamedContent]:
        """The zip file as it arrives; the connection is released with the context."""
        return self._stream("skills.versions.content", options, skill_id, version)
