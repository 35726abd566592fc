"""Tools that the service runs: their items as recorded, and the message that follows."""

import base64
from typing import Any

import pytest

from azure_responses.emulator.engine.hosted_tool import HostedTool
from azure_responses.emulator.engine.tool_calls import HOSTED_TOOLS
from azure_responses.emulator.service_errors import ServiceError
from tests.emulator.engine.generations import ask

_IMAGE_HEADER = {"x-ms-oai-image-generation-deployment": "gpt-image-1"}


def _output(prompt: Any, tool: dict[str, Any], **given: Any) -> list[dict[str, Any]]:
    output: list[dict[str, Any]] = ask(prompt, tools=[tool], **given).response["output"]
    return output


def test_web_search_cites_pages_at_their_place_in_the_text() -> None:
    include = ["web_search_call.action.sources"]
    call, message = _output("search for cats", {"type": "web_search"}, include=include)
    assert call["status"] == "searching"
    assert call["action"]["query"] == "cats"
    assert len(call["action"]["sources"]) == 3
    part = message["content"][0]
    assert len(part["annotations"]) == 3
    for note in part["annotations"]:
        cited = part["text"][note["start_index"] : note["end_index"]]
        assert note["url"] in cited
        assert cited.startswith("([example.com]")


def test_web_search_keeps_to_the_allowed_domains() -> None:
    tool = {"type": "web_search", "filters": {"allowed_domains": ["a.example", "b.example"]}}
    notes = _output("search for cats", tool)[1]["content"][0]["annotations"]
    assert {note["url"].split("/")[2] for note in notes} == {"a.example", "b.example"}


_CODE = {"type": "code_interpreter", "container": {"type": "auto"}}


def test_code_runs_in_a_container_and_its_outputs_are_included_on_request() -> None:
    call, message = _output("run python: 3*4", _CODE)
    assert call["outputs"] is None
    assert "3 * 4" in call["code"]
    assert call["container_id"].startswith("cntr_")
    assert "12" in message["content"][0]["text"]
    included = _output("run python: 3*4", _CODE, include=["code_interpreter_call.outputs"])
    assert included[0]["outputs"] == [{"type": "logs", "logs": "12\n"}]


def test_code_without_a_sum_works_on_the_numbers() -> None:
    assert "[4, 5]" in _output("run a program over 4 and 5", _CODE)[0]["code"]


def test_a_container_is_used_again_or_given() -> None:
    first = _output("run python: 3*4", _CODE)
    again = _output("run python: 5*5", _CODE, history=first)
    assert again[0]["container_id"] == first[0]["container_id"]
    given = _output("run python: 3*4", {"type": "code_interpreter", "container": "cntr_1"})
    assert given[0]["container_id"] == "cntr_1"


_FILES = {"type": "file_search", "vector_store_ids": ["vs_1"]}


def _search(stores: list[str], query: str) -> list[tuple[str, str, str]]:
    assert stores == ["vs_1"]
    return [("assistant-1", "a.txt", "It is blue. More."), ("assistant-2", "b.txt", "It is red.")]


def test_file_search_cites_files_at_their_place_in_the_text() -> None:
    call, message = _output("what do the files say?", _FILES, search=_search)
    assert call["results"] is None
    assert call["queries"] == ["what do the files say?"]
    part = message["content"][0]
    assert [part["text"][note["index"]] for note in part["annotations"]] == [".", "."]
    assert [note["filename"] for note in part["annotations"]] == ["a.txt", "b.txt"]


def test_file_search_results_are_included_on_request_and_limited() -> None:
    tool = {**_FILES, "max_num_results": 1}
    include = ["file_search_call.results"]
    call = _output("search the files", tool, search=_search, include=include)[0]
    assert [row["file_id"] for row in call["results"]] == ["assistant-1"]


def test_file_search_may_find_nothing() -> None:
    assert "nothing" in _output("search the files", _FILES)[1]["content"][0]["text"]


def test_images_need_their_header() -> None:
    with pytest.raises(ServiceError) as caught:
        ask("draw a cat", tools=[{"type": "image_generation"}])
    assert caught.value.body["error"] == {
        "message": "imagegen deployment must be provided through header: "
        "x-ms-oai-image-generation-deployment",
        "type": "image_generation_user_error",
        "param": "tools",
        "code": "invalid_request_error",
    }


def test_images_are_valid_pngs_with_partial_ones_before() -> None:
    tool = {"type": "image_generation", "partial_images": 2, "size": "1024x1536"}
    reply = ask("draw a cat", tools=[tool], headers=_IMAGE_HEADER)
    call = reply.response["output"][0]
    assert call["status"] == "generating"
    assert call["size"] == "1024x1536"
    partial = [e for e in reply.events if e["type"].endswith("partial_image")]
    assert [event["partial_image_index"] for event in partial] == [0, 1]
    images = [call["result"], *(event["partial_image_b64"] for event in partial)]
    assert len(set(images)) == 3
    assert all(base64.b64decode(image).startswith(b"\x89PNG") for image in images)


def _remote(approval: Any = "never", **given: Any) -> dict[str, Any]:
    return {
        "type": "mcp",
        "server_label": "dice",
        "server_url": "https://example.com/secret/mcp",
        "require_approval": approval,
        **given,
    }


def _types(output: list[dict[str, Any]]) -> list[str]:
    return [item["type"] for item in output]


def test_a_remote_server_is_listed_once_and_called() -> None:
    first = _output("roll", _remote())
    assert _types(first) == ["mcp_list_tools", "mcp_call", "message"]
    assert _types(_output("roll again", _remote(), history=first)) == ["mcp_call", "message"]


def test_remote_servers_are_listed_even_where_none_is_called() -> None:
    assert _types(_output("Hello", _remote())) == ["mcp_list_tools", "message"]
    output = _output("roll", _remote(), model="gpt-5-mini")
    assert _types(output) == ["mcp_list_tools", "reasoning", "mcp_call", "message"]


@pytest.mark.parametrize(
    ("approval", "kind"),
    [
        ("always", "mcp_approval_request"),
        (None, "mcp_approval_request"),
        ("never", "mcp_call"),
        ({"never": {"tool_names": ["roll"]}}, "mcp_call"),
        ({"always": {"tool_names": ["roll"]}}, "mcp_approval_request"),
    ],
)
def test_approval_is_asked_for_by_policy(approval: Any, kind: str) -> None:
    tool = _remote(approval, allowed_tools={"tool_names": ["roll"]})
    output = _output("roll", tool)
    assert output[1]["type"] == kind
    assert output[1]["name"] == "roll"


@pytest.mark.parametrize(
    ("approves", "kinds"), [(True, ["mcp_call", "message"]), (False, ["message"])]
)
def test_an_approval_is_answered(approves: bool, kinds: list[str]) -> None:
    history = _output("roll", _remote("always"))
    wanted = history[-1]["id"]
    reply = {"type": "mcp_approval_response", "approval_request_id": wanted, "approve": approves}
    output = _output([reply], _remote("always"), history=history)
    assert _types(output) == kinds
    if approves:
        assert output[0]["approval_request_id"] == wanted


def test_an_approval_of_nothing_is_no_call() -> None:
    reply = {"type": "mcp_approval_response", "approval_request_id": "mcpr_1", "approve": True}
    assert _types(_output([reply], _remote("always"))) == ["mcp_list_tools", "message"]


def test_a_remote_call_can_fail() -> None:
    call = _output("[[azure:mcp-fail]] roll", _remote())[1]
    assert (call["status"], call["output"]) == ("failed", None)
    assert call["error"]["type"] == "mcp_tool_execution_error"


def test_the_path_of_a_remote_server_is_not_echoed() -> None:
    echoed = ask("Hello", tools=[_remote()]).response["tools"][0]
    assert echoed["server_url"] == "https://example.com/<redacted>"
    bare = ask("Hello", tools=[_remote(server_url="https://example.com")]).response["tools"][0]
    assert bare["server_url"] == "https://example.com"
    connector = {"type": "mcp", "server_label": "d", "connector_id": "connector_dropbox"}
    assert ask("Hello", tools=[connector]).response["tools"][0]["connector_id"]


def test_at_most_so_many_hosted_tools_are_called() -> None:
    tools = [{"type": "web_search"}, _CODE]
    both = ask("search the web and run code", tools=tools).response["output"]
    one = ask("search the web and run code", tools=tools, max_tool_calls=1).response["output"]
    assert _types(both) == ["web_search_call", "code_interpreter_call", "message"]
    assert _types(one) == ["web_search_call", "message"]


@pytest.mark.parametrize(
    ("tool", "prompt", "kinds"),
    [
        ({"type": "computer"}, "open the browser", ["computer_call"]),
        ({"type": "local_shell"}, "run `ls -la /tmp`", ["local_shell_call"]),
        ({"type": "shell"}, "run `ls`", ["shell_call"]),
        (
            {"type": "shell", "environment": {"type": "container_auto"}},
            "run `ls`",
            ["shell_call", "shell_call_output", "message"],
        ),
        ({"type": "apply_patch"}, "create a.txt", ["apply_patch_call"]),
    ],
)
def test_machines_are_operated(tool: dict[str, Any], prompt: str, kinds: list[str]) -> None:
    assert _types(_output(prompt, tool)) == kinds


def test_the_preview_computer_is_echoed_with_its_snapshot_and_no_tool_choice() -> None:
    tool = {
        "type": "computer_use_preview",
        "environment": "browser",
        "display_width": 1024,
        "display_height": 768,
    }
    response = ask("click it", model="computer-use-preview", tools=[tool]).response
    assert response["tools"][0]["type"] == "computer-use-preview-2025-03-11"
    assert response["tool_choice"] is None
    assert response["output"][-1]["action"] == {"type": "screenshot"}


def test_commands_and_patches_come_from_the_prompt() -> None:
    shell = _output("run `echo hi`", {"type": "shell"})[0]
    assert shell["action"]["commands"] == ["echo hi"]
    local = _output("run 'ls -la /tmp'", {"type": "local_shell"})[0]
    assert local["action"]["command"] == ["ls", "-la", "/tmp"]
    patch = _output("create a.txt containing 'hi'", {"type": "apply_patch"})[0]
    assert patch["operation"] == {"type": "create_file", "diff": "+hi\n", "path": "a.txt"}
    gone = _output("delete the file b.txt", {"type": "apply_patch"})[0]
    assert gone["operation"] == {"type": "delete_file", "path": "b.txt"}
    events = ask("delete the file b.txt", tools=[{"type": "apply_patch"}]).events
    assert not any("diff" in event["type"] for event in events)


def test_outputs_of_machines_are_put_into_words() -> None:
    prompt = {"role": "user", "content": "run `ls`"}
    shell = _output("run `ls`", {"type": "shell"})[0]
    printed = [{"stdout": "a.txt", "stderr": "", "outcome": {"type": "exit", "exit_code": 0}}]
    result = {"type": "shell_call_output", "call_id": shell["call_id"], "output": printed}
    message = _output([prompt, shell, result], {"type": "shell"})[0]
    assert "a.txt" in message["content"][0]["text"]
    screen = _output("open it", {"type": "computer"})[0]
    shot = {"type": "computer_screenshot", "image_url": "data:image/png;base64,"}
    seen = {"type": "computer_call_output", "call_id": screen["call_id"], "output": shot}
    message = _output([prompt, screen, seen], {"type": "computer"})[0]
    assert "a screenshot" in message["content"][0]["text"]


@pytest.mark.parametrize(
    ("choice", "kind"),
    [
        ({"type": "web_search_preview"}, "web_search_call"),
        ({"type": "mcp", "server_label": "dice"}, "mcp_call"),
        ("required", "web_search_call"),
    ],
)
def test_hosted_tools_can_be_chosen(choice: Any, kind: str) -> None:
    tools = [{"type": "web_search_preview"}, _remote()]
    output = ask("Hello", tools=tools, tool_choice=choice).response["output"]
    assert _types(output) == ["mcp_list_tools", kind, "message"]


def test_tools_that_only_help_others_are_not_called() -> None:
    tools = [{"type": "tool_search"}, {"type": "programmatic_tool_calling"}]
    choice = "required"
    output = ask("Hello", tools=tools, tool_choice=choice).response["output"]
    assert _types(output) == ["message"]


# What the service requires of a tool besides its type.
_REQUIRED: dict[str, dict[str, Any]] = {
    "code_interpreter": {"container": {"type": "auto"}},
    "file_search": {"vector_store_ids": ["vs_1"]},
    "mcp": {"server_label": "dice", "require_approval": "never"},
}


@pytest.mark.parametrize("row", HOSTED_TOOLS.values(), ids=lambda row: row.type)
def test_a_tool_makes_the_items_that_its_row_names(row: HostedTool) -> None:
    tool = {"type": row.type, **_REQUIRED.get(row.type, {})}
    reply = ask("Hello", tools=[tool], tool_choice={**tool}, headers=_IMAGE_HEADER)
    made = _types(reply.response["output"])
    assert row.call_type in made
    assert {*made} - {"message"} <= {*row.items}
    announced = [event["item"] for event in reply.events if event["type"].endswith("item.added")]
    assert all(item.get("status", "in_progress") == "in_progress" for item in announced)
