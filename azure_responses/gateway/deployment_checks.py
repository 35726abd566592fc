"""Calls each deployment once, to find what is wrong with an entry before callers do."""

import asyncio
import json
import re
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, NamedTuple

from azure_responses.errors import AzureResponsesError, RateLimitError
from azure_responses.gateway.schema import ROUTER, GatewaySettings
from azure_responses.openai_server import ApiRequest, AsyncOpenAIServer
from azure_responses.router import Router
from azure_responses.routing.deployment import ANY_MODEL, Deployment
from azure_responses.store.factory import REDIS_KEYS

__all__ = ["DeploymentCheck", "DeploymentChecks"]

CheckState = Literal["healthy", "unhealthy", "skipped"]

_MOST_AT_ONCE = 8
# Azure takes no lower limit of output tokens.
_OUTPUT_TOKENS = 16
_TEXT = ("/v1/responses", {"input": "Reply with: ok", "max_output_tokens": _OUTPUT_TOKENS})
_CALLS: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "chat": _TEXT,
    "completion": _TEXT,
    "responses": _TEXT,
    "embedding": ("/v1/embeddings", {"input": "ok"}),
    "audio_speech": ("/v1/audio/speech", {"input": "ok", "voice": "alloy"}),
}
"""LiteLLM's `model_info.mode` → the cheapest call; other modes are not called."""

# What a model's name says of its mode, where the entry says nothing.
_MODES_OF_NAMES = (
    (re.compile("embed"), "embedding"),
    (re.compile("gpt-image|dall-e|flux"), "image_generation"),
    (re.compile("whisper|transcribe"), "audio_transcription"),
    (re.compile("tts"), "audio_speech"),
    (re.compile("sora"), "video_generation"),
    (re.compile("realtime"), "realtime"),
)
# Callers of the router would hear of these calls, or share limits with them.
_LEFT_OUT = ROUTER | REDIS_KEYS | {"on_error", "on_response", "response_texts"}


class DeploymentCheck(NamedTuple):
    """What a check found.

    Attributes:
        deployment: what was called.
        state: "skipped" where no cheap call exists; `detail` then says why.
        detail: what is wrong or to be known, else empty.
        hint: what to do about it, or None.
        status: of the refusal, as HTTP has it, or None.
        seconds: how long the call took.
        checked_at: when, in unix seconds.
    """

    deployment: Deployment
    state: CheckState
    detail: str
    hint: str | None
    status: int | None
    seconds: float
    checked_at: float

    def to_dict(self, *, has_details: bool = True) -> dict[str, Any]:
        """As JSON, with LiteLLM's names where it has some."""
        one = self.deployment
        found = {
            "model": one.model,
            "model_name": one.group,
            "model_id": one.id,
            "seconds": round(self.seconds, 3),
            "checked_at": round(self.checked_at, 3),
        }
        if not has_details:
            return found
        key = "error" if self.state == "unhealthy" else "note"
        details = {"host": one.host, key: self.detail, "hint": self.hint, "status": self.status}
        return found | {name: value for name, value in details.items() if value}


class DeploymentChecks:
    """Checks the deployments of a router, and keeps the last results.

    Each check makes a router of one entry, without retries, fallbacks and shared limits, and calls
    it as callers do: with the entry's own credential, version, parameters and API.

    Args:
        settings: the entries, and when their results are too old.
        options: further arguments of the router that serves callers.
        router: that router, whose deployments are those of the entries.
    """

    def __init__(
        self, settings: GatewaySettings, options: Mapping[str, Any], router: Router
    ) -> None:
        kept = {name: value for name, value in options.items() if name not in _LEFT_OUT}
        self._options = {
            **kept,
            "num_retries": 0,
            "disable_cooldowns": True,
            "timeout": settings.health_check_timeout,
        }
        self._registry = router.parts.reader.routing
        # A router has its deployments in the order of its entries.
        pairs = zip(self._registry.deployments, settings.model_list, strict=True)
        self._entries = [(one, _with_id(entry, one.id)) for one, entry in pairs]
        self._max_age = settings.health_check_interval
        self._is_background = settings.background_health_checks
        self._cools_down = settings.enable_health_check_routing
        self._lock = asyncio.Lock()
        self._results: dict[str, DeploymentCheck] = {}
        self._task: asyncio.Task[None] | None = None

    async def run(
        self,
        group: str | None = None,
        *,
        on_result: Callable[[DeploymentCheck], None] | None = None,
    ) -> list[DeploymentCheck]:
        """Call every deployment, or those of one group, now."""
        places = asyncio.Semaphore(_MOST_AT_ONCE)

        async def check(deployment: Deployment, entry: Mapping[str, Any]) -> DeploymentCheck:
            async with places:
                result = await self._check(deployment, entry)
            self._note(result)
            if on_result is not None:
                on_result(result)
            return result

        return list(await asyncio.gather(*(check(*pair) for pair in self._of(group))))

    async def latest(self, group: str | None = None) -> list[DeploymentCheck]:
        """The last results; those older than `health_check_interval` are made anew first."""
        async with self._lock:
            oldest = time.time() - self._max_age
            ids = [deployment.id for deployment, _ in self._of(group)]
            results = [self._results.get(each) for each in ids]
            if any(result is None or result.checked_at < oldest for result in results):
                return await self.run(group)
            return [result for result in results if result is not None]

    def start(self) -> None:
        """Check in the background from now on, where the settings say so."""
        if self._is_background:
            self._task = asyncio.ensure_future(self._repeat())

    async def aclose(self) -> None:
        """Stop checking."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})

    async def _repeat(self) -> None:
        while True:
            async with self._lock:
                await self.run()
            await asyncio.sleep(self._max_age)

    def _of(self, group: str | None) -> Sequence[tuple[Deployment, Mapping[str, Any]]]:
        if group is None:
            return self._entries
        ids = {deployment.id for deployment in self._registry.group_of(group)}
        return [pair for pair in self._entries if pair[0].id in ids]

    def _note(self, result: DeploymentCheck) -> None:
        self._results[result.deployment.id] = result
        if self._cools_down and result.state == "unhealthy":
            cooldowns = {result.deployment.id: self._max_age}
            self._registry.health.learn(cooldowns, time.monotonic())

    async def _check(self, deployment: Deployment, entry: Mapping[str, Any]) -> DeploymentCheck:
        began, now = time.monotonic(), time.time()
        state: CheckState = "healthy"
        detail, hint, status = "", None, None
        reason = _reason_to_skip(deployment)
        try:
            if reason is None or deployment.model == ANY_MODEL or deployment.is_batch:
                await self._call(deployment, entry)
        except RateLimitError as error:
            # The refusal shows that everything before the limit is in order.
            detail, status = f"Its limit is reached now: {error.message}", error.status_code
        except AzureResponsesError as error:
            state, detail, hint = "unhealthy", error.message, error.hint
            status = getattr(error, "status_code", None)
        else:
            state, detail = ("healthy", "") if reason is None else ("skipped", reason)
        return DeploymentCheck(
            deployment, state, detail, hint, status, time.monotonic() - began, now
        )

    async def _call(self, deployment: Deployment, entry: Mapping[str, Any]) -> None:
        async with Router([entry], **self._options) as router:
            if deployment.model == ANY_MODEL or deployment.is_batch:
                # The list is free, and shows that the endpoint and the credential are in order.
                own = router.parts.reader.routing.deployments[0]
                await router.parts.async_calls.targets.of(own).client.models.list()
                return
            path, parameters = _CALLS[_mode_of(deployment)]
            body = json.dumps({"model": deployment.group, **parameters}).encode()
            reply = await AsyncOpenAIServer(router).handle(
                ApiRequest("POST", path, "", {"content-type": "application/json"}, body)
            )
        if isinstance(reply.summary.error, AzureResponsesError):
            raise reply.summary.error


def _with_id(entry: Mapping[str, Any], identity: str) -> Mapping[str, Any]:
    """The entry with the id that its deployment has among the others, for messages."""
    return {**entry, "model_info": {**(entry.get("model_info") or {}), "id": identity}}


def _reason_to_skip(deployment: Deployment) -> str | None:
    if deployment.is_batch:
        return "It takes batches only; its endpoint and credential were checked."
    if deployment.model == ANY_MODEL:
        return "Its entry names no deployment; its endpoint and credential were checked."
    mode = _mode_of(deployment)
    return None if mode in _CALLS else f"It is not called: no call of mode {mode!r} is cheap."


def _mode_of(deployment: Deployment) -> str:
    given = deployment.info.get("mode")
    if isinstance(given, str):
        return given
    name = (deployment.base_model or deployment.model).lower()
    return next((mode for pattern, mode in _MODES_OF_NAMES if pattern.search(name)), "responses")
