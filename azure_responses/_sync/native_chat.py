# Written by scripts/unasync: change the file of this name in ../_async instead.
"""Chat completions on deployments that speak chat completions or Messages, blocking."""

import random
import time
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any
from weakref import finalize

from azure_responses._sync.chat_stream import ChatCompletionStream
from azure_responses._sync.concurrency import compute, shield
from azure_responses._sync.converted_calls import ConvertedStream
from azure_responses._sync.executor import Executor
from azure_responses._sync.watch import Watch
from azure_responses.bridge.chat_chunks import ChatCall, ChatChunks
from azure_responses.bridge.native_chat import chat_parameters
from azure_responses.errors import APIConnectionError, AzureResponsesError
from azure_responses.protocol.conversion import APIName
from azure_responses.protocol.model_name import read_deployment
from azure_responses.protocol.operations import Operations
from azure_responses.protocol.options import Options
from azure_responses.protocol.warning import warn_caller
from azure_responses.reply_body import StreamedReply
from azure_responses.transport import Timeout
from azure_responses.types.chat import ChatCompletion
from azure_responses.types.chat_chunk import ChatCompletionChunk
from azure_responses.types.model import UnknownEvent
from azure_responses.types.result import Route, request_id_of

__all__ = ["NativeCompletions", "NativeChatStream"]


class NativeCompletions:
    """Serves chat completions without the Responses API.

    Args:
        operations: builds the calls.
        executor: performs them.
        drop_params: leave out, with a warning, what a deployment cannot do.
        warn: tells the caller what was left out.
    """

    def __init__(
        self,
        operations: Operations,
        executor: Executor,
        *,
        drop_params: bool,
        warn: Callable[[str], None] = warn_caller,
    ) -> None:
        self._warn = warn
        self._operations = operations
        self._executor = executor
        self._drop_params = drop_params

    def api_of(self, deployment: Any) -> APIName:
        """What a deployment speaks."""
        converter = self._operations.converter
        if converter is None or not isinstance(deployment, str):
            return "responses"
        return converter.apis.of(_name(deployment)).name

    def learn(self, deployment: Any, error: AzureResponsesError, spoken: APIName) -> bool:
        """True where an error has taught what a deployment speaks instead of `spoken`."""
        converter = self._operations.converter
        if converter is None or not isinstance(deployment, str):
            return False
        return converter.learn(_name(deployment), error, spoken)

    def create(
        self, parameters: Mapping[str, Any], options: Options, timeout: Timeout, *, stream: bool
    ) -> "ChatCompletion | NativeChatStream":
        """A chat completion, or its stream.

        Raises:
            ConfigurationError: what the deployment cannot do; nothing was sent.
            AzureResponsesError: what the service or the network ended with, after retries.
        """
        call = compute(self._write, parameters, options, stream)
        if not stream:
            return self._executor.perform(call, timeout)
        return NativeChatStream(self._executor, call, timeout).open()

    def _write(self, parameters: Mapping[str, Any], options: Options, stream: bool) -> ChatCall:
        given = dict(parameters)
        drops = given.pop("drop_params", None)
        drops = self._drop_params if drops is None else bool(drops)
        chat, warnings = chat_parameters(given, drops_params=drops)
        for text in warnings:
            self._warn(text)
        return self._operations.speak(
            "chat",
            ChatCall,
            ChatCompletion,
            chat,
            options,
            stream=stream,
            drops_params=drops,
            warn=self._warn,
        )


class NativeChatStream(ChatCompletionStream):
    """The chunks of one chat completion as the deployment sends them."""

    def __init__(self, executor: Executor, call: ChatCall, timeout: Timeout) -> None:
        self._ready: deque[ChatCompletionChunk] = deque()
        self._is_entered = False
        self._is_done = False
        self._executor = executor
        self._call = call
        self._timeout = timeout
        self._chunks = ChatChunks(call)
        self._reply: StreamedReply | ConvertedStream | None = None
        self._watch: Watch | None = None

    def open(self) -> "NativeChatStream":
        """Connect; raises what the service answers."""
        self._watch = self._executor.telemetry.watch(self._call, is_stream=True)
        if self._watch is not None:
            # A caller may drop the stream without closing it; this does not keep it alive.
            finalize(self, self._watch.drop, self._chunks)
            self._watch.start()
        try:
            self._connect()
        except BaseException as error:
            self._end(error)
            raise
        return self

    @property
    def request_id(self) -> str | None:
        """`apim-request-id`, else `x-request-id`, of the latest connection."""
        return request_id_of(self._chunks.headers)

    @property
    def route(self) -> Route | None:
        """None: no router is involved."""
        return None

    @property
    def headers(self) -> Mapping[str, str]:
        """The headers of the reply."""
        return self._chunks.headers

    def get_final_completion(self) -> ChatCompletion:
        """The whole completion; reads what is left of the stream first."""
        while self._fill():
            self._ready.clear()
        return self._chunks.whole()

    def close(self) -> None:
        """Give up the rest of the stream and release its connection."""
        self._end(None)

    def _connect(self) -> None:
        self._reply = self._executor.open(self._call, self._timeout, self._watch)
        self._chunks.headers = self._reply.headers

    def _fill(self) -> bool:
        """Read once; False when there are no more chunks."""
        if self._is_done:
            return False
        chunks = self._chunks
        try:
            if chunks.failure is None:
                self._read()
            if chunks.failure is not None and not self._ready:
                self._fail(chunks.failure)
        except BaseException as error:
            self._end(error)
            raise
        return bool(self._ready) or not self._is_done

    def _read(self) -> None:
        reply, chunks = self._reply, self._chunks
        assert reply is not None
        try:
            data = reply.read()
        except APIConnectionError as error:
            chunks.break_off(error)
            return
        now = time.time()
        ready = chunks.end(now) if data is None else chunks.receive(data, now)
        self._ready.extend(ready)
        if self._watch is not None:
            self._watch.receive([_DELTA] * len(ready))
        reply.note(chunks)
        if chunks.is_over and chunks.failure is None:
            reply.drain()
            self._end(None)

    def _fail(self, failure: AzureResponsesError) -> None:
        """Raise a failure; one before the first chunk is tried again where that helps."""
        if self._chunks.has_output:
            raise failure
        cause = failure.__cause__
        error = cause if isinstance(cause, AzureResponsesError) else failure
        try:
            attempt = self._call.next_attempt(error, time.monotonic(), random.random())
        except AzureResponsesError:
            raise failure from cause
        if self._watch is not None:
            self._watch.retry(error, attempt.delay)
        self._disconnect()
        self._executor.prepare(attempt, self._call.secret)
        self._chunks.begin_again()
        self._connect()

    def _end(self, error: BaseException | None) -> None:
        self._is_done = True
        try:
            self._disconnect()
        finally:
            if self._watch is not None:
                self._watch.end_stream(self._chunks, error)

    def _disconnect(self) -> None:
        # Forgotten first: closing may be interrupted, and is not done twice.
        reply, self._reply = self._reply, None
        if reply is not None:
            with shield():
                reply.close()


# What watches a call counts the events that carry output.
_DELTA = UnknownEvent.model_validate({"type": "chat.completion.chunk.delta"})


def _name(deployment: str) -> str:
    return read_deployment(deployment) if deployment.startswith("azure_ai/") else deployment
