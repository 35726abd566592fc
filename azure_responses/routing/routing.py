"""The deployments of a router, its settings, and what it knows."""

from collections.abc import Iterable, Mapping

from azure_responses.routing.ask import Ask
from azure_responses.routing.board import Board
from azure_responses.routing.deployment import Deployment
from azure_responses.routing.explain import Explanation
from azure_responses.routing.routed_call import RoutedCall
from azure_responses.routing.settings import RouterSettings

__all__ = ["Routing"]


class Routing:
    """Chooses deployments; one per router, shared by its threads and event loops.

    Attributes:
        deployments, settings: as given.
        board: what this process knows of the deployments.
        groups: the names callers may use, without aliases.
    """

    deployments: tuple[Deployment, ...]
    settings: RouterSettings
    board: Board
    groups: Mapping[str, tuple[Deployment, ...]]

    def __init__(
        self, deployments: Iterable[Deployment], settings: RouterSettings | None = None
    ) -> None:
        """Raises ConfigurationError: no deployments, two of one id, unknown fallback groups."""
        raise NotImplementedError

    def start(self, ask: Ask, now: float) -> RoutedCall:
        """Begin a call; `now` in monotonic seconds."""
        raise NotImplementedError

    def explain(self, ask: Ask, now: float) -> Explanation:
        """Which deployment would serve, and why the others would not; changes nothing."""
        raise NotImplementedError

    def group_of(self, model: str) -> tuple[Deployment, ...]:
        """The deployments behind a model name, an alias or "*"; empty when there is none."""
        raise NotImplementedError

    def by_id(self, deployment_id: str) -> Deployment | None:
        """The deployment of that id."""
        raise NotImplementedError

    def by_tag(self, tag: str) -> Deployment | None:
        """The deployment of that tag."""
        raise NotImplementedError

    def of_resource(self, resource: str) -> tuple[Deployment, ...]:
        """The deployments of the resource with that tag."""
        raise NotImplementedError

    def sole_resource(self, model: str) -> str | None:
        """The tag of the one resource behind a model name; None when there are several or none."""
        raise NotImplementedError
