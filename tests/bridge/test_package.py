import subprocess
import sys

import pytest

from azure_responses import bridge


def test_importing_the_package_imports_no_pydantic() -> None:
    script = (
        "import sys, azure_responses.bridge as bridge\n"
        "assert 'pydantic' not in sys.modules\n"
        "assert bridge.ChatStream.__name__ == 'ChatStream'\n"
        "assert 'httpx' not in sys.modules\n"
    )
    finished = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert finished.stderr == ""


def test_every_name_resolves() -> None:
    assert bridge.__all__ == sorted(bridge.__all__)
    assert set(bridge.__all__) <= set(dir(bridge))
    assert all(getattr(bridge, name).__name__ == name for name in bridge.__all__)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Telepathy'"):
        bridge.__getattr__("Telepathy")
