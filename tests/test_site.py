"""The documentation site: every page is in it, it builds without a warning, and no link is dead."""

import importlib.util
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest

import azure_responses

_ROOT = Path(__file__).parent.parent
_CONFIGURATION = _ROOT / "docs" / "zensical.toml"
_needs_builder = pytest.mark.skipif(
    importlib.util.find_spec("zensical") is None,
    reason="zensical is not installed: pip install 'azure-responses[docs]'",
)


def _entries(navigation: list[dict[str, Any]]) -> Iterator[str]:
    for entry in navigation:
        for target in entry.values():
            yield from _entries(target) if isinstance(target, list) else [target]


def _navigation() -> list[str]:
    configuration = tomllib.loads(_CONFIGURATION.read_text(encoding="utf-8"))
    return list(_entries(configuration["project"]["nav"]))


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The pages of the reference by name."""
    folder = tmp_path_factory.mktemp("reference")
    subprocess.run([sys.executable, _ROOT / "scripts" / "reference", folder], check=True)
    return {path.name: path.read_text(encoding="utf-8") for path in folder.iterdir()}


def test_every_page_is_in_the_navigation_once(reference: dict[str, str]) -> None:
    written = [path.relative_to(_ROOT / "docs") for path in (_ROOT / "docs").rglob("*.md")]
    generated = [f"reference/{name}" for name in reference]
    pages = [*(path.as_posix() for path in written), *generated, "changelog.md"]
    assert sorted(_navigation()) == sorted(pages)


def test_the_reference_has_every_exported_name(reference: dict[str, str]) -> None:
    headings = set(re.findall(r"^### (\w+)$", "\n".join(reference.values()), re.MULTILINE))
    assert set(azure_responses.__all__) - {"__version__"} <= headings


def test_the_reference_has_every_name_that_the_examples_import(reference: dict[str, str]) -> None:
    documents = [_ROOT / "README.md", *(_ROOT / "docs").rglob("*.md")]
    text = "\n".join(path.read_text(encoding="utf-8") for path in documents)
    statement = r"^ *from azure_responses\.[\w.]+ import \(?([\w,\s]+?)\)?$"
    imported = {
        name.strip()
        for names in re.findall(statement, text, re.MULTILINE)
        for name in names.split(",")
        if name.strip()
    }
    assert {"Emulator", "Fault"} <= imported
    headings = set(re.findall(r"^### (\w+)$", "\n".join(reference.values()), re.MULTILINE))
    assert imported - headings == set()


def test_the_reference_shows_signatures_and_docstrings(reference: dict[str, str]) -> None:
    page = reference["functions.md"]
    assert "**arguments: Unpack[FunctionArguments],\n) -> Response | Stream[Response]" in page
    assert (
        "- `AzureResponsesError`: an error of the configuration, the service or the network."
        in page
    )


def test_every_name_of_the_reference_is_explained(reference: dict[str, str]) -> None:
    sections = [
        section
        for page in reference.values()
        for section in re.split(r"^(?=#{3,4} )", page, flags=re.MULTILINE)[1:]
    ]
    bare = set()
    for section in sections:
        heading, _, body = section.partition("\n")
        is_value = re.search(r"```python\n\w+(?: =|:) ", body)
        if not is_value and not re.sub(r"```.*?```", "", body, flags=re.DOTALL).strip():
            bare.add(heading.lstrip("# "))
    assert not bare


def test_the_reference_follows_a_name_to_what_it_stands_for(reference: dict[str, str]) -> None:
    section = reference["pricing.md"].split("### cost\n")[1].split("\n### ")[0]
    assert section.lstrip().startswith("```python\ndef cost(\n    result: Any,")


def _build(root: Path, output: Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [root / "scripts" / "docs", output],
        env={"PATH": "/usr/bin:/bin", "PYTHON": sys.executable},
        capture_output=True,
        text=True,
        timeout=110,
    )


class _Page(HTMLParser):
    """The links, the anchors and the loaded files of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.loaded: list[str] = []
        self.anchors = {"", "__top"}
        self.feed(text)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attributes}
        self.anchors |= {given[name] for name in ("id", "name") if name in given}
        if tag == "a" and "href" in given:
            self.links.append(given["href"])
        loaded = given.get("src") or (given.get("href") if tag == "link" else None)
        if loaded:
            self.loaded.append(loaded)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> dict[str, _Page]:
    """The built site: its pages by path."""
    output = tmp_path_factory.mktemp("build") / "site"
    built = _build(_ROOT, output)
    assert built.returncode == 0, built.stdout + built.stderr
    pages = {
        path.relative_to(output).as_posix(): _Page(path.read_text(encoding="utf-8"))
        for path in output.rglob("*.html")
    }
    files = {path.relative_to(output).as_posix() for path in output.rglob("*") if path.is_file()}
    return {**{name: _Page("") for name in files}, **pages}


def _resolve(page: str, link: str) -> tuple[str, str]:
    """The file of the site that a relative link means, and the anchor in it."""
    parts = urlsplit(link)
    target = unquote(parts.path)
    if not target:
        return page, unquote(parts.fragment)
    found = Path("/", page).parent / target
    name = found.resolve().as_posix().lstrip("/")
    return ("index.html" if name == "." or not name else name), unquote(parts.fragment)


def _is_elsewhere(link: str) -> bool:
    return bool(urlsplit(link).scheme) or link.startswith("//")


@_needs_builder
def test_every_page_of_the_navigation_is_built(site: dict[str, _Page]) -> None:
    assert {path.removesuffix(".md") + ".html" for path in _navigation()} <= set(site)


@_needs_builder
def test_every_link_image_and_anchor_of_the_site_leads_somewhere(site: dict[str, _Page]) -> None:
    # A strict build passes over images, links to folders and missing pages of the navigation.
    dead = []
    for name, page in site.items():
        # The page for what is not found is served from any address, so its links are absolute.
        own = [link for link in page.links + page.loaded if not _is_elsewhere(link)]
        for link in own if name != "404.html" else []:
            target, anchor = _resolve(name, link)
            if target not in site or anchor not in site[target].anchors:
                dead.append(f"{name}: {link}")
    assert dead == []


@_needs_builder
def test_every_page_can_be_reached_from_the_first(site: dict[str, _Page]) -> None:
    reached, pending = set(), ["index.html"]
    while pending:
        name = pending.pop()
        if name not in reached:
            reached.add(name)
            links = [link for link in site[name].links if not _is_elsewhere(link)]
            pending += [_resolve(name, link)[0] for link in links]
    assert {name for name in site if name.endswith(".html")} - reached == {"404.html"}


@_needs_builder
def test_no_page_loads_anything_from_another_host(site: dict[str, _Page]) -> None:
    loaded = {link for page in site.values() for link in page.loaded if _is_elsewhere(link)}
    assert loaded == set()


@_needs_builder
@pytest.mark.parametrize("link", ["[gone](gone.md)", "[gone](errors.md#gone)"])
def test_a_dead_link_fails_the_build(link: str, tmp_path: Path) -> None:
    for name in ("docs", "scripts", "azure_responses"):
        shutil.copytree(_ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(_ROOT / "CHANGELOG.md", tmp_path)
    with (tmp_path / "docs" / "index.md").open("a", encoding="utf-8") as page:
        page.write(f"\n{link}\n")
    built = _build(tmp_path, tmp_path / "site")
    assert built.returncode == 1
    assert "does not exist" in built.stdout
    assert not (tmp_path / "site").exists()
