"""Which deployment draws the images of the tool `image_generation`.

Azure wants its name in a header of each request with the tool, beside the deployment of the model
that answers (Azure's page "Image generation tool").
"""

from collections.abc import Iterable, Mapping
from typing import Any

from azure_responses.errors import ConfigurationError

__all__ = ["IMAGE_HEADER", "ImageDeployment", "image_headers", "read_image_deployment"]

IMAGE_HEADER = "x-ms-oai-image-generation-deployment"

ImageDeployment = str | Mapping[str, str]
"""The name of a deployment, or a mapping from the tool's `model` to names."""


def read_image_deployment(given: Any) -> ImageDeployment | None:
    """A setting as a caller gave it.

    Raises:
        ConfigurationError: it is neither a name nor a mapping from models to names.
    """
    if given is None:
        return None
    names = list(given.values()) if isinstance(given, Mapping) else [given]
    models = list(given) if isinstance(given, Mapping) else []
    if not names or not all(isinstance(one, str) and one for one in (*names, *models)):
        raise ConfigurationError(
            f"image_deployment is {given!r}.",
            hint="Write the name of an image deployment, or {gpt-image-1: its name}.",
        )
    return dict(given) if isinstance(given, Mapping) else str(given)


def image_headers(setting: ImageDeployment | None, tools: Any) -> dict[str, str]:
    """The header that a request with these tools needs; none without the tool.

    Raises:
        ConfigurationError: the setting has no deployment for the model that the tool names.
    """
    if setting is None or not isinstance(tools, Iterable) or isinstance(tools, str):
        return {}
    tool = next((one for one in tools if _field(one, "type") == "image_generation"), None)
    if tool is None:
        return {}
    if isinstance(setting, str):
        return {IMAGE_HEADER: setting}
    model = _field(tool, "model")
    if model is None and len(setting) == 1:
        return {IMAGE_HEADER: next(iter(setting.values()))}
    if model not in setting:
        named = "without a model" if model is None else f"with the model {model!r}"
        raise ConfigurationError(
            f"image_deployment has no deployment for a tool image_generation {named}.",
            hint=f"Name one of {', '.join(setting)} in the tool's model, or add it to the setting.",
        )
    return {IMAGE_HEADER: setting[model]}


def _field(holder: Any, name: str) -> Any:
    return holder.get(name) if isinstance(holder, Mapping) else getattr(holder, name, None)
