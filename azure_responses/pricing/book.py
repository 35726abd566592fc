"""A price book: the listed prices, what the user knows better, and the pricing of calls by both."""

import logging
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from azure_responses.errors import ConfigurationError
from azure_responses.fork import new_lock
from azure_responses.pricing.bill import (
    STORAGE,
    TOOLS,
    Cost,
    Rates,
    UnpriceableError,
    charge_routing,
    charge_tokens,
    charge_tools,
    find_rates,
)
from azure_responses.pricing.custom_prices import CustomCatalogue, CustomPrices
from azure_responses.pricing.media import charge_media
from azure_responses.pricing.prices import (
    EVERY_ZONE,
    NOTHING,
    Amount,
    Catalogue,
    Price,
    ToolPrice,
    read_amount,
)
from azure_responses.pricing.terms import PricedDeployment, Terms, read_zone, settle_terms
from azure_responses.pricing.use import NO_TOOLS, Tokens, Use, read_use

__all__ = ["FREE_STORAGE", "GIGABYTE", "PriceBook", "default_book", "read_configuration"]

_LOG = logging.getLogger("azure_responses.pricing")


GIGABYTE = 2**30
FREE_STORAGE = GIGABYTE
"""Bytes in vector stores that cost nothing, of a resource."""

_MOST_WARNINGS = 1000
_MOST_RATES = 500


class PriceBook:
    """Prices calls, by the prices registered with it before those that are listed.

    May be used from any number of threads and tasks. What it cannot price it says once per model
    or tool, as a warning of the logger `azure_responses.pricing`.
    """

    def __init__(self) -> None:
        self._catalogue = Catalogue()
        self._deployments: dict[str, PricedDeployment] = {}
        self._rates: dict[tuple[Any, ...], tuple[Rates | None]] = {}
        self._warned: set[str] = set()
        self._lock = new_lock()

    def register(
        self,
        model: str,
        *,
        input: Amount,
        output: Amount,
        cached_input: Amount | None = None,
        cache_write: Amount | None = None,
        zone: str | None = None,
        tier: str = "standard",
        above: int = 0,
        source: str = "registered",
    ) -> None:
        """Set a price, in US dollars per million tokens; discounts do not change it.

        Args:
            model: a model, or a name of your own for use as `base_model`.
            cached_input: None charges cached tokens as input; `cache_write` likewise.
            zone: the zone or region the price is for; None is all of them.
            above: the price is for requests of more than so many input tokens.

        Raises:
            ConfigurationError: an amount is not a sum of money.
        """
        cached = None if cached_input is None else read_amount(cached_input, "cached_input")
        write = None if cache_write is None else read_amount(cache_write, "cache_write")
        price = Price(
            input=read_amount(input, "input"),
            output=read_amount(output, "output"),
            cached_input=cached,
            cache_write=write,
            source=source,
        )
        place = EVERY_ZONE if zone is None else read_zone(zone, zone)
        with self._lock:
            self._catalogue.own.add(model, price, zone=place, tier=tier, above=above)
            self._forget()

    def register_tool(self, tool: str, price: Amount, *, model: str | None = None) -> None:
        """Set the price of a hosted tool, in US dollars per call or code interpreter session.

        `vector_storage` is the price of a GB that vector stores hold for a day.

        Raises:
            ConfigurationError: there is no such tool, or the price is not a sum of money.
        """
        if tool not in TOOLS:
            raise ConfigurationError(
                f"There is no price of {tool!r} to set.", hint=f"Name one of {', '.join(TOOLS)}."
            )
        where = tool, model.lower() if model else None
        with self._lock:
            self._catalogue.own.tools[where] = ToolPrice(read_amount(price, tool), "registered")
            self._forget()

    def register_deployment(
        self,
        name: str,
        *,
        base_model: str | None = None,
        zone: str | None = None,
        region: str | None = None,
        tier: str | None = None,
        provisioned: bool | None = None,
        image_model: str | None = None,
    ) -> None:
        """Say what a deployment is; see `PricedDeployment` for the arguments."""
        said = PricedDeployment(base_model, zone, region, tier, provisioned, image_model)
        with self._lock:
            self._deployments[name.lower()] = said
            self._forget()

    def register_discount(
        self, fraction: Amount, *, model: str | None = None, tool: str | None = None
    ) -> None:
        """Take a fraction (0.1 is ten per cent) off the listed prices.

        That of the model or tool wins over the general one; the two do not add up.

        Raises:
            ConfigurationError: the fraction is not between 0 and 1.
        """
        share = read_amount(fraction, "discount")
        if share > 1:
            raise ConfigurationError(
                f"A discount of {share} is more than all.", hint="Write ten per cent as 0.1."
            )
        name = model or tool
        with self._lock:
            self._catalogue.discounts[name.lower() if name else None] = share
            self._rates = {}

    def configure(self, settings: Mapping[str, Any]) -> None:
        """Register everything that a configuration's section on pricing holds.

        Its keys are `prices` (a list of the arguments of `register`), `deployments` (those of
        `register_deployment` by name), `tools` (prices by tool) and `discounts` (fractions by
        model or tool, `*` for all).

        Raises:
            ConfigurationError: a key or value is not one of these; nothing was registered.
        """
        # Registered in a book of its own first, so that an error leaves this one as it was.
        for book in (PriceBook(), self):
            for method, arguments in read_configuration(settings):
                getattr(book, method)(**arguments)

    def clear(self) -> None:
        """Forget everything registered, and what was warned of."""
        with self._lock:
            self._catalogue = Catalogue()
            self._deployments = {}
            self._forget()

    def cost(
        self,
        result: Any,
        *,
        deployment: str | None = None,
        base_model: str | None = None,
        region: str | None = None,
        zone: str | None = None,
        tier: str | None = None,
        provisioned: bool | None = None,
        image_model: str | None = None,
        paid_containers: Collection[str] = (),
        prices: CustomPrices | None = None,
    ) -> Cost | None:
        """What a call cost; None, and one warning per model, where no price is known.

        None without a warning for what has no token counts: a failed call, a deleted response,
        one still in progress.

        Args:
            result: a response, a chat completion, the event that ended a stream, or any of them
                as JSON; also a line of a batch's output or of the package's log.
            deployment: the deployment's name, if not the one the reply's headers give; what was
                registered for it holds unless an argument says otherwise.
            base_model, region, zone, tier, provisioned, image_model: see `PricedDeployment`.
            paid_containers: code interpreter containers whose session (an hour) is paid for.
            prices: those of the entry of a model list that the call went to.

        Raises:
            ConfigurationError: `result` is none of these.
        """
        said = PricedDeployment(base_model, zone, region, tier, provisioned, image_model)
        return self.price(read_use(result), deployment, said, paid_containers, prices)

    def price(
        self,
        use: Use,
        deployment: str | None = None,
        said: PricedDeployment | None = None,
        paid_containers: Collection[str] = (),
        prices: CustomPrices | None = None,
    ) -> Cost | None:
        """`cost` of what was already read."""
        # A failed or unfinished call has no counts; it is not worth a warning.
        if use.tokens is None:
            return None
        known, name = self._recall(use, deployment)
        said = (said or PricedDeployment()).over(known)
        try:
            terms = settle_terms(use, said, name)
            bill = self._bill(use, use.tokens, said, terms, paid_containers, prices)
        except UnpriceableError as reason:
            self._warn(reason.subject, f"The cost of a call is not known: {reason}.")
            return None
        return bill if prices is None else bill.adjust(prices.factor, prices.fee)

    def price_storage(
        self, size: int, seconds: float, *, free: int = FREE_STORAGE
    ) -> Decimal | None:
        """What vector stores cost for what they hold, in US dollars; None where no price is known.

        Args:
            size: bytes in all stores of a resource together, their `usage_bytes`.
            seconds: for how long they hold them.
            free: bytes that cost nothing: the first GB (of 2**30 bytes) of a resource.
        """
        price = self._catalogue.find_tool(STORAGE, None)
        if price is None:
            return None
        return price * max(0, size - free) / GIGABYTE * Decimal(seconds) / 86_400

    def total(
        self,
        use: Use,
        deployment: str | None = None,
        base_model: str | None = None,
        paid_containers: Collection[str] = (),
        prices: CustomPrices | None = None,
    ) -> Decimal | None:
        """The total of `price`, by a shorter way for calls that used no hosted tools.

        A gateway prices every call before it answers. What a token costs is the same for all
        calls of a deployment, so it is looked up once, until something is registered.
        """
        is_per_image = use.pictures and prices is not None and prices.image is not None
        if use.images is not None or use.audio is not None or is_per_image:
            return self._media_total(use, deployment, base_model, prices)
        if use.tokens is None:
            return None
        # The first comparison is the common case and costs nothing; the second finds equal ones.
        if use.tools is NO_TOOLS or use.tools == NO_TOOLS:
            rates = self._rates_of(use, deployment, base_model, prices)
            cost = None if rates is None else rates.cost(use.tokens)
            # Odd counts go the long way, and so do no tokens at all, which cost nothing at any
            # price. For other calls without rates it has no price either.
            if cost is not None or (rates is None and any(use.tokens)):
                return cost if prices is None or cost is None else prices.adjust(cost)
        said = PricedDeployment(base_model)
        bill = self.price(use, deployment, said, paid_containers, prices)
        return None if bill is None else bill.total

    def _media_total(
        self,
        use: Use,
        deployment: str | None,
        base_model: str | None,
        prices: CustomPrices | None,
    ) -> Decimal | None:
        known, name = self._recall(use, deployment)
        terms = settle_terms(use, PricedDeployment(base_model).over(known), name)
        catalogue = self._catalogue_of(use, prices, is_media=True)
        try:
            cost = NOTHING
            if not terms.is_provisioned:
                cost = charge_media(use, terms.models, catalogue)
            return cost if prices is None else prices.adjust(cost)
        except UnpriceableError as reason:
            self._warn(reason.subject, f"The cost of a call is not known: {reason}.")
            return None

    def _catalogue_of(
        self, use: Use, prices: CustomPrices | None, *, is_media: bool = False
    ) -> Catalogue:
        # What another deployment served in place of a full one is not at the price of the entry.
        if prices is None or use.is_spilled:
            return self._catalogue
        size = use.tools.search_size
        return CustomCatalogue(prices, self._catalogue, size, is_media=is_media)

    def _rates_of(
        self,
        use: Use,
        deployment: str | None,
        base_model: str | None,
        prices: CustomPrices | None,
    ) -> Rates | None:
        """What tokens cost on the terms of a call; None where no price is known."""
        served = (use.model, use.tier, use.deployment, use.region, use.is_spilled, use.spilled_from)
        key = (deployment, base_model, prices, *served)
        # A registration meanwhile puts a new dict in place: these rates go with the old one.
        known = self._rates
        found = known.get(key)
        if found is None:
            # Callers of a wildcard deployment may name any number of models.
            if len(known) >= _MOST_RATES:
                known.clear()
            # In a tuple, so that a missing price is remembered as well.
            found = known[key] = (self._find_rates(use, deployment, base_model, prices),)
        return found[0]

    def _find_rates(
        self,
        use: Use,
        deployment: str | None,
        base_model: str | None,
        prices: CustomPrices | None,
    ) -> Rates | None:
        known, name = self._recall(use, deployment)
        try:
            terms = settle_terms(use, PricedDeployment(base_model).over(known), name)
            return find_rates(terms, self._catalogue_of(use, prices))
        except UnpriceableError as reason:
            self._warn(reason.subject, f"The cost of a call is not known: {reason}.")
            return None

    def _forget(self) -> None:
        """Forget the rates found and what was warned of, since a price has changed."""
        self._rates = {}
        self._warned.clear()

    def pricer(self, **known: Any) -> Callable[[Any], Decimal | None]:
        """A function from a result to its total, for `Result.attach`.

        `known` are keyword arguments of `cost` that hold for every result.
        """

        def price(result: Any) -> Decimal | None:
            cost = self.cost(result, **known)
            return None if cost is None else cost.total

        return price

    def _recall(
        self, use: Use, deployment: str | None
    ) -> tuple[PricedDeployment | None, str | None]:
        """What was registered for the deployment that served, and its name.

        If nothing was registered for a deployment that stood in for a full one, what was
        registered for the full one holds: Microsoft's page on spillover asks for the same model
        and zone.
        """
        names = [deployment, use.deployment]
        # After a spillover only the headers say which deployment served.
        if use.is_spilled:
            names = [use.deployment, deployment, use.spilled_from]
        known = [self._deployments.get(name.lower()) for name in names if name]
        registered = next((said for said in known if said is not None), None)
        return registered, next((name for name in names if name), None)

    def _bill(
        self,
        use: Use,
        tokens: Tokens,
        said: PricedDeployment,
        terms: Terms,
        paid_containers: Collection[str],
        prices: CustomPrices | None,
    ) -> Cost:
        # `clear` puts another catalogue in place; one call must not be priced by two.
        catalogue = self._catalogue_of(use, prices)
        model = catalogue.find_model(terms.models, terms.zone)
        spent = charge_tokens(tokens, terms, model, catalogue)
        fee = charge_routing(tokens, terms, catalogue)
        # Tools are paid for by the use, also on a provisioned deployment.
        tools, unpriced = charge_tools(
            use.tools, model, said.image_model, paid_containers, catalogue
        )
        for tool in unpriced:
            self._warn(tool, f"The price of {tool} is not known: it is not in the cost of calls.")
        tier = "provisioned" if terms.is_provisioned else terms.tier
        name = model or next(iter(terms.models), "a model not named")
        size = f", above {spent.above}" if spent.above else ""
        return Cost(
            total=spent.input + fee + spent.cached_input + spent.output + tools,
            input=spent.input + fee,
            cached_input=spent.cached_input,
            output=spent.output,
            reasoning=spent.reasoning,
            tools=tools,
            currency="USD",
            priced_as=f"{name} ({terms.zone}, {tier}{size})",
            tier=tier,
            zone=terms.zone,
            cache_write=spent.cache_write,
            routing_fee=fee,
            unpriced=unpriced,
        )

    def _warn(self, subject: str, message: str) -> None:
        with self._lock:
            # Callers of a wildcard deployment may name any number of models.
            is_new = subject not in self._warned and len(self._warned) < _MOST_WARNINGS
            if is_new:
                self._warned.add(subject)
        if is_new:
            _LOG.warning(message)


default_book = PriceBook()
"""The book behind `azure_responses.pricing.cost` and `response.cost`."""


_SECTIONS = ("prices", "deployments", "tools", "discounts")
_PRICE = ("model", "input", "output", "cached_input", "cache_write", "zone", "tier", "above")
_NEEDED = ("model", "input", "output")
_DEPLOYMENT = ("base_model", "zone", "region", "tier", "provisioned", "image_model")

Call = tuple[str, dict[str, Any]]


def read_configuration(settings: Mapping[str, Any]) -> Iterator[Call]:
    """The methods to call and their arguments, in order.

    Raises:
        ConfigurationError: a key or the shape of a value is not known.
    """
    _check(_mapping(settings, "pricing"), _SECTIONS, "pricing")
    for row in _list(settings.get("prices") or []):
        _check(row, (*_PRICE, "source"), "a price")
        missing = [name for name in _NEEDED if name not in row]
        if missing:
            raise ConfigurationError(f"A price lacks {', '.join(missing)}: {dict(row)}.")
        yield "register", dict(row)
    for name, said in _section(settings, "deployments").items():
        _check(_mapping(said, f"deployment {name}"), _DEPLOYMENT, f"deployment {name}")
        yield "register_deployment", {"name": name, **said}
    for tool, price in _section(settings, "tools").items():
        yield "register_tool", {"tool": tool, "price": price}
    for name, fraction in _section(settings, "discounts").items():
        # Models and tools share a name space: one fraction by name.
        subject = {} if name == "*" else {"model": name}
        yield "register_discount", {"fraction": fraction, **subject}


def _section(settings: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    return _mapping(settings.get(name) or {}, name)


def _mapping(value: Any, name: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise ConfigurationError(f"{name} is {value!r}, not a mapping.")
    return value


def _list(value: Any) -> list[Mapping[str, Any]]:
    if not isinstance(value, list):
        raise ConfigurationError(f"prices is {value!r}, not a list.")
    return [_mapping(row, "a price") for row in value]


def _check(value: Mapping[str, Any], known: Sequence[str], name: str) -> None:
    unknown = [key for key in value if key not in known]
    if unknown:
        raise ConfigurationError(
            f"{name} has no setting {unknown[0]!r}.", hint=f"It has {', '.join(known)}."
        )
