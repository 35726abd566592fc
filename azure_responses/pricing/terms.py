"""On which terms a call is priced: which model, where, how fast, and whether it was paid ahead."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from types import MappingProxyType

from azure_responses.pricing.prices import is_version_of
from azure_responses.pricing.use import Use

__all__ = ["DATA_ZONES", "GLOBAL", "PricedDeployment", "Terms", "read_zone", "settle_terms"]

GLOBAL = "global"
_GOVERNMENT = "us-gov"
# The model's name, and the spelling of people who name deployments with underscores.
_ROUTERS = frozenset({"model-router", "model_router"})
_STANDARD = "standard"
# "auto" asks for the default; a reply that still says so was not upgraded to anything.
_TIERS: Mapping[str, str] = MappingProxyType({"auto": _STANDARD, "default": _STANDARD})

DATA_ZONES: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "us": frozenset(
            {"eastus", "eastus2", "westus", "westus2", "westus3", "centralus", "northcentralus"}
            | {"southcentralus", "westcentralus"}
        ),
        "eu": frozenset(
            {"swedencentral", "westeurope", "northeurope", "francecentral", "germanywestcentral"}
            | {"italynorth", "polandcentral", "spaincentral", "austriaeast", "belgiumcentral"}
        ),
        "apac": frozenset(
            {"australiaeast", "japaneast", "japanwest", "koreacentral", "southeastasia"}
            | {"eastasia", "centralindia", "southindia", "indonesiacentral", "malaysiawest"}
            | {"newzealandnorth"}
        ),
    }
)
"""The Azure regions of each data zone."""


@dataclass(frozen=True, slots=True)
class PricedDeployment:
    """What is known of a deployment beyond its name; None where nothing was said.

    Attributes:
        base_model: the model it serves, as `gpt-5.1`, or with a zone as `azure/us/gpt-5.1`.
        zone: `global`, a data zone (`us`, `eu`, `apac`), `us-gov`; `data-zone` for that of the
            region, `regional` for the region itself.
        region: an Azure region, `swedencentral` or "Sweden Central".
        tier: `standard`, `priority`, `flex` or `batch`, in place of the one the reply names.
        provisioned: paid for by the hour, so that a call costs nothing more.
        image_model: the model behind the image generation tool.
    """

    base_model: str | None = None
    zone: str | None = None
    region: str | None = None
    tier: str | None = None
    provisioned: bool | None = None
    image_model: str | None = None

    def over(self, other: "PricedDeployment | None") -> "PricedDeployment":
        """What is said here, and where nothing is, what the other says."""
        if other is None:
            return self
        values = {}
        for item in fields(self):
            value = getattr(self, item.name)
            values[item.name] = getattr(other, item.name) if value is None else value
        return PricedDeployment(**values)


@dataclass(frozen=True, slots=True)
class Terms:
    """The models a call may be listed under, best first, and the rest of what sets its price."""

    models: tuple[str, ...]
    zone: str
    tier: str
    is_provisioned: bool = False
    is_routed: bool = False


def settle_terms(use: Use, said: PricedDeployment, name: str | None) -> Terms:
    """Work out the terms of a call.

    Args:
        use: what the reply says.
        said: what is known of the deployment.
        name: what the deployment is called, which may be the name of a model.
    """
    base, zone = _split(said.base_model)
    is_routed = base in _ROUTERS or (base is None and _split(name)[0] in _ROUTERS)
    tier = (said.tier or use.tier or _STANDARD).lower()
    return Terms(
        models=_models(use.model, None if is_routed else base, None if is_routed else name),
        zone=read_zone(said.zone or zone, said.region or use.region),
        tier=_TIERS.get(tier, tier),
        # Microsoft's page on spillover: what a standard deployment serves is billed as its own.
        is_provisioned=bool(said.provisioned) and not use.is_spilled,
        is_routed=is_routed,
    )


def _models(served: str | None, base: str | None, name: str | None) -> tuple[str, ...]:
    """The base model, unless the reply names a version of it; the reply's; the deployment's."""
    # 1. What the user says. 2. What served, a snapshot with its date. 3. The deployment's name,
    # which many people give after the model.
    candidates = [base, _split(served)[0], _split(name)[0]]
    if base and served and is_version_of(served, base):
        candidates = [served, base]
    return tuple(dict.fromkeys(model.lower() for model in candidates if model))


def _split(model: str | None) -> tuple[str | None, str | None]:
    """`azure/us/gpt-5.1` as model and zone; prefixes of providers are taken off."""
    if model is None:
        return None, None
    parts = model.lower().split("/")
    if len(parts) > 1 and parts[0] in ("azure", "azure_ai"):
        parts = parts[1:]
    # LiteLLM's spellings: azure/responses/NAME, azure/us/NAME.
    if len(parts) > 1 and parts[0] == "responses":
        parts = parts[1:]
    zone = parts[0] if len(parts) > 1 and parts[0] in _PREFIXES else None
    return "/".join(parts[1:] if zone else parts), zone


_PREFIXES = frozenset({GLOBAL, "global-standard", _GOVERNMENT, *DATA_ZONES})


def read_zone(zone: str | None, region: str | None) -> str:
    """The zone of a price row.

    `data-zone` becomes that of the region and `regional` the region itself; without a zone it is
    `global`, or `us-gov` in a region of Azure Government.
    """
    place = _squeeze(region)
    is_government = place.startswith(("usgov", "usdod"))
    wanted = _squeeze(zone)
    # Names of deployment types are written in many ways: "DataZoneStandard", "data-zone".
    if wanted in ("datazone", "datazonestandard"):
        return next((name for name, places in DATA_ZONES.items() if place in places), "data-zone")
    if is_government and wanted in ("", "regional", "standard"):
        return _GOVERNMENT
    if wanted in ("regional", "standard"):
        return place or "regional"
    if wanted in ("", GLOBAL, "globalstandard"):
        return GLOBAL
    return _GOVERNMENT if wanted == "usgov" else wanted


def _squeeze(name: str | None) -> str:
    """`Sweden Central` and `sweden-central` as `swedencentral`."""
    return "".join(letter for letter in (name or "").lower() if letter.isalnum())
