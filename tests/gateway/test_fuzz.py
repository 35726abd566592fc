"""Whatever is sent, the answer is honest: never a 500, a traceback or a secret."""

import asyncio
import json
import logging
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from azure_responses.gateway.app import GatewayApp, create_app
from azure_responses.gateway.openapi import openapi_document
from tests.gateway.gateways import KEY, config_of
from tests.openai_server.servers import make_emulator
from tests.random_requests import RandomBodies
from tests.recordings import openapi

SECRETS = (KEY, "key-of-east", "key-of-west", "s" * 32, "Traceback")
ALLOWED = {200, 400, 401, 403, 404, 405, 413, 415, 429, 503}


class ApiCaller:
    """Sends requests straight to the application, as a server would hand them over."""

    def __init__(self, app: GatewayApp, runner: asyncio.Runner) -> None:
        self.app = app
        self._runner = runner

    def __call__(
        self,
        method: str,
        path: bytes,
        headers: list[tuple[bytes, bytes]],
        body: bytes,
        query: bytes = b"",
    ) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
        return self._runner.run(self._call(method, path, headers, body, query))

    async def _call(
        self,
        method: str,
        path: bytes,
        headers: list[tuple[bytes, bytes]],
        body: bytes,
        query: bytes,
    ) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
        scope = {
            "type": "http",
            "method": method,
            "path": path.decode("utf-8", "replace"),
            "raw_path": path,
            "query_string": query,
            "headers": headers,
        }
        waiting = [{"type": "http.request", "body": body, "more_body": False}]
        sent: list[dict[str, Any]] = []

        async def receive() -> dict[str, Any]:
            if waiting:
                return waiting.pop()
            await asyncio.sleep(3600)
            raise AssertionError

        async def send(message: Any) -> None:
            sent.append(dict(message))

        await asyncio.wait_for(self.app(scope, receive, send), 60)
        content = b"".join(message.get("body", b"") for message in sent)
        return sent[0]["status"], list(sent[0]["headers"]), content


@pytest.fixture(scope="module")
def caller() -> Iterator[ApiCaller]:
    emulator = make_emulator()
    transport = emulator.httpx_transport()
    with asyncio.Runner() as runner:
        client = httpx.AsyncClient(transport=transport)
        config = config_of("https://east.openai.azure.com", "east", "west")
        for row, name in zip(config["model_list"], ("east", "west"), strict=True):
            row["litellm_params"]["api_base"] = f"https://{name}.openai.azure.com"
        config["general_settings"]["keepalive_seconds"] = 0
        options = {"async_http_client": client, "num_retries": 0}
        app = create_app(config, router_options=options)
        runner.run(app.gateway.start())
        try:
            yield ApiCaller(app, runner)
        finally:
            runner.run(app.gateway.close())
            runner.run(client.aclose())


@pytest.fixture(autouse=True)
def log(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    with caplog.at_level(logging.INFO, "azure_responses"):
        yield
    assert not [record for record in caplog.records if record.exc_info]
    for secret in SECRETS:
        assert secret not in caplog.text


def check(reply: tuple[int, list[tuple[bytes, bytes]], bytes]) -> None:
    status, headers, body = reply
    assert status in ALLOWED
    shown = body + b"".join(name + value for name, value in headers)
    for secret in SECRETS:
        assert secret.encode() not in shown
    for name, value in headers:
        assert b"\n" not in name + value
        assert b"\r" not in name + value
    if status >= 400:
        answer = json.loads(body)
        error = answer["error"]
        assert isinstance(error["message"], str)
        assert isinstance(error["code"], str)
        assert isinstance(error["type"], str)
        # Errors of Messages have a parameter only where there is one.
        assert "param" in error or answer.get("type") == "error"


FUZZ = settings(
    max_examples=120,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=12), inner, max_size=3)
    ),
    max_leaves=12,
)
FIELDS = st.sampled_from(
    [
        *("model", "input", "stream", "messages", "previous_response_id", "conversation", "tools"),
        *(
            "metadata",
            "user",
            "store",
            "background",
            "temperature",
            "n",
            "api_base",
            "text",
            "include",
        ),
        *(
            "instructions",
            "reasoning",
            "tool_choice",
            "max_output_tokens",
            "stream_options",
            "owner",
        ),
    ]
)
BODIES = st.binary(max_size=60) | st.dictionaries(FIELDS, JSON, max_size=6).map(
    lambda value: json.dumps({"model": "chat", "input": "x", **value}).encode()
)
PATHS = st.sampled_from(
    [
        *(b"/v1/responses", b"/responses", b"/v1/chat/completions", b"/v1/responses/compact"),
        *(b"/openai/deployments/chat/chat/completions", b"/v1/responses/input_tokens"),
        *(b"/v1/responses/resp_azr1_abc", b"/v1/responses/resp_azr1_abc/cancel"),
    ]
)
METHODS = st.sampled_from(["GET", "POST", "DELETE", "PUT", "PATCH", "OPTIONS", "HEAD"])


@FUZZ
@given(
    METHODS,
    PATHS | st.binary(max_size=30).map(lambda tail: b"/v1/" + tail),
    BODIES,
    st.binary(max_size=40),
)
def test_methods_paths_bodies_and_queries(
    caller: ApiCaller, method: str, path: bytes, body: bytes, query: bytes
) -> None:
    headers = [(b"api-key", KEY.encode()), (b"content-type", b"application/json")]
    check(caller(method, path, headers, body, query))


@FUZZ
@given(PATHS, BODIES)
def test_bodies_of_posts(caller: ApiCaller, path: bytes, body: bytes) -> None:
    headers = [(b"api-key", KEY.encode()), (b"content-type", b"application/json")]
    check(caller("POST", path, headers, body))


NAMES = st.sampled_from(
    [
        *(
            b"authorization",
            b"api-key",
            b"x-litellm-api-key",
            b"x-litellm-call-id",
            b"x-request-id",
        ),
        *(b"content-type", b"content-encoding", b"content-length", b"x-litellm-timeout"),
        *(b"traceparent", b"api-base", b"x-base-url", b"accept", b"x-made-up"),
    ]
)


@FUZZ
@given(st.lists(st.tuples(NAMES, st.binary(max_size=40)), max_size=6))
def test_headers(caller: ApiCaller, headers: list[tuple[bytes, bytes]]) -> None:
    body = json.dumps({"model": "chat", "input": "x"}).encode()
    check(caller("POST", b"/v1/responses", headers, body))
    check(caller("POST", b"/v1/responses", [(b"api-key", KEY.encode()), *headers], body))


@FUZZ
@given(st.data())
def test_ids_that_were_tampered_with(caller: ApiCaller, data: st.DataObject) -> None:
    headers = [(b"api-key", KEY.encode())]
    body = json.dumps({"model": "chat", "input": "x"}).encode()
    made = json.loads(caller("POST", b"/v1/responses", headers, body)[2])["id"]
    place = data.draw(st.integers(len("resp_azr1_"), len(made) - 1))
    letter = data.draw(st.sampled_from("ABCxyz019-_"))
    forged = made[:place] + letter + made[place + 1 :]
    for method, path in (("GET", forged), ("DELETE", forged), ("POST", f"{forged}/cancel")):
        reply = caller(method, f"/v1/responses/{path}".encode(), headers, b"")
        check(reply)
        assert forged == made or reply[0] == 404
    follow = json.dumps({"model": "chat", "input": "x", "previous_response_id": forged}).encode()
    reply = caller("POST", b"/v1/responses", headers, follow)
    check(reply)
    assert forged == made or reply[0] == 404


_REQUESTS = 900
_BODIES_OF = {
    "CreateResponse": b"/v1/responses",
    "CreateChatCompletionRequest": b"/v1/chat/completions",
    "CompactResponseMethodPublicBody": b"/v1/responses/compact",
    "TokenCountsBody": b"/v1/responses/input_tokens",
}


def _post(caller: ApiCaller, path: bytes, body: Any) -> None:
    headers = [(b"api-key", KEY.encode()), (b"content-type", b"application/json")]
    check(caller("POST", path, headers, json.dumps(body).encode()))


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("seed", [1, 2])
def test_bodies_after_the_published_descriptions(caller: ApiCaller, seed: int) -> None:
    bodies = RandomBodies(openapi("openai.openapi.json"), seed)
    for _ in range(_REQUESTS):
        name, path = bodies.random.choice(list(_BODIES_OF.items()))
        body = bodies.draw(name)
        if isinstance(body, dict) and bodies.random.random() < 0.9:
            body["model"] = "chat"
        _post(caller, path, body)


_PART = b'--XX\r\nContent-Disposition: form-data; name="%b"%b\r\n\r\n%b\r\n'
_FILE = _PART % (b"file", b'; filename="a"', b"\x00\xff")
_FORMS = (
    b"",
    b"--XX",
    b"--XX--\r\n",
    _FILE,
    _FILE + b"--XX--",
    _PART % (b"model", b"", b"chat") + _FILE + b"--XX--\r\n",
    _FILE + _PART % (b"model", b"", b"\xff") + b"--XX--\r\n",
    _PART % (b"purpose", b"", b"x") * 2 + _FILE + b"--XX--\r\n",
    _PART % (b"mo\\del", b"", b"chat") + b"--XX--\r\n",
)


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_requests_after_its_own_description(caller: ApiCaller) -> None:
    document = json.loads(openapi_document())
    bodies = RandomBodies(document, 3)
    ids = ("chat", "resp_1", "resp_azr1_x", "a/b", "..", "%2e%2e", "%00", "x" * 3000, "")
    queries = ("", "limit=x", "after=msg_1", "stream=true", "include[]=a&include=b", "%", "a=&=b")
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            for _ in range(30):
                filled = path
                while "{" in filled:
                    before, _, rest = filled.partition("{")
                    filled = before + bodies.random.choice(ids) + rest.partition("}")[2]
                body, headers = b"", [(b"api-key", KEY.encode())]
                content = operation.get("requestBody", {}).get("content", {})
                if "multipart/form-data" in content:
                    body = bodies.random.choice(_FORMS)
                    headers.append((b"content-type", b"multipart/form-data; boundary=XX"))
                elif content:
                    schema = content["application/json"]["schema"]
                    name = schema.get("$ref", "").rpartition("/")[2]
                    body = json.dumps(bodies.draw(name) if name else {"model": "chat"}).encode()
                query = bodies.random.choice(queries).encode()
                reply = caller(method.upper(), filled.encode(), headers, body, query)
                if reply[0] != 200:
                    check(reply)
