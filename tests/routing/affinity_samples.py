"""Two deployments on two resources, and a signer that knows them."""

from azure_responses.routing.deployment import Deployment
from azure_responses.routing.signed_id import IdSigner, make_tag

__all__ = [
    "EAST",
    "LABELLER",
    "RESPONSE_ID",
    "SECRET",
    "WEST",
    "ciphertext",
    "id_of",
    "object_id_of",
]

SECRET = b"thirty-two bytes that are secret"
LABELLER = IdSigner([SECRET])
RESPONSE_ID = "resp_0742d30c1d273351016a6145f48170819f9d1cdfc7d5d7887a"


def _deployment(name: str) -> Deployment:
    return Deployment(name, "gpt", "gpt-5", make_tag(name), make_tag(f"https://{name}.example"))


EAST = _deployment("east")
WEST = _deployment("west")


def id_of(inner: str, deployment: Deployment = EAST, owner: str | None = None) -> str:
    """The label of an id of this deployment."""
    return LABELLER.label_id(
        inner, deployment_tag=deployment.tag, resource_tag=deployment.resource, owner=owner
    )


def object_id_of(inner: str) -> str:
    """The label of a file, a container or a vector store of the eastern resource."""
    return LABELLER.label_id(inner, deployment_tag=EAST.resource, resource_tag=EAST.resource)


def ciphertext(inner: str, deployment: Deployment = EAST) -> str:
    """Encrypted content as this deployment's label makes it."""
    return LABELLER.label_ciphertext(
        inner, deployment_tag=deployment.tag, resource_tag=deployment.resource
    )
