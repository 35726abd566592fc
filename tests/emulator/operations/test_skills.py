"""Skills: bundles, versions, and what refers to them."""

import io
import zipfile
from typing import Any

import httpx
import pytest

from azure_responses.emulator import Assumptions, Emulator, Resource
from tests.emulator.callers import create, open_client

SKILLS = "/openai/v1/skills"
MANIFEST = b"---\nname: reports\ndescription: 'Write reports.'\n---\nDo it well.\n"


def archive(**files: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as packed:
        for name, content in files.items():
            packed.writestr(name, content)
    return buffer.getvalue()


def send(client: httpx.Client, content: bytes, path: str = SKILLS, **data: Any) -> httpx.Response:
    return client.post(path, data=data, files={"files": ("skill.zip", content)})


def make(client: httpx.Client) -> str:
    reply = send(client, archive(**{"reports/SKILL.md": MANIFEST}))
    assert reply.status_code == 200, reply.text
    skill_id: str = reply.json()["id"]
    return skill_id


def test_a_skill_is_made_of_a_zip_archive_listed_and_deleted(client: httpx.Client) -> None:
    skill_id = make(client)
    skill = client.get(f"{SKILLS}/{skill_id}").json()
    assert (skill["name"], skill["description"]) == ("reports", "Write reports.")
    assert (skill["default_version"], skill["latest_version"]) == ("1", "1")
    assert client.get(SKILLS).json()["data"] == [skill]
    content = client.get(f"{SKILLS}/{skill_id}/content")
    assert content.headers["content-type"] == "application/zip"
    with zipfile.ZipFile(io.BytesIO(content.content)) as opened:
        assert opened.read("reports/SKILL.md") == MANIFEST
    assert client.delete(f"{SKILLS}/{skill_id}").json()["deleted"] is True
    assert client.get(f"{SKILLS}/{skill_id}").status_code == 404


def test_a_skill_is_made_of_the_files_of_a_directory(client: httpx.Client) -> None:
    files = [
        ("files[]", ("reports/SKILL.md", MANIFEST)),
        ("files[]", ("reports/run.py", b"print()")),
    ]
    skill_id = client.post(SKILLS, files=files).json()["id"]
    content = client.get(f"{SKILLS}/{skill_id}/content").content
    with zipfile.ZipFile(io.BytesIO(content)) as opened:
        assert opened.namelist() == ["reports/SKILL.md", "reports/run.py"]


def test_versions_are_numbered_and_one_is_the_default(client: httpx.Client) -> None:
    path = f"{SKILLS}/{make(client)}"
    changed = archive(**{"SKILL.md": MANIFEST.replace(b"reports", b"letters")})
    second = send(client, changed, f"{path}/versions").json()
    assert (second["version"], second["object"]) == ("2", "skill.version")
    shown = client.get(path).json()
    assert (shown["default_version"], shown["latest_version"]) == ("1", "2")
    third = send(client, changed, f"{path}/versions", default="true").json()
    assert client.get(path).json()["default_version"] == third["version"] == "3"
    assert client.get(path).json()["name"] == "letters"
    listed = client.get(f"{path}/versions", params={"order": "asc"}).json()["data"]
    assert [one["version"] for one in listed] == ["1", "2", "3"]
    assert client.get(f"{path}/versions/2").json() == second
    assert client.get(f"{path}/versions/2/content").content == changed
    assert client.get(f"{path}/versions/latest").json() == third
    assert client.delete(f"{path}/versions/3").status_code == 400
    assert client.post(path, json={"default_version": "1"}).json()["default_version"] == "1"
    assert client.post(path, json={"default_version": "9"}).status_code == 404
    gone = client.delete(f"{path}/versions/3").json()
    assert (gone["version"], gone["deleted"]) == ("3", True)
    assert client.get(f"{path}/versions/3").status_code == 404
    # Its number is not given out again.
    assert send(client, changed, f"{path}/versions").json()["version"] == "4"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no archive",
        b"PK\x03\x04 broken",
        archive(**{"a.txt": b"x"}),
        archive(**{"a/SKILL.md": MANIFEST, "b/skill.md": MANIFEST}),
        archive(**{"SKILL.md": b"no front matter"}),
        archive(**{"SKILL.md": b"---\nname: x\n---\n"}),
        archive(**{"SKILL.md": MANIFEST, "../../etc/passwd": b"x"}),
        archive(**{"SKILL.md": MANIFEST, "/etc/passwd": b"x"}),
        archive(**{"SKILL.md": MANIFEST, "C:\\x": b"x"}),
        archive(**{"SKILL.md": MANIFEST}, **{f"{number}": b"" for number in range(500)}),
    ],
)
def test_an_invalid_bundle_is_refused(client: httpx.Client, content: bytes) -> None:
    reply = send(client, content)
    assert (reply.status_code, reply.json()["error"]["param"]) == (400, "files")
    assert client.get(SKILLS).json()["data"] == []


def test_a_bundle_has_at_most_500_files_and_50_mb(client: httpx.Client) -> None:
    files = [("files[]", (f"{number}", b"x")) for number in range(501)]
    assert client.post(SKILLS, files=files).status_code == 400
    assert "50 MB" in send(client, b"x" * (50 * 1024**2 + 1)).text
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("SKILL.md", MANIFEST)
        packed.writestr("zeros", b"\0" * (26 * 1024**2))
    assert "25 MB" in send(client, bomb.getvalue()).text
    assert client.post(SKILLS, data={"a": "b"}, files={}).status_code == 400


def test_a_shell_may_only_use_skills_that_exist() -> None:
    with open_client(Emulator([Resource("a"), Resource("b")])) as client:
        skill_id = make(client)

        def ask(version: str | None = None, host: str = "a", **environment: Any) -> int:
            reference = {"type": "skill_reference", "skill_id": skill_id}
            if version:
                reference["version"] = version
            given = {"type": "container_auto", "skills": [reference], **environment}
            body = {"model": "gpt-5.2", "input": "hi",
                    "tools": [{"type": "shell", "environment": given}]}  # fmt: skip
            path = f"https://{host}.openai.azure.com/openai/v1/responses"
            return client.post(path, json=body).status_code

        assert [ask(), ask("1"), ask("latest")] == [200] * 3
        assert [ask("2"), ask(host="b"), ask(skills=[{"type": "skill_reference"}])] == [404] * 3
        assert ask(skills="all") == 400
        assert ask(type="container_reference", container_id="cntr_0") == 404
        assert ask(type="container_auto", file_ids=["assistant-0"]) == 404
        # A local skill is a folder of the caller's.
        assert ask(type="local", skills=[{"name": "x", "description": "y", "path": "/z"}]) == 200


def test_a_container_may_only_use_skills_that_exist(client: httpx.Client) -> None:
    reference = {"type": "skill_reference", "skill_id": make(client)}
    made = client.post("/openai/v1/containers", json={"name": "a", "skills": [reference]})
    assert made.status_code == 200
    reference["skill_id"] = "skill_0"
    refused = client.post("/openai/v1/containers", json={"name": "a", "skills": [reference]})
    assert (refused.status_code, refused.json()["error"]["param"]) == (404, "skills")


def test_a_container_that_a_shell_started_can_be_read(client: httpx.Client) -> None:
    tool = {"type": "shell", "environment": {"type": "container_auto"}}
    reply = create(client, model="gpt-5.2", input="List the files.", tools=[tool]).json()
    (call,) = [item for item in reply["output"] if item["type"] == "shell_call"]
    container_id = call["environment"]["container_id"]
    assert client.get(f"/openai/v1/containers/{container_id}").json()["status"] == "running"


def test_skills_can_be_missing() -> None:
    with open_client(Emulator(assumptions=Assumptions(offers_skills=False))) as client:
        assert client.get(SKILLS).status_code == 404
