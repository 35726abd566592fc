"""Signatures, docstrings and completion name every parameter, with a sentence for each."""

import ast
import importlib
import inspect
import os
import pydoc
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any, TypedDict

import pytest

import azure_responses
from azure_responses import AsyncAzureResponses, AsyncRouter, AzureResponses, Router
from azure_responses._async.chat import AsyncCompletions
from azure_responses._async.resources import AsyncRawResponses, AsyncResponses
from azure_responses._sync.chat import Completions
from azure_responses._sync.resources import RawResponses, Responses
from azure_responses.bridge.chat_over_responses.parameters import PARAMETERS
from azure_responses.call_options import (
    ChatArguments,
    ClientArguments,
    CompactArguments,
    CreateArguments,
)
from azure_responses.doctor import diagnose
from azure_responses.functions import FunctionArguments, FunctionChatArguments
from azure_responses.parameter_help import read_sentences, shows_parameters
from azure_responses.router.arguments import (
    RouterArguments,
    RouterChatArguments,
    RouterCompactArguments,
    RouterOptions,
)
from tests.tree import PACKAGE, module_name, modules

_LONGEST = 200


_RESPONSES = (Responses, AsyncResponses, RawResponses, AsyncRawResponses)
_CALLS = {
    CreateArguments: [
        getattr(owner, name)
        for owner in _RESPONSES
        for name in ("create", "stream", "parse")
        if hasattr(owner, name)
    ],
    CompactArguments: [owner.compact for owner in _RESPONSES],
    ChatArguments: [Completions.create, AsyncCompletions.create],
    RouterArguments: [
        *(Router.responses, Router.stream, Router.parse),
        *(Router.aresponses, Router.astream, Router.aparse),
        *(AsyncRouter.responses, AsyncRouter.stream, AsyncRouter.parse),
    ],
    RouterCompactArguments: [Router.compact, Router.acompact, AsyncRouter.compact],
    RouterChatArguments: [Router.completion, Router.acompletion, AsyncRouter.completion],
    FunctionArguments: [azure_responses.responses, azure_responses.aresponses],
    FunctionChatArguments: [azure_responses.completion, azure_responses.acompletion],
    ClientArguments: [AzureResponses, AsyncAzureResponses, diagnose],
    RouterOptions: [Router, AsyncRouter, Router.of, AsyncRouter.of],
}
_each = pytest.mark.parametrize(
    ("function", "kind"),
    [
        pytest.param(function, kind, id=f"{function.__module__}.{function.__qualname__}")
        for kind, functions in _CALLS.items()
        for function in functions
    ],
)


@_each
def test_the_signature_has_every_parameter_with_its_type(
    function: Callable[..., Any], kind: type
) -> None:
    parameters = inspect.signature(function).parameters
    assert kind.__annotations__.keys() <= parameters.keys()
    for name in kind.__annotations__:
        assert parameters[name].kind is inspect.Parameter.KEYWORD_ONLY
        assert parameters[name].annotation is not inspect.Parameter.empty
    assert not any(given.kind is inspect.Parameter.VAR_KEYWORD for given in parameters.values())


@_each
def test_the_docstring_has_a_sentence_for_every_parameter(
    function: Callable[..., Any], kind: type
) -> None:
    document = inspect.getdoc(function)
    assert document is not None
    sentences = dict(
        line.strip().partition(": ")[::2]
        for line in document.partition("Keyword Args:")[2].split("\n")
    )
    for name in kind.__annotations__:
        assert sentences[name].endswith("."), name
        assert 10 < len(sentences[name]) <= _LONGEST, name


def test_help_prints_the_parameters_of_a_bound_method() -> None:
    with AzureResponses("https://r.example", api_key="k") as client:
        text = pydoc.plain(pydoc.render_doc(client.responses.create))
    assert "temperature: float | None = ..." in text
    assert "temperature: Randomness from 0 to 2" in text
    assert "tolerance" not in text


@pytest.mark.parametrize(
    ("call", "begun", "name"),
    [
        ("client.responses.create", "temp", "temperature="),
        ("client.responses.stream", "max_out", "max_output_tokens="),
        ("client.responses.parse", "reas", "reasoning="),
        ("client.responses.compact", "inst", "instructions="),
        ("client.chat.completions.create", "max_comp", "max_completion_tokens="),
        ("azure_responses.responses", "api_b", "api_base="),
        ("azure_responses.completion", "mess", "messages="),
        ("azure_responses.Router", "cool", "cooldown_time="),
        ("azure_responses.AzureResponses", "azure_ad_token_", "azure_ad_token_provider="),
    ],
)
def test_jedi_completes_parameters_as_in_a_notebook(call: str, begun: str, name: str) -> None:
    jedi = pytest.importorskip("jedi")
    with AzureResponses("https://r.example", api_key="k") as client:
        namespace = {"client": client, "azure_responses": azure_responses}
        completed = jedi.Interpreter(f"{call}({begun}", [namespace]).complete()
    assert name in [completion.name for completion in completed]


def test_every_function_that_unpacks_arguments_shows_them() -> None:
    hidden = []
    for path in modules():
        for owner, node in _functions(ast.parse(path.read_text(encoding="utf-8"))):
            kind = node.args.kwarg and ast.unparse(node.args.kwarg.annotation or ast.Constant(0))
            if not kind or not kind.startswith("Unpack[") or _is_overload(node):
                continue
            module: Any = importlib.import_module(module_name(path))
            found = vars(getattr(module, owner)) if owner else vars(module)
            function = found[node.name]
            if isinstance(function, classmethod):
                function = function.__func__
            kinds = {given.kind for given in inspect.signature(function).parameters.values()}
            if inspect.Parameter.VAR_KEYWORD in kinds:
                hidden.append(f"{module_name(path)}.{owner}.{node.name}")
    assert hidden == []


def _functions(
    tree: ast.Module,
) -> Iterator[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef]]:
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield "", node
        elif isinstance(node, ast.ClassDef):
            for inner in node.body:
                if isinstance(inner, ast.FunctionDef | ast.AsyncFunctionDef):
                    yield node.name, inner


def _is_overload(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    return "overload" in [ast.unparse(decorator) for decorator in node.decorator_list]


def test_chat_takes_exactly_the_parameters_that_the_bridge_knows() -> None:
    known = set(azure_responses.ChatParameters.__annotations__)
    assert known == PARAMETERS | {"messages", "model", "input", "user_security_context"}


def test_the_sentences_come_with_a_package_in_a_zip_file(tmp_path: Path) -> None:
    archive = tmp_path / "package.zip"
    with zipfile.ZipFile(archive, "w") as written:
        for path in PACKAGE.rglob("*.py"):
            written.write(path, path.relative_to(PACKAGE.parent))
        written.write(PACKAGE / "pricing" / "prices.json", "azure_responses/pricing/prices.json")
    program = "import azure_responses as a; print(a.__file__, a.AzureResponses.__doc__)"
    printed = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(archive)!r}); {program}"],
        cwd=tmp_path,
        # The copy in the archive is not what coverage measures.
        env={name: value for name, value in os.environ.items() if "COVERAGE" not in name},
        capture_output=True,
        text=True,
    )
    assert printed.stdout.startswith(str(archive)), printed.stderr
    assert "api_key: Key of the resource" in printed.stdout


def test_a_type_without_source_still_shows_its_parameters(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Box(TypedDict, total=False):
        size: int

    module = ModuleType("compiled_only")
    module.__file__ = "/nowhere/compiled_only.pyc"
    monkeypatch.setitem(sys.modules, "compiled_only", module)
    Box.__module__ = "compiled_only"

    @shows_parameters(Box)
    def make(**arguments: Any) -> None:
        """Make it."""

    assert read_sentences(Box) == {}
    assert str(inspect.signature(make)) == "(*, size: int = ...) -> None"
    assert make.__doc__ == "Make it.\n\nKeyword Args:\n    size: "
