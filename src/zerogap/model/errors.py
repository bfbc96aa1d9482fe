"""Every way zerogap can refuse, each with one line that says what is accepted."""

from collections.abc import Callable
from typing import Any


class ZerogapError(Exception):
    """Base of all errors that zerogap raises on purpose.

    Its text is one printable line, whatever was quoted from a file or a command line.
    """

    def __str__(self) -> str:
        text = super().__str__()
        return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


class ProblemError(ZerogapError, ValueError):
    """A problem's data or options are malformed."""


class InfeasibleError(ProblemError):
    """No network of the asked kind interpolates the data."""


class MethodError(ZerogapError):
    """No method computes what was asked at this size, or a solver failed."""


class DataError(ZerogapError):
    """A data, result or certificate file cannot be read."""


class ConfigError(ZerogapError):
    """A configuration names or asks for something that does not exist."""


def what_failed(step: str, error: Exception) -> str:
    """One line for the record: the step, and what it raised."""
    text = error if isinstance(error, ZerogapError) else f"{type(error).__name__}: {error}"
    return f"{step}: {' '.join(str(text).split())}"


def attempt(failures: list[str], step: str, function: Callable[..., Any], *arguments: Any) -> Any:
    """What a step that may fail returns, or None with its failure noted."""
    try:
        return function(*arguments)
    except Exception as error:  # solvers fail in their own ways
        failures.append(what_failed(step, error))
        return None
