"""Hosted tools that the service runs itself: search, code, files and images."""

import re
from collections.abc import Callable
from typing import Any

from azure_responses.emulator.engine.arithmetic import find_sum
from azure_responses.emulator.engine.draft import Draft
from azure_responses.emulator.engine.images import paint
from azure_responses.emulator.engine.messages import write_answer, write_message
from azure_responses.emulator.engine.remote import write_remote
from azure_responses.emulator.engine.selection import family
from azure_responses.emulator.engine.steps import Step
from azure_responses.emulator.engine.stories import split_sentences
from azure_responses.emulator.engine.workstations import (
    write_computer,
    write_local_shell,
    write_patch,
    write_shell,
)
from azure_responses.emulator.tokens import count_text

__all__ = ["write_hosted"]

_Tool = dict[str, Any]
_CALL_TOKENS = 20
_RESULTS = 3


def write_hosted(draft: Draft, tools: list[_Tool]) -> list[Step]:
    """The calls of these tools and what the model says afterwards.

    At most `max_tool_calls` calls; the last tool's writer decides whether a message follows.
    """
    limit = draft.turn.request.get("max_tool_calls")
    steps: list[Step] = []
    for tool in tools[:limit]:
        write = _WRITERS.get(family(tool))
        if write:
            steps.extend(write(draft, tool))
    if any(step.item["type"] == "message" for step in steps):
        return [step for step in steps if step.item["type"] != "message"] + [
            step for step in steps if step.item["type"] == "message"
        ][:1]
    return steps or [write_answer(draft)]


def _asks(draft: Draft, included: str) -> bool:
    return included in (draft.turn.request.get("include") or ())


def _query(draft: Draft) -> str:
    words = " ".join(draft.transcript.prompt.split())
    return re.sub(r"^(?:please\s+)?(?:search (?:the web )?for|look up|find)\s+", "", words)[:120]


def _write_search(draft: Draft, tool: _Tool) -> list[Step]:
    query = _query(draft).rstrip("?.!")
    domains = (tool.get("filters") or {}).get("allowed_domains") or ["example.com"]
    slug = re.sub(r"\W+", "-", query.lower()).strip("-")[:40] or "page"
    pages = [
        (f"{query} ({number})", f"https://{domains[number % len(domains)]}/{slug}-{number}")
        for number in range(_RESULTS)
    ]
    action: dict[str, Any] = {"type": "search", "query": query}
    if _asks(draft, "web_search_call.action.sources"):
        action["sources"] = [{"type": "url", "url": url} for _, url in pages]
    item = {
        "id": draft.identify("ws"),
        "type": "web_search_call",
        # Recorded on Azure by vercel/ai: it still says searching when the response is complete.
        "status": "searching",
        "action": action,
    }
    text, notes = _cite_pages(query, pages)
    return [Step(item, tokens=_CALL_TOKENS), write_message(draft, text, notes)]


def _cite_pages(query: str, pages: list[tuple[str, str]]) -> tuple[str, list[dict[str, Any]]]:
    text, notes = f'Here is what a search for "{query}" found:\n', []
    for title, url in pages:
        link = f"([{url.split('/')[2]}]({url}))"
        start = len(text) + len(f"\n- {title} ")
        text += f"\n- {title} {link}"
        note = {"type": "url_citation", "end_index": start + len(link), "start_index": start}
        notes.append({**note, "title": title, "url": url})
    return text, notes


def _write_code(draft: Draft, tool: _Tool) -> list[Step]:
    prompt = draft.transcript.prompt
    found = find_sum(prompt)
    if found:
        code, logs = f"# {found[0]}\nresult = {found[0]}\nprint(result)", f"{found[1]}\n"
        told = f"I ran the code: {found[0]} = {found[1]}"
    else:
        numbers = [int(number) for number in re.findall(r"\b\d{1,9}\b", prompt)] or [1, 2, 3]
        code = f"values = {numbers}\nprint(sum(values), max(values))"
        logs = f"{sum(numbers)} {max(numbers)}\n"
        told = f"I ran a program over {numbers}: the sum is {sum(numbers)}."
    outputs = None
    if _asks(draft, "code_interpreter_call.outputs"):
        outputs = [{"type": "logs", "logs": logs}]
    item = {
        "id": draft.identify("ci"),
        "type": "code_interpreter_call",
        "status": "completed",
        "code": code,
        "container_id": _container(draft, tool),
        "outputs": outputs,
    }
    return [Step(item, tokens=count_text(code) + _CALL_TOKENS), write_message(draft, told)]


def _container(draft: Draft, tool: _Tool) -> str:
    given = tool["container"]
    if isinstance(given, str):
        return given
    for item in reversed(draft.transcript.items):
        if item.get("type") == "code_interpreter_call":
            return str(item["container_id"])
    return draft.turn.identifiers.container(draft.seconds)


def _write_file_search(draft: Draft, tool: _Tool) -> list[Step]:
    query = _query(draft)
    rows = draft.turn.search(tool["vector_store_ids"], query)
    rows = rows[: tool.get("max_num_results") or 20]
    results = None
    if _asks(draft, "file_search_call.results"):
        results = [_describe_row(row, number) for number, row in enumerate(rows)]
    item = {
        "id": draft.identify("fs"),
        "type": "file_search_call",
        "status": "completed",
        "queries": [query],
        "results": results,
    }
    text, notes = _cite_files(rows)
    return [Step(item, tokens=_CALL_TOKENS), write_message(draft, text, notes)]


def _describe_row(row: tuple[str, str, str], number: int) -> dict[str, Any]:
    identifier, name, text = row
    score = round(0.95 / (number + 1), 4)
    return {
        "attributes": {},
        "file_id": identifier,
        "filename": name,
        "score": score,
        "text": text,
    }


def _cite_files(rows: list[tuple[str, str, str]]) -> tuple[str, list[dict[str, Any]]]:
    if not rows:
        return "I found nothing about this in the files.", []
    text, notes = "According to the files:", []
    for identifier, name, content in rows[:_RESULTS]:
        text += " " + split_sentences(content.strip())[0].rstrip(".")
        notes.append(
            {
                "type": "file_citation",
                "file_id": identifier,
                "filename": name,
                "index": len(text),
            }
        )
        text += "."
    return text, notes


def _write_image(draft: Draft, tool: _Tool) -> list[Step]:
    prompt = _query(draft)
    size, quality = tool.get("size") or "auto", tool.get("quality") or "auto"
    background = tool.get("background") or "auto"
    item = {
        "id": draft.identify("ig"),
        "type": "image_generation_call",
        # Recorded on Azure by vercel/ai: it still says generating when the response is complete.
        "status": "generating",
        "background": "opaque" if background == "auto" else background,
        "output_format": tool.get("output_format") or "png",
        "quality": "medium" if quality == "auto" else quality,
        "result": paint(prompt),
        "revised_prompt": f"A clear picture: {prompt}",
        "size": "1024x1024" if size == "auto" else size,
    }
    partial = [paint(prompt, stage + 1) for stage in range(tool.get("partial_images") or 0)]
    step = Step(item, partial_images=partial, tokens=_CALL_TOKENS)
    return [step, write_message(draft, f"Here is the image you asked for: {prompt}")]


_WRITERS: dict[str, Callable[[Draft, _Tool], list[Step]]] = {
    "web_search": _write_search,
    "code_interpreter": _write_code,
    "file_search": _write_file_search,
    "image_generation": _write_image,
    "mcp": write_remote,
    "computer": write_computer,
    "shell": write_shell,
    "local_shell": write_local_shell,
    "apply_patch": write_patch,
}
