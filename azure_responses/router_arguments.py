"""What the calls of a router take besides what a client's do."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from azure_responses.arguments import CallOptions, CreateArguments
from azure_responses.bridge import ReasoningCache, ReasoningKnowledge
from azure_responses.routing.deployment import Deployment
from azure_responses.routing.settings import OnOriginDown

__all__ = ["ChatOptions", "RoutedOptions", "RouterArguments"]


class RoutedOptions(CallOptions, total=False):
    """What any call of a router may add.

    Attributes:
        owner: who asks. Ids given out for an owner are of use to that owner alone.
        on_origin_down: for this call, in place of the router's own.
        history: input items to send in place of `previous_response_id` where
            on_origin_down="replay" needs them; None reads them from where they are stored.
    """

    owner: str | None
    on_origin_down: OnOriginDown | None
    history: Sequence[Any] | None


class RouterArguments(CreateArguments, RoutedOptions, total=False):
    """Every parameter of a response, and the options of a routed call."""


@dataclass(frozen=True, slots=True)
class ChatOptions:
    """How chat completions are served.

    Attributes:
        drop_params: leave out, with a warning, what the Responses API cannot do.
        reasoning_cache: restores what chat clients dropped.
    """

    drop_params: bool = False
    reasoning_cache: ReasoningCache | None = None
    knowledge: dict[str, ReasoningKnowledge] = field(default_factory=dict)

    def knowledge_of(self, deployment: Deployment) -> ReasoningKnowledge:
        """What has been learned of a deployment's reasoning."""
        known = self.knowledge.get(deployment.id)
        if known is None:
            known = self.knowledge.setdefault(deployment.id, ReasoningKnowledge())
        return known
