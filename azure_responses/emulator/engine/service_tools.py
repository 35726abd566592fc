"""Hosted tools that the service runs itself: search, code, files and images."""

import base64
import hashlib
import re
import struct
import zlib
from collections.abc import Callable
from typing import Any

from azure_responses.emulator.engine.canned_answers import find_sum, split_sentences
from azure_responses.emulator.engine.computer_and_shell import (
    write_computer,
    write_local_shell,
    write_patch,
    write_shell,
)
from azure_responses.emulator.engine.generation import OutputStep, ResponseBuilder
from azure_responses.emulator.engine.output_items import write_answer, write_message
from azure_responses.emulator.engine.remote_mcp import write_remote
from azure_responses.emulator.engine.tool_calls import family
from azure_responses.emulator.tokens import count_text

__all__ = ["paint", "write_hosted"]

_Tool = dict[str, Any]
_CALL_TOKENS = 20
_RESULTS = 3


def write_hosted(builder: ResponseBuilder, tools: list[_Tool]) -> list[OutputStep]:
    """The calls of these tools and what the model says afterwards.

    At most `max_tool_calls` calls; the last tool's writer decides whether a message follows.
    """
    limit = builder.generation.request.get("max_tool_calls")
    steps: list[OutputStep] = []
    for tool in tools[:limit]:
        write = _WRITERS.get(family(tool))
        if write:
            steps.extend(write(builder, tool))
    if any(step.item["type"] == "message" for step in steps):
        return [step for step in steps if step.item["type"] != "message"] + [
            step for step in steps if step.item["type"] == "message"
        ][:1]
    return steps or [write_answer(builder)]


def _asks(builder: ResponseBuilder, included: str) -> bool:
    return included in (builder.generation.request.get("include") or ())


def _query(builder: ResponseBuilder) -> str:
    words = " ".join(builder.transcript.prompt.split())
    return re.sub(r"^(?:please\s+)?(?:search (?:the web )?for|look up|find)\s+", "", words)[:120]


def _write_search(builder: ResponseBuilder, tool: _Tool) -> list[OutputStep]:
    query = _query(builder).rstrip("?.!")
    domains = (tool.get("filters") or {}).get("allowed_domains") or ["example.com"]
    slug = re.sub(r"\W+", "-", query.lower()).strip("-")[:40] or "page"
    pages = [
        (f"{query} ({number})", f"https://{domains[number % len(domains)]}/{slug}-{number}")
        for number in range(_RESULTS)
    ]
    action: dict[str, Any] = {"type": "search", "query": query}
    if _asks(builder, "web_search_call.action.sources"):
        action["sources"] = [{"type": "url", "url": url} for _, url in pages]
    item = {
        "id": builder.identify("ws"),
        "type": "web_search_call",
        # Recorded on Azure by vercel/ai: it still says searching when the response is complete.
        "status": "searching",
        "action": action,
    }
    text, notes = _cite_pages(query, pages)
    return [OutputStep(item, tokens=_CALL_TOKENS), write_message(builder, text, notes)]


def _cite_pages(query: str, pages: list[tuple[str, str]]) -> tuple[str, list[dict[str, Any]]]:
    text, notes = f'Here is what a search for "{query}" found:\n', []
    for title, url in pages:
        link = f"([{url.split('/')[2]}]({url}))"
        start = len(text) + len(f"\n- {title} ")
        text += f"\n- {title} {link}"
        note = {"type": "url_citation", "end_index": start + len(link), "start_index": start}
        notes.append({**note, "title": title, "url": url})
    return text, notes


def _write_code(builder: ResponseBuilder, tool: _Tool) -> list[OutputStep]:
    prompt = builder.transcript.prompt
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
    if _asks(builder, "code_interpreter_call.outputs"):
        outputs = [{"type": "logs", "logs": logs}]
    item = {
        "id": builder.identify("ci"),
        "type": "code_interpreter_call",
        "status": "completed",
        "code": code,
        "container_id": _container(builder, tool),
        "outputs": outputs,
    }
    return [OutputStep(item, tokens=count_text(code) + _CALL_TOKENS), write_message(builder, told)]


def _container(builder: ResponseBuilder, tool: _Tool) -> str:
    given = tool["container"]
    if isinstance(given, str):
        return given
    for item in reversed(builder.transcript.items):
        if item.get("type") == "code_interpreter_call":
            return str(item["container_id"])
    return builder.generation.identifiers.container(builder.seconds)


def _write_file_search(builder: ResponseBuilder, tool: _Tool) -> list[OutputStep]:
    query = _query(builder)
    rows = builder.generation.search(tool["vector_store_ids"], query)
    rows = rows[: tool.get("max_num_results") or 20]
    results = None
    if _asks(builder, "file_search_call.results"):
        results = [_describe_row(row, number) for number, row in enumerate(rows)]
    item = {
        "id": builder.identify("fs"),
        "type": "file_search_call",
        "status": "completed",
        "queries": [query],
        "results": results,
    }
    text, notes = _cite_files(rows)
    return [OutputStep(item, tokens=_CALL_TOKENS), write_message(builder, text, notes)]


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


def _write_image(builder: ResponseBuilder, tool: _Tool) -> list[OutputStep]:
    prompt = _query(builder)
    size, quality = tool.get("size") or "auto", tool.get("quality") or "auto"
    background = tool.get("background") or "auto"
    item = {
        "id": builder.identify("ig"),
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
    step = OutputStep(item, partial_images=partial, tokens=_CALL_TOKENS)
    return [step, write_message(builder, f"Here is the image you asked for: {prompt}")]


_WRITERS: dict[str, Callable[[ResponseBuilder, _Tool], list[OutputStep]]] = {
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


def paint(prompt: str, stage: int = 0) -> str:
    """A PNG of one pixel in base64; each stage of the same prompt has its own shade."""
    colour = hashlib.blake2b(f"{prompt}{stage}".encode(), digest_size=3).digest()
    header = struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0)
    chunks = (
        _chunk(b"IHDR", header),
        _chunk(b"IDAT", zlib.compress(b"\0" + colour)),
        _chunk(b"IEND", b""),
    )
    return base64.b64encode(b"\x89PNG\r\n\x1a\n" + b"".join(chunks)).decode()


def _chunk(kind: bytes, data: bytes) -> bytes:
    check = zlib.crc32(kind + data)
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", check)
