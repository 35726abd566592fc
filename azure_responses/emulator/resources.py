"""What an emulated subscription holds: resources and their deployments, as configuration."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Literal, get_args

from azure_responses.emulator.timing import Latency

__all__ = [
    "API", "API_KEY", "TENANT", "AgentKind", "Assumptions", "Chunking", "EmulatedAgent",
    "EmulatedDeployment", "Kind", "LimitReply", "MissingDeployment", "Network",
    "RateLimitHeaders", "Resource", "Sku",
]  # fmt: skip

# Public on purpose, and named in the documentation.
API_KEY = "emulator-key"
TENANT = "11111111-2222-3333-4444-555555555555"

LimitReply = Literal["http", "stream-A", "stream-B", "stream-C"]
RateLimitHeaders = Literal["absent", "present", "minus-one", "negative"]
Kind = Literal["standard", "provisioned"]
Sku = Literal[
    "Any", "Standard", "GlobalStandard", "DataZoneStandard", "ProvisionedManaged",
    "GlobalProvisionedManaged", "DataZoneProvisionedManaged", "GlobalBatch", "DataZoneBatch",
]  # fmt: skip
Chunking = Literal["default", "async"]
MissingDeployment = Literal["DeploymentNotFound", "model_not_found", "user_error"]
AgentKind = Literal["prompt", "hosted", "workflow", "external", "voice"]
API = Literal["responses", "chat", "messages"]
Network = Literal["open", "firewall", "private", "blocked"]


@dataclass(frozen=True)
class EmulatedDeployment:
    """A deployment: the name callers put into `model`, and what serves it.

    Attributes:
        name: the deployment name.
        model: the model it runs; the deployment name where None.
        kind: `standard`, or `provisioned` (PTU), which may spill over.
        tokens_per_minute, requests_per_minute: capacity over any 60 seconds; None is unlimited.
        spillover_to: the standard deployment that takes over on 429, 500, 503 and over-long input.
        region: display name sent as `x-ms-region`; the resource's where None.
        limit_reply: how a caller who streams learns of an exhausted limit: by HTTP 429, or by
            a 200 whose stream fails in one of three recorded event orders.
        sends_retry_after: False leaves `Retry-After` and `retry-after-ms` out of an error.
        rate_limit_headers: `x-ratelimit-*` on Responses. Recorded replies carry none (`absent`).
        latency: how long answers take; the emulator's default where None.
        chunking: `default` sends several tokens per delta, as the default content filter's buffer
            does; `async` one token per delta, as the asynchronous filter does.
        api: the only API that it answers; what its model answers on Azure where None.
        sku: the deployment type by Azure's name. `GlobalBatch` and `DataZoneBatch` take batches
            and refuse other calls (litellm#9122); the others take no batches. `Any`, which is
            what a deployment has that was not declared, takes both.
        enqueued_tokens: how many input tokens its batches may hold together; None is unlimited.
    """

    name: str
    model: str | None = None
    kind: Kind = "standard"
    tokens_per_minute: int | None = None
    requests_per_minute: int | None = None
    spillover_to: str | None = None
    region: str | None = None
    limit_reply: LimitReply = "http"
    sends_retry_after: bool = True
    rate_limit_headers: RateLimitHeaders = "absent"
    latency: Latency | None = None
    chunking: Chunking = "default"
    api: API | None = None
    sku: Sku = "GlobalStandard"
    enqueued_tokens: int | None = None

    def __post_init__(self) -> None:
        _check_choice("kind", self.kind, get_args(Kind))
        _check_choice("sku", self.sku, get_args(Sku))
        _check_capacity("enqueued_tokens", self.enqueued_tokens)
        _check_choice("limit_reply", self.limit_reply, get_args(LimitReply))
        _check_choice("rate_limit_headers", self.rate_limit_headers, get_args(RateLimitHeaders))
        _check_choice("chunking", self.chunking, get_args(Chunking))
        if self.api is not None:
            _check_choice("api", self.api, get_args(API))
        _check_capacity("tokens_per_minute", self.tokens_per_minute)
        _check_capacity("requests_per_minute", self.requests_per_minute)

    @property
    def takes_batches(self) -> bool:
        """True where it executes the requests of batches."""
        return self.sku in ("GlobalBatch", "DataZoneBatch", "Any")

    @property
    def takes_calls(self) -> bool:
        """True where it answers a call at once."""
        return self.sku not in ("GlobalBatch", "DataZoneBatch")

    @property
    def model_name(self) -> str:
        """The model that it runs: by default the one of the same name."""
        return self.model or self.name


@dataclass(frozen=True)
class EmulatedAgent:
    """One version of an agent of a Foundry project.

    Attributes:
        name: what `agent_reference` names; several entries of a name are its versions.
        model: the deployment that answers.
        instructions: how every response begins.
        tools: the tools of every response, as the Responses API writes them.
        version: which version this is; the last entry of a name is the latest.
        kind: those other than `prompt` are in preview and want the header `Foundry-Features`.
        consent_link: where a user must consent before a remote MCP tool is called: the first
            response of a conversation then holds an `oauth_consent_request`.
        project: the one project that has it; every project where None.
    """

    name: str
    model: str = "gpt-4.1"
    instructions: str | None = None
    tools: Sequence[Mapping[str, Any]] = ()
    version: str = "1"
    kind: AgentKind = "prompt"
    consent_link: str | None = None
    project: str | None = None

    def __post_init__(self) -> None:
        _check_choice("kind", self.kind, get_args(AgentKind))

    @property
    def definition(self) -> dict[str, Any]:
        """The definition as the service shows it."""
        shown: dict[str, Any] = {"kind": self.kind, "model": self.model}
        if self.instructions is not None:
            shown["instructions"] = self.instructions
        if self.tools:
            shown["tools"] = [dict(tool) for tool in self.tools]
        return shown


@dataclass
class Resource:
    """An Azure OpenAI (Foundry) resource.

    Attributes:
        name: the custom subdomain.
        keys: the two keys; either opens the resource.
        deployments: what is deployed. None, or a resource without `strict_deployments`, takes any
            deployment name as a model of that name.
        strict_deployments: unknown deployment names are refused even where `deployments` is None.
        region: display name, e.g. "East US 2".
        tenant: the Entra tenant whose tokens are taken.
        keys_enabled: False is "key based authentication is disabled".
        network: `open`, or refused by `firewall`, `private` (public access off) or `blocked`.
        role_assignments: object id of a principal → role names. None goes by the token's `roles`.
        projects: names of Foundry projects; None takes any.
        agents: the agents of its projects; None takes any name as an agent without instructions.
        hosts: further hosts it answers on, e.g. a gateway: `gw.example.com/team-a/proxy`.
        missing_deployment: which of the service's bodies answers for an unknown deployment.
        file_bytes: how many bytes of files it may hold in all; the oldest are dropped instead where
            None and the memory is full.
        audiences: what `aud` of a token may be outside of projects. Both of the public cloud where
            None; `by-host` is `https://ai.azure.com` on `services.ai.azure.com` and
            `https://cognitiveservices.azure.com` elsewhere, as Microsoft's pages have it.
    """

    name: str
    keys: list[str] = field(default_factory=lambda: [API_KEY])
    deployments: Sequence[EmulatedDeployment] | None = None
    strict_deployments: bool | None = None
    region: str = "East US 2"
    tenant: str = TENANT
    keys_enabled: bool = True
    network: Network = "open"
    role_assignments: Mapping[str, Sequence[str]] | None = None
    projects: Sequence[str] | None = None
    agents: Sequence[EmulatedAgent] | None = None
    hosts: Sequence[str] = ()
    missing_deployment: MissingDeployment = "DeploymentNotFound"
    audiences: Sequence[str] | Literal["by-host"] | None = None
    file_bytes: int | None = None

    def __post_init__(self) -> None:
        # From YAML it may be a string, whose letters would be keys.
        keys: Any = self.keys
        if not isinstance(keys, list) or not keys:
            raise ValueError("keys is a list of one or two keys")
        _check_choice("network", self.network, get_args(Network))
        _check_capacity("file_bytes", self.file_bytes)
        _check_choice("missing_deployment", self.missing_deployment, get_args(MissingDeployment))
        if isinstance(self.audiences, str) and self.audiences != "by-host":
            raise ValueError(f"audiences is a list, or 'by-host'; got {self.audiences!r}")
        names = [deployment.name for deployment in self.deployments or ()]
        if len(set(names)) < len(names):
            raise ValueError(f"deployments need different names, got {names}")

    @property
    def endpoint(self) -> str:
        """Its address on the host that the portal shows, without a slash at the end."""
        return f"https://{self.name}.openai.azure.com"

    @property
    def is_strict(self) -> bool:
        """Explicit deployments are the whole truth unless `strict_deployments` says otherwise."""
        if self.strict_deployments is None:
            return self.deployments is not None
        return self.strict_deployments

    def find_deployment(self, name: str) -> EmulatedDeployment | None:
        """The deployment of that name; any name will do where the resource is not strict."""
        for deployment in self.deployments or ():
            if deployment.name == name:
                return deployment
        return None if self.is_strict else _make_deployment(name)

    def rotate_key(self, index: int, key: str) -> None:
        """Replace key 0 or 1; calls with the old one are refused from now on."""
        self.keys[index] = key


# Callers may name anything, and each call of one deployment asks for it again.
@lru_cache(maxsize=1024)
def _make_deployment(name: str) -> EmulatedDeployment:
    return EmulatedDeployment(name, sku="Any")


def _check_choice(name: str, value: Any, choices: tuple[Any, ...]) -> None:
    if value not in choices:
        raise ValueError(f"{name} is one of {', '.join(choices)}; got {value!r}")


def _check_capacity(name: str, value: Any) -> None:
    if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < 0):
        raise ValueError(f"{name} is a whole number of 0 or more, or None; got {value!r}")


@dataclass(frozen=True)
class Assumptions:
    """Each can be switched off, to see how a program fares where Azure behaves otherwise.

    Attributes:
        accepts_message_status: a message that is sent back may keep its `status`. Codex,
            openai-agents and pydantic-ai send it; litellm#13484 reports a refusal, which is
            certain for reasoning items only.
        requires_reasoning: an item that is sent back with its id needs the reasoning item that
            it was made with (codex#6375); those that are not stored cannot be judged.
        requires_thinking: with adaptive thinking, a call of Claude needs the thinking blocks that
            it was made with; Anthropic's pages say so of manual thinking only.
        accepts_other_models_thinking: thinking of another Claude model may come back. An engineer
            of Anthropic says in anthropic-sdk-python#1598 that it may not.
        offers_compaction: `POST /responses/compact` exists. Documented in June 2026, missing in
            inspect_ai#3371 of March 2026 and in the OpenAPI description.
        offers_conversations: a resource has `/conversations`, not only its projects. They are in
            the description of v1; in January 2026 they were not there yet.
        offers_uploads: `/uploads` exists, which the description of v1 lacks.
        offers_skills: `/skills` exists, which the description of v1 lacks.
        shows_expired_containers: an expired container is shown with that status, and its use is a
            400 "Container is expired."; without it, it is a 404 as if it had never been there.
            Both are reported.
        batches_expire: a batch that takes longer than 24 hours is `expired`. Microsoft's batch
            page has that status, and says that such a batch goes on.
        refuses_full_queue: a batch beyond the enqueued tokens is refused when it is created. That
            is the newer behaviour of Microsoft's page; without it the batch fails in validation.
        lists_batches_as_data: without it the list of batches has `value` in place of `data`, as
            one sample of Microsoft's batch page has it.
        nulls_batch_file_ids: without it the ids of files that are not there yet are "" in place
            of null, as another sample has it.
    """

    accepts_message_status: bool = True
    requires_reasoning: bool = True
    requires_thinking: bool = True
    accepts_other_models_thinking: bool = True
    offers_compaction: bool = True
    offers_conversations: bool = True
    offers_uploads: bool = True
    offers_skills: bool = True
    shows_expired_containers: bool = True
    batches_expire: bool = True
    refuses_full_queue: bool = True
    lists_batches_as_data: bool = True
    nulls_batch_file_ids: bool = True
