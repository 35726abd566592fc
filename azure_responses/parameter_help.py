"""Shows the fields of a TypedDict in the signature and docstring of what takes them.

Type checkers read `**arguments: Unpack[CreateArguments]`; `help()`, IPython and Jupyter read the
function itself, which says nothing of the fields. The sentences are the docstrings under the
fields: Python drops them, so they are read from the source, once, when the function is defined.
"""

import re
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from functools import cache
from inspect import Parameter, cleandoc, getsource, signature
from typing import Annotated, Any, ForwardRef, TypeVar, Union, get_args, get_origin

__all__ = ["read_sentences", "shows_parameters"]

F = TypeVar("F", bound=Callable[..., Any])

# `ast` takes fifty times as long, which a program would notice when it starts.
_CLASS = re.compile(
    r"^class (\w+)\(\s*([\w, ]+), total=False\s*\):\n((?: {4}.*\n|\n)*)", re.MULTILINE
)
_FIELD = re.compile(r'^    (\w+): [^\n]+\n    """(.+?)"""$', re.MULTILINE | re.DOTALL)


class _Omitted:
    """The default of a parameter that is left out, as stub files write it."""

    def __repr__(self) -> str:
        return "..."


_OMITTED = _Omitted()


def shows_parameters(kind: type) -> Callable[[F], F]:
    """Show the fields of a TypedDict in place of the `**` parameter of a function or class.

    The function itself stays as it is, so that its calls cost nothing.
    """

    def show(target: F) -> F:
        shown: Any = target
        is_class = isinstance(target, type)
        # Two classes may share one __init__.
        function = shown.__init__ if is_class else shown
        found = signature(function)
        own = [
            given
            for given in found.parameters.values()
            if given.kind != Parameter.VAR_KEYWORD and given.name not in kind.__annotations__
        ]
        function.__signature__ = found.replace(parameters=[*own, *_parameters(kind)])
        target.__doc__ = f"{cleandoc(target.__doc__ or '')}\n\n{_section(kind)}"
        return target

    return show


@cache
def read_sentences(kind: type) -> Mapping[str, str]:
    """What is said under each field of a TypedDict; nothing where the source is not installed."""
    module = sys.modules[kind.__module__]
    bases, body = _classes(kind.__module__).get(kind.__name__, ("TypedDict", ""))
    found: dict[str, str] = {}
    for base in bases.split(", "):
        if base != "TypedDict":
            found |= read_sentences(getattr(module, base))
    return found | {name: " ".join(text.split()) for name, text in _FIELD.findall(body)}


@cache
def _classes(module: str) -> Mapping[str, tuple[str, str]]:
    """Name → bases and body of the TypedDicts of a module."""
    with suppress(OSError):
        found = _CLASS.finditer(getsource(sys.modules[module]))
        return {match[1]: (match[2], match[3]) for match in found}
    return {}


@cache
def _section(kind: type) -> str:
    sentences = read_sentences(kind)
    lines = (f"    {name}: {sentences.get(name, '')}" for name in kind.__annotations__)
    return "\n".join(["Keyword Args:", *lines])


@cache
def _parameters(kind: type) -> tuple[Parameter, ...]:
    return tuple(_list_parameters(kind))


def _list_parameters(kind: type) -> Iterator[Parameter]:
    for name, annotation in kind.__annotations__.items():
        plain = _plain(annotation)
        yield Parameter(name, Parameter.KEYWORD_ONLY, default=_OMITTED, annotation=plain)


def _plain(annotation: Any) -> Any:
    """A type as a reader wants it, without what only pydantic reads."""
    if isinstance(annotation, ForwardRef):
        return annotation.__forward_arg__
    origin = get_origin(annotation)
    if origin is Annotated:
        return _plain(get_args(annotation)[0])
    if origin is Union:
        return Union[tuple(_plain(option) for option in get_args(annotation))]  # noqa: UP007
    return annotation
