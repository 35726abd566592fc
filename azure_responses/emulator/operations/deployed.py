"""What all operations of a deployment share: who serves it, its kind of model, its limits."""

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from azure_responses.emulator.dispatch import EmulatedCall, admit, check_sku, serve
from azure_responses.emulator.http_messages import PlannedReply, chat_headers
from azure_responses.emulator.limits import rate_limit_headers
from azure_responses.emulator.model_catalog import is_text_model
from azure_responses.emulator.resources import EmulatedDeployment
from azure_responses.emulator.service_errors import operation_not_supported

__all__ = ["check_text_model", "find_kind", "flag", "on_deployment", "spend"]

Work = Callable[[EmulatedCall, EmulatedDeployment], PlannedReply]

# By words of the model's name; any operation may call a model without them.
_KINDS = (
    ("embeddings", re.compile(r"text-embedding|embed-v|ada-002")),
    ("images", re.compile(r"gpt-image|dall-e|flux")),
    ("speech", re.compile(r"(?:^|-)tts(?:-|$)")),
    ("transcriptions", re.compile(r"whisper|-transcribe")),
)


@lru_cache(maxsize=1024)
def find_kind(model: str) -> str | None:
    """`embeddings`, `images`, `speech` or `transcriptions`; None for a model of text."""
    name = model.lower()
    return next((kind for kind, words in _KINDS if words.search(name)), None)


def check_text_model(deployment: EmulatedDeployment, operation: str) -> None:
    """Raise the 400 for a model that answers with something else than text."""
    if find_kind(deployment.model_name) is not None:
        raise operation_not_supported(operation, deployment.model_name)


def on_deployment(call: EmulatedCall, kind: str, work: Work) -> PlannedReply:
    """The reply of `work` on the deployment that the call names.

    Raises ServiceError for an unknown deployment and for a model of another kind.
    """

    def begin(call: EmulatedCall, deployment: EmulatedDeployment) -> PlannedReply:
        call.raise_fault()
        model = deployment.model_name
        found = find_kind(model)
        if found != kind and (found is not None or is_text_model(model)):
            raise operation_not_supported(kind, model)
        check_sku(call, deployment, kind)
        reply = work(call, deployment)
        account = call.account
        reply.region = deployment.region
        reply.headers += chat_headers(deployment.name, account.mint)
        mode = "present" if deployment.rate_limit_headers == "absent" else None
        reply.headers += rate_limit_headers(deployment, account.window(deployment), call.now, mode)
        return reply

    return serve(call, call.account.deployment(call.deployment_name), begin)


def spend(call: EmulatedCall, deployment: EmulatedDeployment, tokens: int) -> float:
    """Take the tokens of the deployment's minute; the answer is how long the reply takes.

    Raises ServiceError (429) where it has no room.
    """
    account = call.account
    admit(call, deployment, tokens)
    account.window(deployment).spend(call.now, tokens)
    return account.latency_of(deployment).whole(1, account.dice)


def flag(value: Any) -> bool:
    """True for a true value of JSON, and for its text in a form."""
    return value is True or str(value).lower() == "true"
