"""The custom provider: LiteLLM's chat completions on the Responses API."""

from collections.abc import AsyncIterator, Iterator
from typing import TYPE_CHECKING, Any

from azure_responses.chat import ChatCompletionStream
from azure_responses.litellm_plugin.call import Call, read_call
from azure_responses.litellm_plugin.failures import mapped_failures
from azure_responses.litellm_plugin.installation import litellm_class
from azure_responses.litellm_plugin.pool import async_client, sync_client
from azure_responses.litellm_plugin.results import StreamConversion, to_model_response

if TYPE_CHECKING:

    class CustomLLM:
        """Stands for LiteLLM's class, which is not there where this is checked."""

else:
    CustomLLM = litellm_class("CustomLLM")

__all__ = ["AzureResponsesLLM"]


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
        return _convert(stream, call, provider)

    async def astreaming(self, **given: Any) -> AsyncIterator[Any]:
        """`streaming`, awaited."""
        with mapped_failures(given["model"], _provider(given)):
            call = read_call(given)
            completions = async_client(call.connection).chat.completions
            async with await completions.create(**_streamed(call), stream=True) as stream:
                conversion = StreamConversion(call)
                async for chunk in stream:
                    for made in conversion.convert(chunk):
                        yield made
                for made in conversion.finish(await stream.get_final_completion()):
                    yield made


def _convert(stream: ChatCompletionStream, call: Call, provider: str) -> Iterator[Any]:
    with mapped_failures(call.deployment, provider), stream:
        conversion = StreamConversion(call)
        for chunk in stream:
            yield from conversion.convert(chunk)
        yield from conversion.finish(stream.get_final_completion())


def _streamed(call: Call) -> dict[str, Any]:
    """The arguments, asking for no chunk of usage: the whole completion has it."""
    options = dict(call.arguments.get("stream_options") or {})
    options.pop("include_usage", None)
    return {**call.arguments, "stream_options": options or None}


def _provider(given: dict[str, Any]) -> str:
    settings = given.get("litellm_params") or {}
    return settings.get("custom_llm_provider") or "azure_responses"
