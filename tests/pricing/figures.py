"""Where the figures are from which the packaged prices are built."""

import os
from pathlib import Path

import pytest

__all__ = ["figures_path"]

_BESIDE = Path(__file__).parent.parent.parent.parent / "shared" / "data" / "azure_prices.json"


def figures_path() -> Path:
    """`../shared/data/azure_prices.json`, or AZURE_RESPONSES_PRICES; skips where absent."""
    path = Path(os.environ.get("AZURE_RESPONSES_PRICES") or _BESIDE)
    if not path.is_file():
        pytest.skip("no figures to build prices from: set AZURE_RESPONSES_PRICES")
    return path
