"""Pages of the public names of the package, from their signatures and docstrings."""

import inspect
import re
from importlib import import_module
from typing import Any

# Page: what it is about, and the public names that it shows, by the modules that have them.
PAGES: dict[str, tuple[str, dict[str, tuple[str, ...]]]] = {
    "zerogap": ("The library", {"zerogap": ()}),
    "results": (
        "What comes back",
        {"zerogap.solving.audit": ("Audit",), "zerogap.model.clock": ("Progress",)},
    ),
    "sklearn": (
        "Estimators for scikit-learn",
        {
            "zerogap.sklearn": (
                "ReLURegressor", "ReLUClassifier", "LinearRegressor", "LinearClassifier",
            )
        },
    ),
    "search": ("Search over the weights", {"zerogap.convex.search": ("search",)}),
    "checker": (
        "The checker",
        {
            "zerogap.checker.check": ("verify", "Verdict", "interpolation_error"),
            "zerogap.checker.files": ("read_jsonl",),
            "zerogap.checker.words": ("explained",),
        },
    ),
}  # fmt: skip


def page(name: str) -> str:
    """The Markdown of a page."""
    title, modules = PAGES[name]
    lines = [f"# {title}\n"]
    for module, names in modules.items():
        home = import_module(module)
        lines += [f"## `{module}`\n", f"{inspect.getdoc(home)}\n"]
        for public in names or home.__all__:
            thing = getattr(home, public)
            # What the package itself has is listed under its short name alone.
            again = module != "zerogap" and any(thing is short for short in _short())
            lines.append(entry(f"{module}.{public}", thing, index=not again))
    return "\n".join(lines)


def _short() -> list[Any]:
    package = import_module("zerogap")
    return [getattr(package, name) for name in package.__all__]


def entry(name: str, thing: Any, index: bool = True) -> str:
    """A class with its public methods, or a function, as directives of Sphinx."""
    hidden = "" if index else ":no-index:\n"
    if not inspect.isclass(thing):
        return _directive("function", f"{name}{_signature(thing)}", hidden, _words(thing))
    members = []
    for key in dir(thing):
        member = inspect.getattr_static(thing, key)
        found = getattr(member, "fget", None) or getattr(member, "func", None)
        if key.startswith("_") or not _ours(member := found or getattr(thing, key)):
            continue
        kind = "property" if found else "method"
        signature = "" if found else _signature(member, method=True)
        members.append(_directive(kind, f"{key}{signature}", hidden, _words(member)))
    kind = "exception" if issubclass(thing, BaseException) else "class"
    shown = "" if kind == "exception" else _signature(thing)
    return _directive(kind, f"{name}{shown}", hidden, "\n\n".join([_words(thing), *members]))


def _ours(member: Any) -> bool:
    home = getattr(member, "__module__", None) or ""
    return callable(member) and home.startswith("zerogap") and bool(inspect.getdoc(member))


class _Text(str):
    """An annotation that is text already."""

    def __repr__(self) -> str:
        return str(self)


def _signature(thing: Any, method: bool = False) -> str:
    signature = inspect.signature(thing)
    parameters = [
        p.replace(annotation=_Text(p.annotation)) if isinstance(p.annotation, str) else p
        for p in signature.parameters.values()
    ]
    if method and parameters and parameters[0].name in ("self", "cls"):
        parameters = parameters[1:]
    back = signature.return_annotation
    if inspect.isclass(thing):
        back = inspect.Signature.empty
    elif isinstance(back, str):
        back = _Text(back)
    text = str(signature.replace(parameters=parameters, return_annotation=back))
    # <factory>: what dataclasses make of a field that is computed.
    return re.sub(r"\b(?:zerogap|collections|typing)\.(?:\w+\.)*", "", text).replace(
        "<factory>", "…"
    )


def _words(thing: Any) -> str:
    """The docstring; the names of what is described in it stand out."""
    own = inspect.getdoc(thing) or ""
    if inspect.isclass(thing):  # of a base that has more to say
        bases = (inspect.cleandoc(b.__doc__ or "") for b in thing.__mro__[1:-1] if _described(b))
        own = "\n\n".join(dict.fromkeys([own, *bases]))
    return re.sub(r"(?m)(^|(?<=[.;] ))((?:[a-z]\w*(?:, )?)+): ", r"\1**\2**: ", own)


def _described(base: type) -> bool:
    return base.__module__.startswith("zerogap") and bool(base.__doc__)


def _directive(kind: str, head: str, options: str, body: str) -> str:
    longest = max([2, *(len(match) for match in re.findall(r"^:{3,}", body, re.MULTILINE))])
    fence = ":" * (longest + 1)
    return f"{fence}{{py:{kind}}} {head}\n{options}\n{body}\n{fence}\n"
