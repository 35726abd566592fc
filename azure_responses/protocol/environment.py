"""Which variables of the environment hold what, by the provider that a deployment's name has.

`azure` are OpenAI's models, `azure_ai` every model of a Foundry resource under LiteLLM's name for
it, and `claude` those among them that Anthropic's own client calls too. Each provider has a list of
sets of variables, and the first variable that is set counts. Of the set that names the endpoint the
key and the version are taken first: they belong to the same resource.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

__all__ = [
    "ENVIRONMENT",
    "EVERY_VARIABLE",
    "Chosen",
    "Provider",
    "choose",
    "choose_webhook_secret",
    "has_endpoint",
]

Provider = Literal["azure", "azure_ai", "claude"]

_Variables = Mapping[str, tuple[str, ...]]

ENVIRONMENT: _Variables = {
    # The names of the openai package come first, then those of LiteLLM: `AZURE_API_…`.
    "endpoint": ("AZURE_OPENAI_ENDPOINT", "AZURE_API_BASE"),
    "api_key": ("AZURE_OPENAI_API_KEY", "AZURE_API_KEY"),
    "azure_ad_token": ("AZURE_OPENAI_AD_TOKEN", "AZURE_AD_TOKEN"),
    "api_version": ("AZURE_OPENAI_API_VERSION", "OPENAI_API_VERSION", "AZURE_API_VERSION"),
    "deployment": ("AZURE_OPENAI_DEPLOYMENT",),
}
# LiteLLM's, which falls back to those of Azure OpenAI.
_FOUNDRY: _Variables = {
    "endpoint": ("AZURE_AI_API_BASE",),
    "api_key": ("AZURE_AI_API_KEY",),
    "api_version": ("AZURE_AI_API_VERSION",),
}
# Those of `anthropic.AnthropicFoundry` (anthropic 2.14.0, lib/foundry.py).
_CLAUDE: _Variables = {
    "endpoint": ("ANTHROPIC_FOUNDRY_BASE_URL", "ANTHROPIC_FOUNDRY_RESOURCE"),
    "api_key": ("ANTHROPIC_FOUNDRY_API_KEY",),
}
_SETS: Mapping[Provider, tuple[_Variables, ...]] = {
    "azure": (ENVIRONMENT,),
    "azure_ai": (_FOUNDRY, ENVIRONMENT),
    "claude": (_FOUNDRY, _CLAUDE, ENVIRONMENT),
}

EVERY_VARIABLE: _Variables = {
    name: tuple(
        variable
        for variables in (ENVIRONMENT, _FOUNDRY, _CLAUDE)
        for variable in variables.get(name, ())
    )
    for name in ENVIRONMENT
}
"""The variables that a setting may come from, of whichever provider."""


@dataclass(frozen=True)
class Chosen:
    """A setting, and the argument or variable that it came from."""

    value: str | None
    source: str
    is_explicit: bool


def choose(
    name: str,
    environ: Mapping[str, str],
    provider: Provider = "azure",
    explicit: str | None = None,
    beside: str | None = None,
) -> Chosen:
    """A setting from its argument, else from the environment.

    Args:
        name: a key of `ENVIRONMENT`.
        environ: the environment.
        provider: whose variables count.
        explicit: the argument; it wins.
        beside: the variable of the endpoint, whose set is looked at first.
    """
    if explicit is not None:
        return Chosen(explicit, name, is_explicit=True)
    for variable in _variables(name, provider, beside):
        # A variable that is set to nothing, as compose files do it, is not set.
        value = environ.get(variable, "").strip()
        if value:
            return Chosen(_complete(variable, value), variable, is_explicit=False)
    return Chosen(None, name, is_explicit=False)


def has_endpoint(environ: Mapping[str, str], provider: Provider = "azure_ai") -> bool:
    """True when the environment names an endpoint."""
    return choose("endpoint", environ, provider).value is not None


def _variables(name: str, provider: Provider, beside: str | None) -> Iterator[str]:
    sets = _SETS[provider]
    # A stable sort: the set of the endpoint's variable comes first, the others keep their order.
    for variables in sorted(sets, key=lambda one: beside not in one["endpoint"]):
        yield from variables.get(name, ())


def _complete(variable: str, value: str) -> str:
    if variable == "ANTHROPIC_FOUNDRY_RESOURCE":
        # The anthropic package takes the bare name of the resource and builds this URL (2.14.0).
        return f"https://{value}.services.ai.azure.com/anthropic"
    return value


# The second is that of the openai package.
_WEBHOOK_SECRET = ("AZURE_OPENAI_WEBHOOK_SECRET", "OPENAI_WEBHOOK_SECRET")


def choose_webhook_secret(
    environ: Mapping[str, str], explicit: str | Sequence[str] | None
) -> str | Sequence[str] | None:
    """The secret that webhooks are signed with; None where there is none."""
    if explicit is not None:
        return explicit
    found = (environ.get(variable, "").strip() for variable in _WEBHOOK_SECRET)
    return next(filter(None, found), None)
