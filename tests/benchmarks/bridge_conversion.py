"""How many recorded responses and streams each bridge converts, what it loses, and how fast.

`python -m tests.benchmarks.bridge_conversion` over the recordings of `tests/recordings.py`.
LiteLLM is run by this interpreter, or by the one that AZURE_RESPONSES_LITELLM names, and left out
where neither has it.
"""

import json
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

from azure_responses.bridge import (
    BridgedRequest,
    ChatStream,
    accumulate_chunks,
    to_chat_completion,
    to_responses_request,
)
from azure_responses.errors import AzureResponsesError
from azure_responses.types import Response, StreamEvent, parse_event
from tests.bridge.conservation import count_response
from tests.bridge.recorded import bodies, streams

__all__ = ["main"]

_REQUEST = BridgedRequest({}, include_usage=True)
_ROUNDS = 30
_Row = tuple[str, str, Any, Counter[str]]
_Outcome = tuple[str | None, Counter[str]]


def _rows() -> Iterator[_Row]:
    """Kind, source, value and what it says, of everything recorded that ends in an answer."""
    for source, response in bodies():
        yield "body", source, response.to_dict(), count_response(response.to_dict())
    for source, events in streams():
        final = getattr(events[-1], "response", None)
        said = count_response(final.to_dict()) if isinstance(final, Response) else Counter()
        yield "stream", source, [event.to_dict() for event in events], said


def _convert_ours(kind: str, value: Any) -> list[dict[str, Any]]:
    if kind == "body":
        return [to_chat_completion(Response.model_validate(value), _REQUEST).to_dict()]
    stream = ChatStream(_REQUEST)
    chunks = [chunk for event in value for chunk in stream.feed(parse_event(json.dumps(event)))]
    return [accumulate_chunks([*chunks, *stream.finish()]).to_dict()]


def _ours(kind: str, value: Any) -> _Outcome:
    try:
        return None, _said(_convert_ours(kind, value))
    except AzureResponsesError as error:
        return f"{type(error).__name__}: {str(error)[:90]}", Counter()


def _said(made: list[dict[str, Any]]) -> Counter[str]:
    """What completions or chunks say, however a bridge shapes it."""
    counts: Counter[str] = Counter()
    calls: set[Any] = set()
    for chunk in made:
        for choice in chunk.get("choices") or []:
            said = choice.get("message") or choice.get("delta") or {}
            counts["text"] += len(said.get("content") or "")
            counts["refusal"] += len(said.get("refusal") or "")
            counts["citations"] += len(said.get("annotations") or [])
            counts["reasoning"] += len(said.get("reasoning_items") or [])
            counts["hosted"] += len(said.get("hosted_items") or [])
            counts["logprobs"] += len((choice.get("logprobs") or {}).get("content") or [])
            for call in said.get("tool_calls") or []:
                calls.add(call.get("index") or call.get("id"))
        counts["tokens"] += (chunk.get("usage") or {}).get("completion_tokens") or 0
    counts["calls"] = len(calls)
    return counts


def _expected(said: Counter[str]) -> Counter[str]:
    names = ("text", "refusal", "reasoning", "hosted", "logprobs", "calls")
    expected = Counter({name: said[name] for name in names})
    expected["citations"] = sum(said[name] for name in said if name.startswith("citation "))
    expected["tokens"] = said["output"]
    return expected


def _report(name: str, convert: Callable[[str, Any], _Outcome]) -> None:
    failed: list[str] = []
    lossy: Counter[str] = Counter()
    converted = 0
    for kind, source, value, said in _rows():
        error, found = convert(kind, value)
        if error is not None:
            failed.append(f"{kind} {source.rpartition('/')[2]}: {error}")
            continue
        converted += 1
        lossy.update(what for what, count in _expected(said).items() if found[what] < count)
    print(f"\n{name}: {converted} converted, {len(failed)} raised")
    for what, count in lossy.most_common():
        print(f"  {what} lost in {count}")
    for line in failed:
        print(f"  {line}")


@contextmanager
def _litellm() -> Iterator[tuple[str, Callable[[str, Any], _Outcome], list[float]] | None]:
    """LiteLLM's version, its conversion and the seconds it took per stream event; None without."""
    command = [os.environ.get("AZURE_RESPONSES_LITELLM") or sys.executable]
    command.append(str(Path(__file__).with_name("litellm_bridge.py")))
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        greeting = process.stdout.readline()
        if not greeting:
            yield None
            return
        per_event: list[float] = []

        def ask(kind: str, value: Any) -> _Outcome:
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.write(json.dumps({"kind": kind, "value": value}) + "\n")
            process.stdin.flush()
            answer = json.loads(process.stdout.readline())
            if "error" in answer:
                return answer["error"], Counter()
            if kind == "stream":
                per_event.append(answer["seconds"] / len(value))
            return None, _said(answer["made"])

        yield json.loads(greeting)["version"], ask, per_event
        process.stdin.close()


def _microseconds(run: Callable[[], Any], units: int) -> float:
    times = []
    for _ in range(_ROUNDS):
        before = time.perf_counter()
        run()
        times.append((time.perf_counter() - before) / units * 1e6)
    return median(times)


def _print_speed(litellm_per_event: list[float]) -> None:
    source, events = max(streams(), key=lambda stream: len(stream[1]))
    raw = [event.to_json().encode() for event in events]
    parse = _microseconds(lambda: [parse_event(data) for data in raw], len(raw))
    convert = _microseconds(lambda: _stream(events), len(events))
    print(f"\n{len(events)} events of {source.rpartition('/')[2]}, µs per event")
    print(f"  parse_event {parse:.2f}, ChatStream.feed {convert:.2f} ({convert / parse:.2f} ×)")
    if litellm_per_event:
        print(f"  LiteLLM's chunk_parser {median(litellm_per_event) * 1e6:.0f}, over all streams")
    small = min((response for _, response in bodies()), key=lambda one: len(one.to_json()))
    chat = {"model": "gpt-5", "messages": [{"role": "user", "content": "Hi"}] * 4}
    completion = _microseconds(
        lambda: [to_chat_completion(small, _REQUEST) for _ in range(100)], 100
    )
    request = _microseconds(lambda: [to_responses_request(chat) for _ in range(100)], 100)
    print(f"  to_chat_completion of a small reply {completion:.1f} µs a call")
    print(f"  to_responses_request of four messages {request:.1f} µs a call")


def _stream(events: tuple[StreamEvent, ...]) -> None:
    stream = ChatStream(_REQUEST)
    for event in events:
        stream.feed(event)


def main() -> None:
    """Print both bridges' counts and speeds."""
    _report("azure-responses", _ours)
    with _litellm() as peer:
        if peer is None:
            print("\nLiteLLM: not installed (AZURE_RESPONSES_LITELLM names a Python that has it)")
        else:
            _report(f"LiteLLM {peer[0]}", peer[1])
        _print_speed(peer[2] if peer else [])


if __name__ == "__main__":
    main()
