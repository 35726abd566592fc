"""Run by LiteLLM's interpreter: does what each line of standard input asks, answers in JSON.

`{"do": name, "with": arguments}` → `{"value": …}` or `{"raised": …}`, on lines that begin with
"peer:". What LiteLLM prints besides is passed over.
"""

import asyncio
import gc
import json
import os
import sys
import time
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

__all__ = ["main"]

_DEEDS: dict[str, Callable[..., Any]] = {}
_costs: list[Any] = []
# One loop for all: what a call leaves to be done after it is done during the next wait.
_loop = asyncio.new_event_loop()


def _deed(function: Callable[..., Any]) -> Callable[..., Any]:
    _DEEDS[function.__name__.strip("_")] = function
    return function


def _litellm() -> Any:
    return import_module("litellm")


def _plugin() -> Any:
    return import_module("azure_responses.litellm_plugin")


def _dump(value: Any) -> Any:
    dump = getattr(value, "model_dump", None)
    return dump(mode="json", exclude_none=True) if dump else value


def _answer(response: Any) -> dict[str, Any]:
    hidden = getattr(response, "_hidden_params", {})
    return {
        "body": _dump(response),
        "cost": hidden.get("response_cost"),
        "headers": {str(k): str(v) for k, v in (hidden.get("additional_headers") or {}).items()},
    }


def _chunks(chunks: list[Any]) -> dict[str, Any]:
    usage = (getattr(chunks[-1], "_hidden_params", None) or {}).get("usage")
    return {"chunks": [_dump(chunk) for chunk in chunks], "usage": _dump(usage)}


@_deed
def _register(**arguments: Any) -> None:
    _plugin().register(**arguments)


@_deed
def _unregister() -> None:
    _plugin().unregister()


@_deed
def _traces() -> dict[str, Any]:
    """Where the plug-in can be seen in LiteLLM."""
    litellm = _litellm()
    utils, types = import_module("litellm.utils"), import_module("litellm.types.utils")
    found = {
        "providers": [item["provider"] for item in litellm.custom_provider_map],
        "custom": list(litellm._custom_providers),
        "listed": [name for name in litellm.provider_list if "azure_responses" in str(name)],
        "enum": "_missing_" in vars(types.LlmProviders),
        "azure": litellm.AzureOpenAIResponsesAPIConfig.__module__,
        "o_series": litellm.AzureOpenAIOSeriesResponsesAPIConfig.__module__,
        "dispatch": import_module("litellm.main")._complete_custom_providers.__module__,
        "support": utils.get_supported_openai_params.__module__,
        "lookup": utils.ProviderConfigManager.get_provider_responses_api_config.__module__,
    }
    return found


@_deed
def _completion(*, is_async: bool = False, **arguments: Any) -> Any:
    litellm = _litellm()
    if is_async:
        return _answer(_loop.run_until_complete(litellm.acompletion(**arguments)))
    return _answer(litellm.completion(**arguments))


@_deed
def _stream(*, is_async: bool = False, **arguments: Any) -> Any:
    litellm = _litellm()
    if not is_async:
        return _chunks(list(litellm.completion(stream=True, **arguments)))

    async def collect() -> list[Any]:
        stream = await litellm.acompletion(stream=True, **arguments)
        return [chunk async for chunk in stream]

    return _chunks(_loop.run_until_complete(collect()))


@_deed
def _routed(
    *, rows: list[Any], is_async: bool, is_stream: bool, settings: Any, **arguments: Any
) -> str:
    """What a chat by LiteLLM's router says, whole or streamed."""
    router = _litellm().Router(rows, retry_after=0, disable_cooldowns=True, **settings)

    async def collect() -> str:
        answer = await router.acompletion(stream=is_stream, **arguments)
        return _text([chunk async for chunk in answer] if is_stream else [answer])

    if is_async:
        return _loop.run_until_complete(collect())
    answer = router.completion(stream=is_stream, **arguments)
    return _text(list(answer) if is_stream else [answer])


@_deed
def _routed_reasoning(*, rows: list[Any], checks: list[str] | None, count: int) -> list[str]:
    """How follow-ups end that send encrypted reasoning back by LiteLLM's router."""
    router = _litellm().Router(
        rows, num_retries=0, disable_cooldowns=True, optional_pre_call_checks=checks
    )
    question = {"role": "user", "content": "My name is Bo."}
    options = {"model": "g", "store": False, "include": ["reasoning.encrypted_content"]}

    async def go_on() -> str:
        first = await router.aresponses(input=[question], **options)
        items = [item.model_dump(exclude_none=True) for item in first.output]
        for item in items:
            # Azure takes reasoning back without it only, and LiteLLM's type adds it.
            item.pop("status", None)
        try:
            await router.aresponses(input=[question, *items, question], **options)
        except Exception as error:
            return str(error)
        return "answered"

    return [_loop.run_until_complete(go_on()) for _ in range(count)]


@_deed
def _forgotten(*, is_async: bool, **arguments: Any) -> None:
    """A stream that is made and never read."""
    if not is_async:
        _litellm().completion(stream=True, **arguments)
        gc.collect()
        return

    async def forget() -> None:
        await _litellm().acompletion(stream=True, **arguments)
        gc.collect()
        # What was forgotten is closed by a task of the loop.
        await asyncio.sleep(0.1)

    _loop.run_until_complete(forget())


def _text(answers: list[Any]) -> str:
    choices = [answer.choices[0] for answer in answers if answer.choices]
    said = [getattr(choice, "delta", None) or choice.message for choice in choices]
    return "".join(message.content or "" for message in said)


@_deed
def _other(*, call: str, is_async: bool, **arguments: Any) -> None:
    """`embedding` or `image_generation`, which the plug-in does not serve."""
    if is_async:
        _loop.run_until_complete(getattr(_litellm(), f"a{call}")(**arguments))
    else:
        getattr(_litellm(), call)(**arguments)


@_deed
def _responses(*, is_async: bool = False, **arguments: Any) -> Any:
    litellm = _litellm()
    if is_async:
        return _answer(_loop.run_until_complete(litellm.aresponses(**arguments)))
    return _answer(litellm.responses(**arguments))


@_deed
def _responses_stream(*, is_async: bool = False, **arguments: Any) -> Any:
    litellm = _litellm()
    if not is_async:
        return [_dump(event) for event in litellm.responses(stream=True, **arguments)]

    async def collect() -> list[Any]:
        stream = await litellm.aresponses(stream=True, **arguments)
        return [_dump(event) async for event in stream]

    return _loop.run_until_complete(collect())


@_deed
def _stored(*, call: str, is_async: bool = False, **arguments: Any) -> Any:
    """`get`, `delete`, `cancel` or `input_items` of a stored response."""
    names = {"input_items": "list_input_items"}
    name = names.get(call, f"{call}_responses")
    if is_async:
        return _dump(_loop.run_until_complete(getattr(_litellm(), f"a{name}")(**arguments)))
    return _dump(getattr(_litellm(), name)(**arguments))


@_deed
def _passed_through(**arguments: Any) -> Any:
    """A native call of a custom provider that has nothing but its name."""
    litellm, utils = _litellm(), import_module("litellm.utils")
    handler = litellm.CustomLLM()
    item = {"provider": "azure_responses", "custom_handler": handler}
    arguments["api_base"] += "/openai/v1"
    litellm.custom_provider_map.append(item)
    utils.custom_llm_setup()
    try:
        return _answer(litellm.responses(**arguments))
    finally:
        litellm.custom_provider_map.remove(item)


@_deed
def _costs_logged(*, of: str, **arguments: Any) -> Any:
    """The costs that LiteLLM's callbacks are told of while it does something else."""
    custom = import_module("litellm.integrations.custom_logger")

    class Ear(custom.CustomLogger):  # type: ignore[name-defined, misc]
        def log_success_event(self, kwargs: Any, *rest: Any, **named: Any) -> None:
            _costs.append(kwargs["standard_logging_object"]["response_cost"])

        async def async_log_success_event(self, kwargs: Any, *rest: Any, **named: Any) -> None:
            _costs.append(kwargs["standard_logging_object"]["response_cost"])

    _costs.clear()
    _litellm().callbacks = [Ear()]
    try:
        _DEEDS[of](**arguments)
        deadline = time.monotonic() + 20
        while not _costs and time.monotonic() < deadline:
            _loop.run_until_complete(asyncio.sleep(0.05))
        return list(_costs)
    finally:
        _litellm().callbacks = []


@_deed
def _set_environment(**variables: str | None) -> None:
    for name, value in variables.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value


@_deed
def _read_connection(*, settings: dict[str, Any] | None = None, **given: Any) -> Any:
    """The arguments of a client; what is no plain value by the name of its type."""
    for name, value in (settings or {}).items():
        setattr(_litellm(), name, value)
    try:
        module = import_module("azure_responses.litellm_plugin.clients")
        made = [module.read_connection(given) for _ in range(2)]
    finally:
        for name in settings or {}:
            setattr(_litellm(), name, None)
    plain = (str, int, bool)
    shown = {k: v if isinstance(v, plain) else type(v).__name__ for k, v in made[0].items()}
    return {"connection": shown, "is_same": made[0] == made[1]}


@_deed
def _read_call(**given: Any) -> Any:
    module = import_module("azure_responses.litellm_plugin.conversions")
    call = module.read_call(given)
    return {
        "connection": call.connection,
        "arguments": call.arguments,
        "prices": [call.base_model, call.zone, call.has_own_prices],
    }


@_deed
def _map_failure(*, kind: str, cause: dict[str, Any] | None = None, **fields: Any) -> None:
    """Raise LiteLLM's counterpart of one of our errors."""
    errors = import_module("azure_responses.errors")
    error = getattr(errors, kind)(**fields)
    if cause is not None:
        error.__cause__ = getattr(errors, cause.pop("kind"))(**cause)
    module = import_module("azure_responses.litellm_plugin.failures")
    raise module.to_litellm_error(error, "dep", "azure_responses")


@_deed
def _config(*, method: str, takes: dict[str, Any]) -> Any:
    """What a method of our responses configuration answers."""
    module = import_module("azure_responses.litellm_plugin.responses_config")
    return getattr(module.AzureResponsesConfig(), method)(**takes)


def _describe(error: BaseException) -> dict[str, Any]:
    def said(name: str) -> Any:
        value = getattr(error, name, None)
        return value if isinstance(value, str | int | Mapping | None) else str(value)

    reply = getattr(error, "response", None)
    names = ("status_code", "code", "param", "body", "provider_specific_fields", "headers")
    return {
        "class": type(error).__name__,
        "bases": [kind.__name__ for kind in type(error).__mro__],
        "message": str(error),
        "retry_after": reply.headers.get("retry-after") if reply is not None else None,
        **{name: said(name) for name in names},
    }


def _do(row: dict[str, Any]) -> dict[str, Any]:
    try:
        return {"value": _DEEDS[row["do"]](**row["with"])}
    except Exception as error:
        return {"raised": _describe(error)}


def _say(value: Any) -> None:
    print("\npeer:" + json.dumps(value, default=str), flush=True)


def main() -> None:
    """Do what is asked until the input ends."""
    try:
        _litellm().suppress_debug_info = True
        _plugin()
        import_module("azure_responses._sync.client")
    except ModuleNotFoundError as error:
        _say({"missing": error.name})
        return
    _say({"ready": True})
    for line in sys.stdin:
        _say(_do(json.loads(line)))


if __name__ == "__main__":
    main()
