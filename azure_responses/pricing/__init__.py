"""What calls cost: `cost(response)` by a packaged list of prices and by what you register.

`register` and its kin change the book that `cost` and `response.cost` use; a `PriceBook` of your
own does the same apart from it. A price that is not known gives None and one warning per model, on
the logger `azure_responses.pricing`: never 0, and never an exception.
"""

from typing import TYPE_CHECKING, Any
from warnings import warn

from azure_responses.pricing.bill import Cost
from azure_responses.pricing.book import PriceBook, default_book
from azure_responses.pricing.ledger import Ledger, LedgerRow
from azure_responses.pricing.prices import Price
from azure_responses.pricing.terms import PricedDeployment
from azure_responses.pricing.use import to_record

__all__ = [
    "Cost",
    "Ledger",
    "LedgerRow",
    "Price",
    "PriceBook",
    "PricedDeployment",
    "clear",
    "configure",
    "cost",
    "default_book",
    "price_storage",
    "pricer",
    "register",
    "register_deployment",
    "register_discount",
    "register_tool",
    "to_record",
]

cost = default_book.cost
price_storage = default_book.price_storage
pricer = default_book.pricer
register = default_book.register
register_tool = default_book.register_tool
register_deployment = default_book.register_deployment
register_discount = default_book.register_discount
configure = default_book.configure
clear = default_book.clear

if not TYPE_CHECKING:  # pragma: no branch

    def __getattr__(name: str) -> Any:
        # The routing has a `Deployment` too, which is another thing.
        if name != "Deployment":
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        warn(f"{__name__}.Deployment is now PricedDeployment.", DeprecationWarning, 2)
        return PricedDeployment
