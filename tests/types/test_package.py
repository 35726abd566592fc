import importlib
import pkgutil
import subprocess
import sys

import pytest

from azure_responses import errors, types


def test_importing_the_package_imports_no_pydantic() -> None:
    script = (
        "import sys, azure_responses.types as types\n"
        "assert 'pydantic' not in sys.modules\n"
        "assert types.Response.__name__ == 'Response'\n"
        "assert 'pydantic' in sys.modules\n"
        "assert 'openai' not in sys.modules\n"
    )
    finished = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert finished.stderr == ""


def test_making_a_client_builds_no_validator() -> None:
    # Each costs time at the start of every program, and few programs need more than a dozen.
    script = (
        "import sys, azure_responses\n"
        "client = azure_responses.AzureResponses('https://r.openai.azure.com', api_key='k')\n"
        "assert client.responses and client.files\n"
        "assert 'pydantic.plugin._loader' not in sys.modules\n"
    )
    finished = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert finished.stderr == ""


def test_every_public_name_of_every_module_is_offered() -> None:
    offered: set[str] = set()
    for module in pkgutil.iter_modules(types.__path__):
        if module.name != "mending":
            names = importlib.import_module(f"azure_responses.types.{module.name}").__all__
            assert offered.isdisjoint(names)
            offered.update(names)
    assert set(types.__all__) == offered


def test_names_are_sorted_and_resolve() -> None:
    assert types.__all__ == sorted(types.__all__)
    assert set(types.__all__) <= set(dir(types))
    assert all(getattr(types, name) is not None for name in types.__all__)


def test_an_old_name_warns_and_names_the_exception_it_was_taken_for() -> None:
    with pytest.warns(
        DeprecationWarning, match=r"is azure_responses\.ContentFilterError\."
    ) as seen:
        old = types.__getattr__("ContentFilterError")
    assert old is types.ContentFilterFailure
    assert seen[0].filename == __file__


def test_no_type_has_the_name_of_an_exception() -> None:
    assert set(types.__all__).isdisjoint(errors.__all__)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Telepathy'"):
        types.__getattr__("Telepathy")
