"""The custom provider: LiteLLM's chat completions on the Responses API."""

from collections.abc import AsyncGenerator, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NoReturn, Self

from azure_responses._async.chat_stream import AsyncChatCompletionStream
from azure_responses._sync.chat_stream import ChatCompletionStream
from azure_responses.errors import ConfigurationError
from azure_responses.litellm_plugin.clients import async_client, litellm_class, sync_client
from azure_responses.litellm_plugin.conversions import (
    LiteLLMCall,
    LiteLLMStream,
    read_call,
    read_provider,
    to_model_response,
)
from azure_responses.litellm_plugin.failures import mapped_failures

if TYPE_CHECKING:

    class CustomLLM:
        """Stands for LiteLLM's class, which is not there where this is checked."""

else:
    CustomLLM = litellm_class("CustomLLM")

__all__ = ["AsyncChunks", "AzureResponsesLLM"]


class AzureResponsesLLM(CustomLLM):
    """Chat completions through our bridge, for `litellm.custom_provider_map`.

    Takes every parameter of chat completions and of the Responses API; what cannot be sent is
    refused by name, or dropped with a warning where `drop_params` says so. LiteLLM gives the
    arguments, see its `CustomLLM`.

    Raises:
        LiteLLM's exceptions, with `code`, `param`, `body` and the verdicts of content filters.
    """

    def completion(self, **given: Any) -> Any:
        """A completion, as LiteLLM's `ModelResponse`."""
        with _reading(given) as call:
            completions = sync_client(call.connection).chat.completions
            return to_model_response(completions.create(**call.arguments), call)

    async def acompletion(self, **given: Any) -> Any:
        """`completion`, awaited."""
        with _reading(given) as call:
            completions = async_client(call.connection).chat.completions
            return to_model_response(await completions.create(**call.arguments), call)

    def streaming(self, **given: Any) -> Iterator[Any]:
        """The completion's chunks, as LiteLLM's `ModelResponseStream`; the call is made at once."""
        with _reading(given) as call:
            completions = sync_client(call.connection).chat.completions
            stream = completions.create(**_streamed(call), stream=True)
        chunks = _convert(stream, call)
        next(chunks)
        return chunks

    def astreaming(self, **given: Any) -> "AsyncChunks":
        """`streaming`, awaited: `open` makes the call, or else the request for the first chunk."""
        return AsyncChunks(given)

    def embedding(self, **given: Any) -> NoReturn:
        """Refused: this provider serves chat completions and the Responses API only."""
        _refuse("embeddings", given)

    async def aembedding(self, **given: Any) -> NoReturn:
        """`embedding`, awaited."""
        _refuse("embeddings", given)

    def image_generation(self, **given: Any) -> NoReturn:
        """Refused, as `embedding` is; the tool `image_generation` makes images in a response."""
        _refuse("images", given)

    async def aimage_generation(self, **given: Any) -> NoReturn:
        """`image_generation`, awaited."""
        _refuse("images", given)

    # LiteLLM's own methods of these names would report a missing implementation as an error 500.
    image_edit = image_generation
    aimage_edit = aimage_generation


class AsyncChunks:
    """The chunks of one stream, as LiteLLM's `ModelResponseStream`.

    LiteLLM tries a call again, or elsewhere, if it fails before there is a stream to iterate; so
    `registration` has it await `open`.
    """

    def __init__(self, given: dict[str, Any]) -> None:
        self._given = given
        self._chunks: AsyncGenerator[Any, None] | None = None

    async def open(self) -> Self:
        """Make the call, if it has not been made; what fails is raised as LiteLLM's."""
        if self._chunks is None:
            with _reading(self._given) as call:
                completions = async_client(call.connection).chat.completions
                stream = await completions.create(**_streamed(call), stream=True)
            self._chunks = _convert_async(stream, call)
            await anext(self._chunks)
        return self

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Any:
        await self.open()
        assert self._chunks is not None
        return await anext(self._chunks)

    async def aclose(self) -> None:
        """End the stream; the rest of it is not read."""
        if self._chunks is not None:
            await self._chunks.aclose()


@contextmanager
def _reading(given: dict[str, Any]) -> Iterator[LiteLLMCall]:
    """The call; what fails inside is raised as LiteLLM's."""
    with mapped_failures(given["model"], read_provider(given)):
        yield read_call(given)


def _convert(stream: ChatCompletionStream, call: LiteLLMCall) -> Iterator[Any]:
    with mapped_failures(call.deployment, call.provider), stream:
        # The caller takes this at once. Only a generator that has begun closes the stream when
        # it is collected without having been read.
        yield None
        conversion = LiteLLMStream(call)
        for chunk in stream:
            yield from conversion.convert(chunk)
        yield from conversion.finish(stream.get_final_completion())


async def _convert_async(
    stream: AsyncChatCompletionStream, call: LiteLLMCall
) -> AsyncGenerator[Any, None]:
    with mapped_failures(call.deployment, call.provider):
        async with stream:
            # As above.
            yield None
            conversion = LiteLLMStream(call)
            async for chunk in stream:
                for made in conversion.convert(chunk):
                    yield made
            for made in conversion.finish(await stream.get_final_completion()):
                yield made


def _refuse(what: str, given: dict[str, Any]) -> NoReturn:
    provider = read_provider(given)
    with mapped_failures(given.get("model") or "", provider):
        raise ConfigurationError(
            f"{provider} serves chat completions and the Responses API, not {what}.",
            hint="Let LiteLLM call the deployment itself, as azure/<deployment>.",
        )


def _streamed(call: LiteLLMCall) -> dict[str, Any]:
    """The arguments without a request for a chunk of usage: the whole completion has it."""
    options = dict(call.arguments.get("stream_options") or {})
    options.pop("include_usage", None)
    return {**call.arguments, "stream_options": options or None}
