"""LiteLLM's native `/v1/responses`: where calls go, as whom, what comes back and what it cost."""

import time
import warnings
from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from pydantic import model_validator

from azure_responses.bridge import is_reasoning_model_name, without_sampling
from azure_responses.call_options import configure
from azure_responses.errors import AzureResponsesError
from azure_responses.litellm_plugin.clients import (
    PROVIDER,
    async_credentials,
    credentials,
    litellm,
    litellm_class,
    litellm_module,
    read_base_model,
    read_connection,
)
from azure_responses.litellm_plugin.conversions import has_own_prices
from azure_responses.litellm_plugin.failures import mapped_failures, to_litellm_error
from azure_responses.pricing import cost
from azure_responses.protocol.decode import check_readable
from azure_responses.protocol.error_body import failure_from_reply
from azure_responses.protocol.http_message import CREDENTIAL_HEADERS
from azure_responses.protocol.known_errors import RequestContext
from azure_responses.protocol.model_name import read_deployment
from azure_responses.protocol.request_body import FEWEST_OUTPUT_TOKENS, ITEMS_WITHOUT_STATUS
from azure_responses.types.mending import mend
from azure_responses.types.response import Response

__all__ = ["AzureResponsesConfig", "price_event", "price_response"]

if TYPE_CHECKING:

    class _AzureConfig:
        """Stands for LiteLLM's class, which is not there where this is checked."""

        def _validate_input_param(self, input: Any, *rest: Any, **named: Any) -> Any: ...
        def transform_responses_api_request(self, *rest: Any, **named: Any) -> Any: ...
        def transform_compact_response_api_request(self, *rest: Any, **named: Any) -> Any: ...
        def transform_streaming_response(self, *rest: Any, **named: Any) -> Any: ...

else:
    _AzureConfig = litellm_class("AzureOpenAIResponsesAPIConfig")


# What LiteLLM passes as the model of a call on a stored response.
_NO_MODEL = "None"


class AzureResponsesConfig(_AzureConfig):
    """How LiteLLM calls the Responses API of our provider, or of `azure/` where it is overridden.

    Differs from LiteLLM's own in URLs and versions, in the order of credentials, in refusing to
    call without one, in parameters (a deployment's name forbids none), in unfinished background
    responses, in errors and in cost. The rest is LiteLLM's, such as its cleaning of tools.
    """

    def get_supported_openai_params(self, model: str) -> list[str]:
        """Every parameter LiteLLM knows, compaction included."""
        openai = litellm().OpenAIResponsesAPIConfig
        supported: list[str] = openai.get_supported_openai_params(self, model)
        return supported

    def map_openai_params(
        self, response_api_optional_params: Mapping[str, Any], model: str, drop_params: bool
    ) -> dict[str, Any]:
        """The parameters as they are; with `drop_params` without what reasoning models refuse."""
        parameters = dict(response_api_optional_params)
        # Azure refuses fewer; chat completions accept them, so callers send them.
        tokens = parameters.get("max_output_tokens")
        if isinstance(tokens, int) and tokens < FEWEST_OUTPUT_TOKENS:
            parameters["max_output_tokens"] = FEWEST_OUTPUT_TOKENS
        if not drop_params or not _reasons(model, parameters):
            return parameters
        left, dropped = without_sampling(parameters)
        for sentence in dropped:
            warnings.warn(sentence, stacklevel=2)
        return dict(left)

    def validate_environment(self, headers: dict[str, Any], model: str, litellm_params: Any) -> Any:
        """The credential header of calls without a model, for which LiteLLM transforms no body."""
        if model == _NO_MODEL:
            with mapped_failures(model, PROVIDER):
                _authenticate(headers, litellm_params)
        return headers

    def get_complete_url(self, api_base: str | None, litellm_params: Mapping[str, Any]) -> str:
        """`…/responses` by this package's rules for endpoints and versions."""
        with mapped_failures(_NO_MODEL, PROVIDER):
            given = {**litellm_params, **({"api_base": api_base} if api_base else {})}
            connection = read_connection(given)
            return configure(connection.pop("endpoint", None), connection).settings.endpoint.url(
                "responses"
            )

    def get_stripped_model_name(self, model: str) -> str:
        """The deployment without the prefix that LiteLLM or the configuration puts before it."""
        return read_deployment(model).removeprefix("responses/").removeprefix("o_series/")

    def transform_responses_api_request(
        self,
        model: str,
        input: Any,
        response_api_optional_request_params: dict[str, Any],
        litellm_params: Any,
        headers: dict[str, Any],
    ) -> Any:
        """The body; adds the credential to `headers`."""
        with mapped_failures(model, PROVIDER):
            _authenticate(headers, litellm_params)
        return super().transform_responses_api_request(
            model, input, response_api_optional_request_params, litellm_params, headers
        )

    async def async_transform_responses_api_request(
        self,
        model: str,
        input: Any,
        response_api_optional_request_params: dict[str, Any],
        litellm_params: Any,
        headers: dict[str, Any],
    ) -> Any:
        """The same without blocking the event loop while a token is fetched."""
        with mapped_failures(model, PROVIDER):
            await _authenticate_async(headers, litellm_params)
        return super().transform_responses_api_request(
            model, input, response_api_optional_request_params, litellm_params, headers
        )

    def transform_compact_response_api_request(self, *rest: Any, **named: Any) -> Any:
        """URL and body of a compaction; adds the credential to `headers`."""
        headers = named["headers"]
        with mapped_failures(named["model"], PROVIDER):
            _authenticate(headers, named["litellm_params"])
        named["model"] = self.get_stripped_model_name(named["model"])
        return super().transform_compact_response_api_request(*rest, **named)

    def _validate_input_param(self, input: Any, *rest: Any, **named: Any) -> Any:
        """The input without `status` on replayed items, be they dicts or models."""
        # LiteLLM 1.109 passes more arguments than 1.106.
        items = super()._validate_input_param(input, *rest, **named)
        if not isinstance(items, list):
            return items
        return [_without_status(item) for item in items]

    def transform_response_api_response(
        self, model: str, raw_response: Any, logging_obj: Any
    ) -> Any:
        """The response with its cost; one in the background may lack what a finished one has."""
        logging_obj.post_call(
            original_response=raw_response.text, additional_args={"complete_input_dict": {}}
        )
        response = _read_response(raw_response, model)
        price_response(response, model, logging_obj)
        return response

    def transform_get_response_api_response(self, raw_response: Any, logging_obj: Any) -> Any:
        """A stored response, finished or not."""
        return _read_response(raw_response, _NO_MODEL)

    def transform_cancel_response_api_response(self, raw_response: Any, logging_obj: Any) -> Any:
        """A cancelled response."""
        return _read_response(raw_response, _NO_MODEL)

    def transform_streaming_response(
        self, model: str, parsed_chunk: dict[str, Any], logging_obj: Any
    ) -> Any:
        """One event; the one that ends a response has the cost in `usage.cost`."""
        # The first events of a background response lack fields that LiteLLM requires.
        held = parsed_chunk.get("response")
        if isinstance(held, dict):
            parsed_chunk = {**parsed_chunk, "response": _complete(held)}
        event = super().transform_streaming_response(model, parsed_chunk, logging_obj)
        return price_event(event, parsed_chunk, model, logging_obj)

    def should_fake_stream(self, *rest: Any, **named: Any) -> bool:
        """Never: every deployment of the Responses API streams."""
        return False

    def get_error_class(self, error_message: str, status_code: int, headers: Any) -> Any:
        """LiteLLM's exception for an error reply."""
        return _failure(status_code, headers, error_message.encode(), "")


def _read(litellm_params: Any) -> dict[str, Any]:
    return read_connection(dict(litellm_params or {}))


def _seconds(litellm_params: Any) -> float | None:
    """How long a token may take: as long as the call."""
    given = dict(litellm_params or {}).get("timeout")
    return float(given) if isinstance(given, int | float) and given > 0 else None


def _needs_credential(headers: dict[str, Any]) -> bool:
    """False where the caller set the header: a call carries one credential."""
    headers.setdefault("Content-Type", "application/json")
    return not any(name.lower() in CREDENTIAL_HEADERS for name in headers)


def _authenticate(headers: dict[str, Any], litellm_params: Any) -> None:
    if _needs_credential(headers):
        source = credentials(_read(litellm_params))
        name, value = source.header(_seconds(litellm_params))
        headers[name] = value


async def _authenticate_async(headers: dict[str, Any], litellm_params: Any) -> None:
    if _needs_credential(headers):
        source = async_credentials(_read(litellm_params))
        name, value = await source.header(_seconds(litellm_params))
        headers[name] = value


def _reasons(model: str, parameters: Mapping[str, Any]) -> bool:
    reasoning = parameters.get("reasoning")
    effort = reasoning.get("effort") if isinstance(reasoning, Mapping) else None
    return effort != "none" and (bool(reasoning) or is_reasoning_model_name(model))


def _without_status(item: Any) -> Any:
    if isinstance(item, dict) and item.get("type") in ITEMS_WITHOUT_STATUS and "status" in item:
        return {name: value for name, value in item.items() if name != "status"}
    return item


def _complete(body: Mapping[str, Any]) -> dict[str, Any]:
    """The body with the fields that LiteLLM requires and a queued response may lack."""
    missing = {
        name: value
        for name, value in {"created_at": 0, "output": []}.items()
        if body.get(name) is None
    }
    return {**body, **missing}


def _read_response(raw: Any, model: str) -> Any:
    kind = litellm_module("litellm.types.llms.openai").ResponsesAPIResponse
    try:
        body = _complete(raw.json())
    except (ValueError, TypeError):
        raise _explain(raw, model) from None
    if "id" not in body:
        raise _explain(raw, model)
    _check_readable(raw, model)
    try:
        response = kind.model_validate(body)
    except ValueError:
        # An item of a type that this version of LiteLLM has no model of: kept as it came.
        response = kind.model_construct(**body)
    headers = dict(raw.headers)
    process = litellm_module("litellm.litellm_core_utils.core_helpers").process_response_headers
    response.hidden_params["additional_headers"] = process(headers)
    response.hidden_params["headers"] = headers
    return response


def _check_readable(raw: Any, model: str) -> None:
    """Raise where the text of an answer cannot be found; LiteLLM would return an empty one."""
    # LiteLLM's models drop what they do not know, so our own look first.
    ours = mend(Response, raw.json())
    if ours is None:
        return
    ours.attach(_lower(raw.headers))
    try:
        check_readable(ours)
    except AzureResponsesError as error:
        raise to_litellm_error(error, model, PROVIDER) from None


def _explain(raw: Any, model: str) -> Exception:
    """The error for a reply with a status of success that holds no response."""
    return _failure(raw.status_code, raw.headers, raw.content, model)


def _failure(status: int, headers: Any, body: bytes, model: str) -> Exception:
    context = RequestContext("create")
    error = failure_from_reply(status, _lower(headers), body, context, time.time())
    return to_litellm_error(error, model, PROVIDER)


def _lower(headers: Any) -> dict[str, str]:
    return {str(name).lower(): str(value) for name, value in dict(headers).items()}


# LiteLLM logs a copy of the event that ends a stream, and copies lose hidden parameters. The copy
# of an event made here finds its cost again in `usage.cost`, where LiteLLM's own pricing puts it.
_ENDS = {
    "response.completed": "ResponseCompletedEvent",
    "response.incomplete": "ResponseIncompleteEvent",
}


def price_response(response: Any, deployment: str, logging_obj: Any) -> None:
    """Add the cost to a response's hidden parameters, if it is known."""
    price = _price(response.model_dump(mode="json"), deployment, logging_obj)
    if price is not None:
        response.hidden_params["response_cost"] = price


def price_event(event: Any, chunk: Mapping[str, Any], deployment: str, logging_obj: Any) -> Any:
    """The event, with its cost if it ends a response that has one."""
    name = _ENDS.get(str(chunk.get("type")))
    body = chunk.get("response")
    if name is None or not isinstance(body, Mapping) or not isinstance(body.get("usage"), Mapping):
        return event
    price = _price(body, deployment, logging_obj)
    if price is None:
        return event
    usage = {**body["usage"], "cost": price}
    try:
        return _priced(name).model_validate({**chunk, "response": {**body, "usage": usage}})
    except ValueError:
        # LiteLLM has no model of some item; it then counts the cost itself.
        return event


def _price(body: Mapping[str, Any], deployment: str, logging_obj: Any) -> float | None:
    details = getattr(logging_obj, "model_call_details", None) or {}
    about = _about(details)
    if has_own_prices(about):
        return None
    base_model, zone = read_base_model(about)
    priced = cost(dict(body), deployment=deployment, base_model=base_model, zone=zone)
    return None if priced is None else float(priced.total)


def _about(details: Mapping[str, Any]) -> dict[str, Any]:
    settings = dict(details.get("litellm_params") or {})
    metadata = settings.get("metadata") or {}
    # The router puts `model_info` into the metadata of a call.
    if not settings.get("model_info"):
        settings["model_info"] = metadata.get("model_info") or {}
    return settings


@cache
def _priced(name: str) -> Any:
    """LiteLLM's event and response, whose cost survives a copy."""
    types = litellm_module("litellm.types.llms.openai")

    class PricedResponse(types.ResponsesAPIResponse):  # type: ignore[misc, name-defined]
        @model_validator(mode="after")
        def _recall_cost(self) -> Any:
            price = getattr(self.usage, "cost", None)
            if price is not None:
                self.hidden_params["response_cost"] = price
            return self

    class PricedEvent(getattr(types, name)):  # type: ignore[misc]
        response: PricedResponse

    return PricedEvent
