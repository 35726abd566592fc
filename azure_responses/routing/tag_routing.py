"""Tags: which deployments of a group a call may go to, where the settings say that tags choose.

As in LiteLLM: a call that names tags goes to the deployments that have one of them (or all of them,
with `tag_filtering_match_any: false`), else to those tagged "default"; a call without tags goes to
those tagged "default", else to all. A call that continues what one resource stores goes there.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from azure_responses.errors import BadRequestError
from azure_responses.routing.deployment import Deployment

__all__ = ["TAG_HEADER", "TAG_PLACES", "matching", "no_deployment_tagged", "take_tags"]

_DEFAULT = "default"
TAG_HEADER = "x-litellm-tags"
# LiteLLM's clients name them beside the parameters, or in either kind of metadata.
_METADATA = ("metadata", "litellm_metadata")
TAG_PLACES = ("tags", *_METADATA)
"""Fields of a body in which tags may stand."""
# More would only make the choice slow.
_MOST = 50


def matching(
    deployments: Sequence[Deployment], tags: Sequence[str], *, any_of: bool
) -> tuple[Deployment, ...]:
    """The deployments that a call with these tags may go to."""
    if tags:
        test = any if any_of else all
        found = tuple(one for one in deployments if test(tag in one.tags for tag in tags))
        if found:
            return found
    usual = tuple(one for one in deployments if _DEFAULT in one.tags)
    return usual if usual or tags else tuple(deployments)


def take_tags(body: dict[str, Any], headers: Mapping[str, str] | None) -> tuple[str, ...]:
    """The tags that a caller names; they are taken out of the body, whose metadata holds text only.

    Lists alone are tags: a text of that name is the caller's own metadata.
    """
    found: list[str] = []
    if isinstance(body.get("tags"), list):
        found += _names(body.pop("tags"))
    for name in _METADATA:
        metadata = body.get(name)
        if isinstance(metadata, Mapping) and isinstance(metadata.get("tags"), list):
            found += _names(metadata["tags"])
            body[name] = {key: value for key, value in metadata.items() if key != "tags"}
    if headers is not None and TAG_HEADER in headers:
        found += _names(headers[TAG_HEADER].split(","))
    return tuple(sorted(set(found)))[:_MOST]


def _names(values: Iterable[Any]) -> list[str]:
    return [value.strip() for value in values if isinstance(value, str) and value.strip()]


def no_deployment_tagged(model: str, tags: Sequence[str]) -> BadRequestError:
    """No deployment of the group has the tags, and none is the default."""
    named = ", ".join(tags)
    return BadRequestError(
        f"No deployment of {model!r} has the tags of this call: {named}.",
        status_code=400,
        code="no_deployment_for_tags",
        param="tags",
        hint="Name other tags, or tag a deployment 'default'.",
    )
