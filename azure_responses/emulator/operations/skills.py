"""Skills and their versions."""

from typing import Any

from azure_responses.emulator.dispatch import EmulatedCall
from azure_responses.emulator.http_messages import PlannedReply, json_reply
from azure_responses.emulator.operations.fields import list_page, read_text
from azure_responses.emulator.operations.files import content_reply
from azure_responses.emulator.service_errors import invalid_request, not_found
from azure_responses.emulator.skill_store import EmulatedSkill, EmulatedSkillVersion, read_bundle

__all__ = [
    "add_version", "create", "delete", "delete_version", "list_skills", "list_versions",
    "read_content", "read_version_content", "retrieve", "retrieve_version", "update",
]  # fmt: skip

_ZIP = "application/zip"


def _find(call: EmulatedCall) -> EmulatedSkill:
    skill = call.account.objects.skills.get(call.route.ids[0])
    if skill is None:
        raise not_found("Skill", call.route.ids[0])
    return skill


def _find_version(call: EmulatedCall) -> tuple[EmulatedSkill, EmulatedSkillVersion]:
    skill = _find(call)
    version = skill.find(call.route.ids[1])
    if version is None:
        raise not_found("Skill version", call.route.ids[1])
    return skill, version


def _version_id(call: EmulatedCall) -> str:
    return "skillver_" + call.account.mint.digits(32)


def create(call: EmulatedCall) -> PlannedReply:
    """`POST /skills`: version 1, which is the default."""
    bundle = read_bundle(call.form.files)
    call.account.objects.make_room(bundle.archive)
    skill = EmulatedSkill("skill_" + call.account.mint.digits(32), int(call.now))
    skill.add(_version_id(call), bundle, int(call.now))
    call.account.objects.skills[skill.id] = skill
    return json_reply(skill.as_object())


def list_skills(call: EmulatedCall) -> PlannedReply:
    """`GET /skills`."""
    skills = call.account.objects.skills.values()
    return json_reply(list_page([skill.as_object() for skill in skills], call.query))


def retrieve(call: EmulatedCall) -> PlannedReply:
    """`GET /skills/{id}`."""
    return json_reply(_find(call).as_object())


def update(call: EmulatedCall) -> PlannedReply:
    """`POST /skills/{id}`: another default version."""
    skill = _find(call)
    version = skill.find(read_text(call.body, "default_version"))
    if version is None:
        raise not_found("Skill version", call.body["default_version"], "default_version")
    skill.default = version.number
    return json_reply(skill.as_object())


def delete(call: EmulatedCall) -> PlannedReply:
    """`DELETE /skills/{id}`, with all of its versions."""
    skill = _find(call)
    del call.account.objects.skills[skill.id]
    return json_reply({"id": skill.id, "object": "skill.deleted", "deleted": True})


def _content(version: EmulatedSkillVersion | None) -> PlannedReply:
    assert version is not None
    return content_reply(version.bundle.archive, _ZIP)


def read_content(call: EmulatedCall) -> PlannedReply:
    """`GET /skills/{id}/content`: the archive of the default version."""
    return _content(_find(call).find(None))


def add_version(call: EmulatedCall) -> PlannedReply:
    """`POST /skills/{id}/versions`."""
    skill, form = _find(call), call.form
    bundle = read_bundle(form.files)
    call.account.objects.make_room(bundle.archive)
    version = skill.add(_version_id(call), bundle, int(call.now))
    if form.fields.get("default") == "true":
        skill.default = version.number
    return json_reply(version.as_object(skill.id))


def list_versions(call: EmulatedCall) -> PlannedReply:
    """`GET /skills/{id}/versions`, by number."""
    skill = _find(call)
    versions: list[dict[str, Any]] = [one.as_object(skill.id) for one in skill.versions.values()]
    return json_reply(list_page(versions, call.query))


def retrieve_version(call: EmulatedCall) -> PlannedReply:
    """`GET /skills/{id}/versions/{version}`."""
    skill, version = _find_version(call)
    return json_reply(version.as_object(skill.id))


def read_version_content(call: EmulatedCall) -> PlannedReply:
    """`GET /skills/{id}/versions/{version}/content`."""
    return _content(_find_version(call)[1])


def delete_version(call: EmulatedCall) -> PlannedReply:
    """Not the default one: another version has to be the default first."""
    skill, version = _find_version(call)
    if version.number == skill.default:
        raise invalid_request(
            "The default version cannot be deleted: choose another default version, or delete "
            "the skill."
        )
    del skill.versions[version.number]
    gone = {"id": version.id, "object": "skill.version.deleted", "deleted": True}
    return json_reply({**gone, "version": version.number})
