"""The custom provider: LiteLLM's chat completions on the Responses API."""

from collections.abc import AsyncGenerator, Iterator
from typing import TYPE_CHECKING, Any, NoReturn, Self

from azure_responses._async.chat import AsyncChatCompletionStream
from azure_responses._sync.chat import ChatCompletionStream
from azure_responses.errors import ConfigurationError
from azure_responses.litellm_plugin.clients import async_client, litellm_class, sync_client
from azure_responses.litellm_plugin.conversions import (
    LiteLLMCall,
    StreamConversion,
    read_call,
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
        with mapped_failures(given["model"], _provider(given)):
            call = read_call(given)
            completions = sync_client(call.connection).chat.completions
            return to_model_response(completions.create(**call.arguments), call)

    async def acompletion(self, **given: Any) -> Any:
        """`completion`, awaited."""
        with mapped_failures(given["model"], _provider(given)):
            call = read_call(given)
            completions = async_client(call.connection).chat.completions
            return to_model_response(await completions.create(**call.arguments), call)

    def streaming(self, **given: Any) -> Iterator[Any]:
        """The completion's chunks, as LiteLLM's `ModelResponseStream`; the call is made at once."""
        provider = _provider(given)
        with mapped_failures(given["model"], provider):
            call = read_call(given)
            completions = sync_client(call.connection).chat.completions
            stream = completions.create(**_streamed(call), stream=True)
        chunks = _convert(stream, call, provider)
        next(chunks)
        return chunks

    def astreaming(self, **given: Any) -> "AsyncChunks":
        """`streaming`, awaited: the call is made by `open`, or else when the first is asked for."""
        return AsyncChunks(given)

    def embedding(self, **given: Any) -> NoReturn:
        """Refused: chat completions and the Responses API are all there is."""
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

    def image_edit(self, **given: Any) -> NoReturn:
        """Refused, as `image_generation` is."""
        _refuse("images", given)

    async def aimage_edit(self, **given: Any) -> NoReturn:
        """`image_edit`, awaited."""
        _refuse("images", given)


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
            provider = _provider(self._given)
            with mapped_failures(self._given["model"], provider):
                call = read_call(self._given)
                completions = async_client(call.connection).chat.completions
                stream = await completions.create(**_streamed(call), stream=True)
            self._chunks = _convert_async(stream, call, provider)
            await anext(self._chunks)
        return self

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Any:
        await self.open()
        assert self._chunks is not None
        return await anext(self._chunks)

    async def aclose(self) -> None:
        """Give up the rest of the stream."""
        if self._chunks is not None:
            await self._chunks.aclose()


def _convert(stream: ChatCompletionStream, call: LiteLLMCall, provider: str) -> Iterator[Any]:
    with mapped_failures(call.deployment, provider), stream:
        # Once begun, a generator that nobody reads closes the stream when it is forgotten.
        yield None
        conversion = StreamConversion(call)
        for chunk in stream:
            yield from conversion.convert(chunk)
        yield from conversion.finish(stream.get_final_completion())


async def _convert_async(
    stream: AsyncChatCompletionStream, call: LiteLLMCall, provider: str
) -> AsyncGenerator[Any, None]:
    with mapped_failures(call.deployment, provider):
        async with stream:
            # As above.
            yield None
            conversion = StreamConversion(call)
            async for chunk in stream:
                for made in conversion.convert(chunk):
                    yield made
            for made in conversion.finish(await stream.get_final_completion()):
                yield made


def _refuse(what: str, given: dict[str, Any]) -> NoReturn:
    provider = _provider(given)
    with mapped_failures(given.get("model") or "", provider):
        raise ConfigurationError(
            f"{provider} serves chat completions and the Responses API, not {what}.",
            hint="Let LiteLLM call the deployment itself, as azure/<deployment>.",
        )


def _streamed(call: LiteLLMCall) -> dict[str, Any]:
    """The arguments, asking for no chunk of usage: the whole completion has it."""
    options = dict(call.arguments.get("stream_options") or {})
    options.pop("include_usage", None)
    return {**call.arguments, "stream_options": options or None}


def _provider(given: dict[str, Any]) -> str:
    settings = given.get("litellm_params") or {}
    return settings.get("custom_llm_provider") or "azure_responses"
