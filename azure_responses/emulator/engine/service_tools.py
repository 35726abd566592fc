"""Tools that the service runs itself: web search, file search, code interpreter, images."""

import base64
import hashlib
import re
import struct
import zlib
from typing import Any

from azure_responses.emulator.engine.canned_answers import find_sum, first_sentence
from azure_responses.emulator.engine.generation import Generation, OutputStep, ResponseBuilder
from azure_responses.emulator.engine.hosted_tool import HostedTool, Tool
from azure_responses.emulator.engine.item_events import (
    EventWriter,
    ItemEvents,
    opens_with,
    write_phases,
)
from azure_responses.emulator.engine.output_items import write_message
from azure_responses.emulator.service_errors import ServiceError
from azure_responses.emulator.tokens import count_text

__all__ = ["SERVICE_TOOLS", "paint", "written_file"]

# An estimate of what the model writes to call a hosted tool: no recording has a call alone.
_CALL_TOKENS = 20
_RESULTS = 3


def _query(builder: ResponseBuilder) -> str:
    words = " ".join(builder.prompt.split())
    return re.sub(r"^(?:please\s+)?(?:search (?:the web )?for|look up|find)\s+", "", words)[:120]


# Web search

_LOCATION = {
    "type": "approximate",
    "city": None,
    "country": "US",
    "region": None,
    "timezone": None,
}


def _write_web_search(builder: ResponseBuilder, tool: Tool) -> list[OutputStep]:
    query = _query(builder).rstrip("?.!")
    domains = (tool.get("filters") or {}).get("allowed_domains") or ["example.com"]
    slug = re.sub(r"\W+", "-", query.lower()).strip("-")[:40] or "page"
    pages = [
        (f"{query} ({number})", f"https://{domains[number % len(domains)]}/{slug}-{number}")
        for number in range(_RESULTS)
    ]
    action: dict[str, Any] = {"type": "search", "query": query}
    if builder.includes("web_search_call.action.sources"):
        action["sources"] = [{"type": "url", "url": url} for _, url in pages]
    item = builder.item(
        "ws",
        "web_search_call",
        # Recorded on Azure by vercel/ai: it still says searching when the response is complete.
        status="searching",
        action=action,
    )
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


def _open_web_search(item: dict[str, Any]) -> dict[str, Any]:
    return {**item, "status": "in_progress", "action": {"type": "search"}}


def _echo_web_search(tool: Tool) -> Tool:
    size = tool.get("search_context_size") or "medium"
    location = {**_LOCATION, **(tool.get("user_location") or {})}
    return {**tool, "search_context_size": size, "user_location": location}


# File search


def _write_file_search(builder: ResponseBuilder, tool: Tool) -> list[OutputStep]:
    query = _query(builder)
    rows = builder.generation.search(tool["vector_store_ids"], query)
    rows = rows[: tool.get("max_num_results") or 20]
    results = None
    if builder.includes("file_search_call.results"):
        results = [_describe_row(row, number) for number, row in enumerate(rows)]
    item = builder.item(
        "fs", "file_search_call", status="completed", queries=[query], results=results
    )
    text, notes = _cite_files(rows)
    return [OutputStep(item, tokens=_CALL_TOKENS), write_message(builder, text, notes)]


def _describe_row(row: tuple[str, str, str], number: int) -> dict[str, Any]:
    identifier, name, text = row
    return {
        "attributes": {},
        "file_id": identifier,
        "filename": name,
        "score": round(0.95 / (number + 1), 4),
        "text": text,
    }


def _cite_files(rows: list[tuple[str, str, str]]) -> tuple[str, list[dict[str, Any]]]:
    if not rows:
        return "I found nothing about this in the files.", []
    text, notes = "According to the files:", []
    for identifier, name, content in rows[:_RESULTS]:
        text += " " + first_sentence(content.strip()).rstrip(".")
        note = {"type": "file_citation", "file_id": identifier, "filename": name}
        notes.append({**note, "index": len(text)})
        text += "."
    return text, notes


def _echo_file_search(tool: Tool) -> Tool:
    return {
        "type": "file_search",
        "filters": tool.get("filters"),
        "max_num_results": tool.get("max_num_results") or 20,
        "ranking_options": tool.get("ranking_options")
        or {"ranker": "auto", "score_threshold": 0.0},
        "vector_store_ids": tool["vector_store_ids"],
    }


# Code interpreter


def _write_code_call(builder: ResponseBuilder, tool: Tool) -> list[OutputStep]:
    prompt = builder.prompt
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
    if builder.includes("code_interpreter_call.outputs"):
        outputs = [{"type": "logs", "logs": logs}]
    item = builder.item("ci", "code_interpreter_call", status="completed", code=code)
    item.update(container_id=_find_container(builder, tool), outputs=outputs)
    call = OutputStep(item, tokens=count_text(code) + _CALL_TOKENS)
    told, notes = _cite_written(builder, told, item["container_id"])
    return [call, write_message(builder, told, notes)]


_WRITES_PLOT = re.compile(r"\b(?:plot|chart|graph|png)\b", re.IGNORECASE)
_WRITES_TABLE = re.compile(r"\b(?:csv|save|download)\b", re.IGNORECASE)


def _cite_written(
    builder: ResponseBuilder, told: str, container_id: str
) -> tuple[str, list[dict[str, Any]]]:
    """The text with a link to the file that the prompt asks for, if any."""
    prompt = builder.prompt
    table = "result.csv" if _WRITES_TABLE.search(prompt) else None
    name = "plot.png" if _WRITES_PLOT.search(prompt) else table
    if name is None:
        return told, []
    start = len(told) + 1
    told += f" [Download {name}](sandbox:/mnt/data/{name})"
    note = {
        "type": "container_file_citation",
        "container_id": container_id,
        "file_id": "cfile_" + builder.generation.identifiers.digits(32),
        "filename": name,
        "start_index": start,
        "end_index": len(told),
    }
    return told, [note]


def written_file(filename: str, code: str) -> bytes:
    """The bytes of a file that the code interpreter wrote when it ran `code`."""
    if filename.endswith(".png"):
        return base64.b64decode(paint(code))
    return b"code\n" + code.encode() + b"\n"


def _find_container(builder: ResponseBuilder, tool: Tool) -> str:
    """The container that the tool names, else the one of an earlier call, else a new one."""
    given = tool["container"]
    if isinstance(given, str):
        return given
    for item in reversed(builder.transcript.items):
        if item.get("type") == "code_interpreter_call":
            return str(item["container_id"])
    return builder.generation.identifiers.container(builder.seconds)


def _open_code(item: dict[str, Any]) -> dict[str, Any]:
    outputs: list[Any] | None = None if item["outputs"] is None else []
    return {**item, "status": "in_progress", "code": "", "outputs": outputs}


def _write_code_events(writer: EventWriter, index: int, step: OutputStep) -> None:
    at = {"item_id": step.item["id"], "output_index": index}
    writer.write("response.code_interpreter_call.in_progress", **at)
    code = step.item["code"]
    writer.deltas("response.code_interpreter_call_code.delta", code, **at)
    writer.write("response.code_interpreter_call_code.done", code=code, **at)
    writer.write("response.code_interpreter_call.interpreting", **at)
    writer.write("response.code_interpreter_call.completed", **at)


# Image generation

_IMAGE_HEADER = "x-ms-oai-image-generation-deployment"


def paint(prompt: str, stage: int = 0) -> str:
    """A PNG of one pixel in base64; each stage of the same prompt has its own shade."""
    colour = hashlib.blake2b(f"{prompt}{stage}".encode(), digest_size=3).digest()
    chunks = (
        _chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0)),
        _chunk(b"IDAT", zlib.compress(b"\0" + colour)),
        _chunk(b"IEND", b""),
    )
    return base64.b64encode(b"\x89PNG\r\n\x1a\n" + b"".join(chunks)).decode()


def _chunk(kind: bytes, data: bytes) -> bytes:
    check = zlib.crc32(kind + data)
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", check)


def _check_image_header(generation: Generation) -> None:
    # Azure has no default image model: the header names the deployment that draws.
    if generation.headers.get(_IMAGE_HEADER):
        return
    error = {
        "message": f"imagegen deployment must be provided through header: {_IMAGE_HEADER}",
        "type": "image_generation_user_error",
        "param": "tools",
        "code": "invalid_request_error",
    }
    raise ServiceError(400, {"error": error})


def _write_image(builder: ResponseBuilder, tool: Tool) -> list[OutputStep]:
    prompt = _query(builder)
    size, quality = tool.get("size") or "auto", tool.get("quality") or "auto"
    background = tool.get("background") or "auto"
    item = builder.item(
        "ig",
        "image_generation_call",
        # Recorded on Azure by vercel/ai: it still says generating when the response is complete.
        status="generating",
        background="opaque" if background == "auto" else background,
        output_format=tool.get("output_format") or "png",
        quality="medium" if quality == "auto" else quality,
        result=paint(prompt),
        revised_prompt=f"A clear picture: {prompt}",
        size="1024x1024" if size == "auto" else size,
    )
    partial = [paint(prompt, stage + 1) for stage in range(tool.get("partial_images") or 0)]
    step = OutputStep(item, partial_images=partial, tokens=_CALL_TOKENS)
    return [step, write_message(builder, f"Here is the image you asked for: {prompt}")]


def _open_image(item: dict[str, Any]) -> dict[str, Any]:
    return {"id": item["id"], "type": item["type"], "status": "in_progress"}


def _write_image_events(writer: EventWriter, index: int, step: OutputStep) -> None:
    at = {"item_id": step.item["id"], "output_index": index}
    writer.write("response.image_generation_call.in_progress", **at)
    writer.write("response.image_generation_call.generating", **at)
    shown = {name: step.item[name] for name in ("background", "output_format", "quality", "size")}
    for number, image in enumerate(step.partial_images):
        writer.write(
            "response.image_generation_call.partial_image",
            **at,
            partial_image_b64=image,
            partial_image_index=number,
            **shown,
        )


def _echo_image(tool: Tool) -> Tool:
    defaults = {
        "type": "image_generation",
        "background": "auto",
        "model": "gpt-image-1",
        "moderation": "auto",
        "n": 1,
        "output_compression": 100,
        "output_format": "png",
        "quality": "auto",
        "size": "auto",
    }
    return {**defaults, **tool}


def _charge_images(images: int) -> dict[str, Any]:
    return {
        "input_tokens": 50 * images,
        "input_tokens_details": {"image_tokens": 0, "text_tokens": 50 * images},
        # The size of a medium image of 1024 by 1024 pixels in OpenAI's table of image tokens.
        "output_tokens": 1056 * images,
        "output_tokens_details": {"image_tokens": 1056 * images, "text_tokens": 0},
        "total_tokens": 1106 * images,
    }


SERVICE_TOOLS: tuple[HostedTool, ...] = (
    HostedTool(
        "image_generation",
        r"\b(?:image|picture|draw|drawing|photo|illustration|logo|paint)\b",
        _write_image,
        # No completed event, as with web search: recorded on Azure by vercel/ai.
        {"image_generation_call": ItemEvents(_open_image, _write_image_events)},
        echo=_echo_image,
        charge=("image_gen", _charge_images),
        check=_check_image_header,
    ),
    HostedTool(
        "web_search",
        r"\b(?:search|news|latest|today|web|internet|look up|online|current)\b",
        _write_web_search,
        {
            "web_search_call": ItemEvents(
                _open_web_search, write_phases("web_search_call", "in_progress", "searching")
            )
        },
        echo=_echo_web_search,
        charge=("web_search", lambda searches: {"num_requests": searches}),
    ),
    HostedTool(
        "file_search",
        r"\b(?:file|files|document|documents|search|find|according|what|who|where)\b",
        _write_file_search,
        {
            "file_search_call": ItemEvents(
                opens_with(status="in_progress", queries=[], results=None),
                write_phases("file_search_call", "in_progress", "searching", "completed"),
            )
        },
        echo=_echo_file_search,
    ),
    HostedTool(
        "code_interpreter",
        r"\b(?:code|python|program|compute|calculate|plot|run|script|analy[sz]e)\b",
        _write_code_call,
        {"code_interpreter_call": ItemEvents(_open_code, _write_code_events)},
    ),
)
