"""The model strings of LiteLLM-style calls."""

__all__ = ["read_deployment"]

_PREFIXES = ("azure/responses/", "azure/")


def read_deployment(model: str) -> str:
    """The deployment in `azure/responses/<deployment>`, `azure/<deployment>` or a bare name.

    The prefix is taken off once, from the front: a deployment may have a slash in its own name.
    """
    for prefix in _PREFIXES:
        if model.startswith(prefix) and len(model) > len(prefix):
            return model.removeprefix(prefix)
    return model
