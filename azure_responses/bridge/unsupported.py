"""How a conversion says that a request is invalid, or that a deployment cannot serve it.

What the caller's own API would refuse is a `BadRequestError` in that API's words. What only the
deployment cannot do is a `ConfigurationError` that names the parameter and an alternative; with
`drops_params` the parameter is left out instead, and a warning says so.
"""

from azure_responses.errors import BadRequestError, ConfigurationError

__all__ = ["Unsupported", "invalid", "missing"]


def invalid(message: str, param: str, code: str | None = None) -> BadRequestError:
    """The error for a request that the Responses API refuses, too."""
    error = {"message": message, "type": "invalid_request_error", "param": param, "code": code}
    return BadRequestError(
        message,
        status_code=400,
        code=code,
        type="invalid_request_error",
        param=param,
        body={"error": error},
    )


def missing(path: str) -> BadRequestError:
    """The service's error for a field that is not there."""
    return invalid(f"Missing required parameter: '{path}'.", path, "missing_required_parameter")


class Unsupported:
    """What a deployment cannot do: refused by name, or left out with a warning.

    Attributes:
        warnings: one sentence for each parameter that was left out.
    """

    def __init__(self, *, drops_params: bool = False) -> None:
        self.drops_params = drops_params
        self.warnings: list[str] = []

    def leave_out(self, param: str, reason: str, alternative: str) -> None:
        """Note that `param` is not sent, because of `reason`.

        Both texts are whole sentences.

        Raises:
            ConfigurationError: parameters must not be dropped. `alternative` is its hint.
        """
        if self.drops_params:
            self.warn(f"{param} was left out. {reason}")
            return
        error = ConfigurationError(f"{param} is not supported. {reason}", hint=alternative)
        error.param = param
        raise error

    def warn(self, sentence: str) -> None:
        """Note a loss that is not worth an error; the same sentence is noted once."""
        if sentence not in self.warnings:
            self.warnings.append(sentence)
