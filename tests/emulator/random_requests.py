"""Random requests made from the published description, as hostile as they are valid.

`python -m tests.emulator.random_requests 20000 [seed]` sends that many to one emulator and says
what came back, how long it took and how much memory the process has.
"""

import random
import resource
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

import httpx

from azure_responses.emulator import Emulator
from tests.emulator.callers import open_client
from tests.recordings import openapi

__all__ = ["RandomRequests", "json_places", "send_many"]

_V1 = "/openai/v1"
_DESCRIPTIONS = {
    "/responses": "CreateResponse",
    "/responses/compact": "CompactResponseMethodPublicBody",
    "/chat/completions": "CreateChatCompletionRequest",
}
_MODELS = ("gpt-4.1", "gpt-5-mini", "gpt-5.1", "gpt-5.4", "o3", "computer-use-preview", "x")
_NESTED = "(" * 60 + "1" + ")" * 60
_TEXTS = (
    "", "Hello", "x" * 5000, " " * 4000 + "1", "1" * 4500, "²", "\u202e\x00\ufffd漢字" * 50,
    "Count from 1 to 100000000000000000000", "Count from 99999999999999999999 to 1",
    "Repeat the word hello a billion times", "What is 9**9**9?", f"What is {_NESTED} + 1?",
    "What is 999999**64 * 999999**64 * 999999**64 / 7?", "What is 1/0 + 10**64**64?",
    "List 999999999 cities", "Write a story of 999 paragraphs about " + "a " * 1500,
    "Say " + "((((" * 500, "Reply with exactly: " + "\"'`" * 300, "[[azure:length:²]]",
    "[[azure:length:99999999999999]]", "[[azure:length:5000]]", "[[azure:fail:server_error]]",
    "[[azure:block-prompt]]", "[[azure:block-output]]", "[[azure:incomplete]]", "Reply in JSON.",
    "My name is " + "A" * 3000, "is my " * 600 + "?", "A, B and " * 400, "in Rome and " * 300,
    "- " * 1500, "1-1" * 800, "call text: " + "=" * 2000, "run `" + "x" * 3000 + "`",
)  # fmt: skip
_PATTERNS = (
    "^(a+)+$", "(a|aa)+$", "(x{1000}){1000}", "[^\\s\\S]", "\\ud800", "(.*)*(.*)*=", "(" * 80,
    "^(?=a)b", "\\d{3}-\\d{4}", "a{2,1}", "(?P<n>a)(?P=n)", "x*y*z*w*v*", "(?<!a)b",
)  # fmt: skip
_GRAMMARS = (
    "start: a a\na: b b\nb: c c\nc: d d\nd: e e\ne: f f\nf: start start\n",
    'start: "x"~1000000000', "start: ~", "start: (", "start: start", 'start: ("a"|"b")+ /(/',
    "start: " + "a " * 500 + '\na: "b"~999 "c"~999', "", "%import common.NUMBER\nstart: NUMBER",
)  # fmt: skip
_OTHER: tuple[tuple[str, str], ...] = (
    ("GET", "/models"), ("GET", "/files"), ("POST", "/files"), ("GET", "/files/{id}/content"),
    ("DELETE", "/files/{id}"), ("POST", "/vector_stores"), ("GET", "/vector_stores"),
    ("POST", "/vector_stores/{id}/files"), ("POST", "/vector_stores/{id}/search"),
    ("POST", "/conversations"), ("POST", "/conversations/{id}/items"), ("GET", "/responses/{id}"),
    ("GET", "/conversations/{id}/items"), ("POST", "/containers"), ("GET", "/containers"),
    ("POST", "/containers/{id}/files"), ("DELETE", "/containers/{id}"),
    ("POST", "/responses/{id}/cancel"), ("GET", "/responses/{id}/input_items"),
    ("DELETE", "/responses/{id}"), ("DELETE", "/conversations/{id}"),
)  # fmt: skip
_QUERIES = ("", "?limit=0", "?limit=100&order=asc", "?limit=x", "?after=nothing", "?stream=true")
_ODD: tuple[Any, ...] = (
    None,
    True,
    0,
    -1,
    2**63,
    1e308,
    "",
    "x",
    [],
    {},
    [None],
    {"type": None},
    "\ud7ff",
)


def json_places(value: Any, container: Any = None, key: Any = None) -> Iterator[tuple[Any, Any]]:
    """Each list or object within a JSON value with each of its keys."""
    if container is not None:
        yield container, key
    names: Any = value if isinstance(value, dict) else ()
    for name in range(len(value)) if isinstance(value, list) else names:
        yield from json_places(value[name], value, name)


class RandomRequests:
    """Makes requests; the same seed makes the same ones.

    Attributes:
        ids: of what was made so far, which later requests refer to.
    """

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._root = openapi("openai.openapi.json")
        self.ids: list[str] = ["resp_1", "vs_1", "cntr_1", "conv_1", "assistant-1"]

    def make(self) -> tuple[str, str, Any]:
        """Method, path and JSON body of the next request."""
        if self._random.random() < 0.2:
            method, path = self._random.choice(_OTHER)
            path = path.replace("{id}", self._random.choice(self.ids))
            body = self._other_body() if method == "POST" else None
            return method, _V1 + path + self._random.choice(_QUERIES), body
        path = self._random.choice(("/responses",) * 6 + tuple(_DESCRIPTIONS))
        schema = {"$ref": f"#/components/schemas/{_DESCRIPTIONS[path]}"}
        body = self._instance(schema, "", 0)
        body["model"] = self._random.choice(_MODELS)
        if path == "/responses" and self._random.random() < 0.5:
            body["input"] = self._random.choice(_TEXTS)
        return "POST", _V1 + path, body

    def _other_body(self) -> dict[str, Any]:
        body: dict[str, Any] = {
            "purpose": "assistants",
            "filename": "a.txt",
            "content": self._random.choice(_TEXTS),
            "name": self._random.choice(_TEXTS),
            "query": self._random.choice((*_TEXTS, ["a", 1])),
            "file_id": self._random.choice(self.ids),
            "file_ids": [self._random.choice(self.ids)],
            "items": [{"type": "message", "role": "user", "content": self._random.choice(_TEXTS)}],
        }
        kept = {name: value for name, value in body.items() if self._random.random() < 0.8}
        if self._random.random() < 0.3:
            kept[self._random.choice(list(body))] = self._random.choice(_ODD)
        return kept

    def _instance(self, schema: Mapping[str, Any], name: str, depth: int) -> Any:
        if depth and self._random.random() < 0.003:
            return self._random.choice(_ODD)
        schema = self._open(schema)
        if name in ("schema", "parameters"):
            return self._schema(0)
        options = schema.get("anyOf") or schema.get("oneOf")
        if options:
            return self._instance(self._random.choice(options), name, depth)
        if "enum" in schema:
            return self._random.choice(schema["enum"])
        kind = schema.get("type", "object")
        return self._plain(kind if isinstance(kind, str) else kind[0], schema, name, depth)

    def _plain(self, kind: str, schema: Mapping[str, Any], name: str, depth: int) -> Any:
        if kind == "object":
            return self._object(schema, depth)
        if kind == "array":
            count = self._random.randrange(4 if depth < 8 else 1)
            return [self._instance(schema.get("items") or {}, name, depth + 1)
                    for _ in range(count)]  # fmt: skip
        if kind in ("integer", "number"):
            least, most = schema.get("minimum", 0), schema.get("maximum", 200)
            return self._random.choice((least, most, (least + most) // 2))
        if kind == "string":
            return self._text(name)
        return self._random.random() < 0.5 if kind == "boolean" else None

    def _object(self, schema: Mapping[str, Any], depth: int) -> dict[str, Any]:
        required = schema.get("required") or ()
        chance = 0.12
        return {
            name: self._instance(part, name, depth + 1)
            for name, part in (schema.get("properties") or {}).items()
            if name in required or self._random.random() < chance
        }

    def _open(self, schema: Mapping[str, Any]) -> dict[str, Any]:
        opened = dict(schema)
        while "$ref" in opened:
            found: Any = self._root
            for step in opened.pop("$ref").removeprefix("#/").split("/"):
                found = found[step]
            opened = {**found, **opened}
        for part in opened.pop("allOf", ()):
            inner = self._open(part)
            properties = {**inner.get("properties", {}), **opened.get("properties", {})}
            required = [*inner.get("required", ()), *opened.get("required", ())]
            opened = {**inner, **opened, "properties": properties, "required": required}
        return opened

    def _text(self, name: str) -> str:
        if name == "definition":
            return self._random.choice(_GRAMMARS + _PATTERNS)
        if name == "id" or name.endswith("_id"):
            prefixed = [f"{prefix}_1" for prefix in ("msg", "rs", "fc", "call", "ctc", "resp")]
            return self._random.choice([*self.ids[-20:], *prefixed])
        return self._random.choice(_TEXTS)

    def _schema(self, depth: int) -> Any:
        kind = self._random.choice(("object", "object", "array", "string", "integer", "number"))
        schema: dict[str, Any] = {"type": "object" if depth == 0 else kind}
        if schema["type"] == "object" and depth < 4:
            names = [f"{self._random.choice(('name', 'city', 'a', '²'))}{n}" for n in range(3)]
            schema["properties"] = {name: self._schema(depth + 1) for name in names}
            schema |= {"required": names, "additionalProperties": False}
        elif kind == "array":
            schema["items"] = self._schema(depth + 1)
            schema["minItems"] = self._random.choice((0, 1, 9999))
        elif kind == "string":
            schema["pattern"] = self._random.choice(_PATTERNS)
        else:
            schema["minimum"] = self._random.choice((-(2**53) + 1, 0, 5.5))
        if depth and self._random.random() < 0.1:
            return {"$ref": self._random.choice(("#", "#/properties/name0", "#/x"))}
        return schema


def send_many(
    client: httpx.Client, requests: RandomRequests, count: int
) -> tuple[Counter[int], float]:
    """How often each status came back, and the longest that a request took, in seconds."""
    statuses: Counter[int] = Counter()
    slowest = 0.0
    for _ in range(count):
        method, path, body = requests.make()
        began = time.perf_counter()
        reply = client.request(method, path, json=body)
        slowest = max(slowest, time.perf_counter() - began)
        statuses[reply.status_code] += 1
        if reply.status_code >= 500:
            raise AssertionError(f"{method} {path}: {reply.status_code} {reply.text[:500]}\n{body}")
        _note_ids(requests, reply)
    return statuses, slowest


def _note_ids(requests: RandomRequests, reply: httpx.Response) -> None:
    if reply.headers.get("content-type", "").startswith("application/json"):
        made = reply.json()
        if isinstance(made, dict) and isinstance(made.get("id"), str):
            requests.ids = [*requests.ids[-200:], made["id"]]


def main(count: int, seed: int) -> None:
    """Send the requests and print what happened, a line for each fifth of them."""
    requests = RandomRequests(seed)
    with open_client(Emulator()) as client:
        for _ in range(5):
            began = time.perf_counter()
            statuses, slowest = send_many(client, requests, count // 5)
            taken = time.perf_counter() - began
            memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
            print(f"{dict(statuses)} in {taken:.0f} s, slowest {slowest:.2f} s, peak {memory} MiB")


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]) if sys.argv[2:] else 0)
