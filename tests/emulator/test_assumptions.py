"""What is assumed is documented."""

from dataclasses import fields

from azure_responses.emulator import Assumptions
from tests.tree import PACKAGE


def test_every_assumption_is_on_the_page_and_holds_by_default() -> None:
    page = (PACKAGE.parent / "docs" / "emulator.md").read_text(encoding="utf-8")
    for field in fields(Assumptions):
        assert f"| `{field.name}` |" in page
        assert field.default is True
