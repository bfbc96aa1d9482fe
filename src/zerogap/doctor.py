"""What is installed, on what machine, and whether it works: zerogap doctor.

Problems whose optimum is known in closed form are solved and proved, and claims that are a
hundredth better than the truth must be refused.
"""

from __future__ import annotations

import os
import platform
import re
import time
from copy import deepcopy
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from typing import Any

import numpy as np

from zerogap import __version__

_LINE, _PLANE = np.array([[1.0], [-1.0]]), np.eye(2)
_TWO = {"X": _LINE, "Y": _LINE, "activation": "relu", "architecture": "parallel", "depth": 2}
_SUM = {"X": np.vstack([_PLANE, [1, 1]]), "Y": np.array([[1.0], [1.0], [2.0]])}
_POWER = {"activation": "relu", "architecture": "parallel", "depth": 3, "regularizer": "power"}
_STANDARD = {"architecture": "standard", "depth": 3}
# Of every main kind a problem, its optimum, and its dual value.
CASES: dict[str, tuple[dict[str, Any], float, float]] = {
    "two layers, interpolating": (_TWO, 2, 2),
    "two layers, squares": (_TWO | {"beta": 0.1}, 0.19, 0.19),
    "two layers, hinge": (_TWO | {"beta": 0.1, "loss": "hinge"}, 0.2, 0.2),
    "parallel, three layers": (_SUM | _POWER, 1.5 * 2**0.5, 1.5 * 2**0.5),
    "rank one, three layers": (
        {"X": _LINE, "Y": _LINE, "activation": "relu"} | _STANDARD, 3, 1.5 * 2 ** (2 / 3),
    ),
    "whitened, three layers": (
        {"X": _PLANE, "Y": _PLANE, "activation": "relu"} | _STANDARD, 3, 1.5 * 2 ** (2 / 3),
    ),
    "linear, three layers": (
        {"X": _PLANE, "Y": _PLANE, "activation": "linear"} | _STANDARD, 3, 1.5 * 2 ** (2 / 3),
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Check:
    """One problem: why it failed, or nothing, and the seconds it took."""

    name: str
    fault: str
    seconds: float


@dataclass(frozen=True)
class Report:
    """What was found. packages: by extra ("library": what is always needed), name to version.

    A package that is not installed has the version None; without metadata of zerogap itself, which
    a bare checkout lacks, there are no packages. memory: bytes, None where the system does not say.
    """

    zerogap: str
    location: str
    python: str
    system: str
    cores: int
    memory: int | None
    packages: dict[str, dict[str, str | None]]
    checks: list[Check]

    @property
    def healthy(self) -> bool:
        """Whether all that the library needs is there, and every check passed."""
        there = None not in self.packages.get("library", {}).values()
        return there and not any(check.fault for check in self.checks)

    def as_json(self) -> dict[str, Any]:
        """All of it, for scripts."""
        return asdict(self) | {"healthy": self.healthy}

    def lines(self) -> list[str]:
        """All of it, for people."""
        memory = f", {self.memory / 2**30:.1f} GiB" if self.memory else ""
        cores = f"{self.cores} core{'s' if self.cores > 1 else ''}"
        said = [
            f"zerogap      {self.zerogap}   ({self.location})",
            f"python       {self.python}",
            f"machine      {self.system}, {cores}{memory}",
        ]
        for extra, found in self.packages.items():
            there = ", ".join(f"{name} {number}" for name, number in found.items() if number)
            absent = ", ".join(name for name, number in found.items() if number is None)
            said.append(
                f"{extra:<12} {there}" + f"{'; ' if there else ''}not {absent}" * bool(absent)
            )
        for check in self.checks:
            result = check.fault or "solved, proved, and nothing better is accepted"
            said.append(f"{check.name:<26} {result}   ({check.seconds:.2f} s)")
        return [*said, f"healthy      {'yes' if self.healthy else 'no'}"]


def examine() -> Report:
    """Look at the installation and the machine, and solve the small problems."""
    usable = getattr(os, "sched_getaffinity", None)
    return Report(
        __version__,
        str(Path(__file__).parent),
        platform.python_version(),
        f"{platform.system()} {platform.machine()}",
        len(usable(0)) if usable else os.cpu_count() or 1,
        _memory(),
        _packages(),
        [_check(name, *case) for name, case in CASES.items()],
    )


def _memory() -> int | None:
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, OSError, ValueError):
        return None


def _packages() -> dict[str, dict[str, str | None]]:
    """What zerogap declares to need, by extra."""
    try:
        declared = requires("zerogap") or []
    except PackageNotFoundError:
        return {}
    found: dict[str, dict[str, str | None]] = {"library": {}}
    for requirement in declared:
        name = re.split(r"[\s;<>=!~\[(]", requirement)[0]
        extra = re.search(r"extra == [\"']([\w-]+)", requirement)
        if name != "zerogap":
            found.setdefault(extra[1] if extra else "library", {})[name] = _version(name)
    return found


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _check(name: str, options: dict[str, Any], optimum: float, dual: float) -> Check:
    started = time.perf_counter()
    try:
        fault = _fault(options, optimum, dual)
    except Exception as error:  # whatever an installation does wrong is what is asked for
        fault = f"failed: {type(error).__name__}: {error}"
    return Check(name, fault, time.perf_counter() - started)


def _fault(options: dict[str, Any], optimum: float, dual: float) -> str:
    """What is wrong with how a problem is solved and proved, or nothing."""
    from zerogap.checker.check import verify
    from zerogap.model.problem import Problem
    from zerogap.solving.solver import solve

    bounds = solve(Problem(**options))
    for value, known in ((bounds.primal, optimum), (bounds.dual, dual)):
        if abs(value - known) > 1e-6 * known:
            return f"found {value:.9g} where {known:.9g} is right"
    verdict = verify(bounds.certificate)
    if not verdict.accepted:
        return f"its certificate is refused: {verdict.reason}"
    if verdict.status != ("zero" if optimum == dual else "positive"):
        return f"the gap is proved {verdict.status}, which it is not"
    for claim, better in (("primal", 0.99 * optimum), ("dual", 1.01 * dual)):
        forged = deepcopy(bounds.certificate)
        forged["claimed"][claim] = better.hex()
        if verify(forged).accepted:
            return f"a {claim} of {better:.9g} is accepted, and {claim} is {value:.9g}"
    return ""
