"""Settings of every test."""

import os
import signal
from typing import Any

import pytest
from hypothesis import settings

from tests.costs import COSTS
from tests.tree import TESTS

# The `-m` of pyproject.toml.
_QUICK = "not (served or peer or slow)"

# How long an example takes says more about the machine than about the code. The check tries the
# same examples every time; whoever develops tries new ones.
settings.register_profile("untimed", deadline=None, derandomize="CI" in os.environ)
settings.load_profile("untimed")

# A shell without job control starts a command in the background with SIGINT ignored, and every
# process that the tests start would inherit that: servers and commands could not be interrupted.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_configure(config: pytest.Config) -> None:
    """Run everything in the files that are named; only a run of all the tests leaves some out."""
    worker = getattr(config, "workerinput", None)
    if worker is None:
        runs_all = config.args_source is pytest.Config.ArgsSource.ARGS
    else:
        # A worker of xdist gets the collected folders as arguments, also where none were named.
        runs_all = worker["runs_all"]
    if runs_all and config.option.markexpr == _QUICK:
        config.option.markexpr = ""


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell a worker of xdist whether files were named."""
    node.workerinput["runs_all"] = node.config.args_source is pytest.Config.ArgsSource.ARGS


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark each test by what its file costs."""
    for item in items:
        place = item.path.relative_to(TESTS).as_posix()
        for cost, files in COSTS.items():
            if place in files:
                item.add_marker(cost)
