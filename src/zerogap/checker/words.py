"""A certificate in words: what is claimed, by which argument, and how much slack there is."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

from zerogap.checker.balls import Refused
from zerogap.checker.check import Verdict
from zerogap.checker.kinds import KINDS
from zerogap.checker.statement import Statement, statement_of

# Every kind has a module of its own, whose first line says what it is.
_HOME = "zerogap.checker.kinds"
_BIASES = {
    ("none", "none"): "without biases",
    ("decayed", "decayed"): "biases regularised like the weights",
    ("free", "free"): "biases free",
}


def explained(certificate: Any, verdict: Verdict) -> list[str]:
    """Lines for a person, of a certificate and what `verify` said of it; never raises."""
    try:
        stated = _problem(statement_of(certificate))
        kinds = list(dict.fromkeys(_kinds(certificate.get("lower"))))
    except (Refused, AttributeError, TypeError, ValueError, LookupError) as error:
        return [f"refused   {verdict.reason or error}"]
    if not verdict.accepted:
        return [f"problem   {stated}", f"refused   {verdict.reason}"]
    lines = [f"problem   {stated}"]
    claimed = certificate["claimed"]
    lines.append(f"above     a network, evaluated: {_bound(claimed, 'primal', verdict, '≤')}")
    lines.append(f"below     weak duality: {_bound(claimed, 'dual', verdict, '≥')}")
    lines += [f"          c(Λ) by {name}: {_first_line(name)}" for name in kinds]
    if not kinds:
        lines.append("          no evidence: no objective is negative")
    if certificate.get("gap") is not None:
        how = next(iter(set(certificate["gap"]) - {"bidual"}), "a bound")
        lines.append(f"gap       {how}: {_bound(claimed, 'primal_lower', verdict, 'P ≥')}")
        upper = _bound(claimed, "dual_upper", verdict, "D ≤")
        lines.append(f"          a parallel network: {upper}")
    if certificate.get("deeper") is not None:
        lines.append(f"deeper    {_bound(claimed, 'deeper_upper', verdict, '≤')}")
    width = (verdict.primal - verdict.dual) / (verdict.primal or 1.0)
    lines.append(f"so        the gap is {verdict.status}, the bracket {width:.2g} wide, relative")
    return lines


def _problem(s: Statement) -> str:
    biases = _BIASES.get(
        s.bias, f"biases {s.bias[0]} in the first layer, {s.bias[1]} of the outputs"
    )
    n, d = s.stated.shape
    data = f"{n} samples, {d} features, {s.Y.shape[1]} outputs"
    regularizer = "½Σ‖W‖²" if not s.power else "½Σ‖W‖^L"
    if s.beta is None:
        goal = f"least {regularizer} that interpolates"
        if s.epsilon > 0:
            goal += f" up to ‖f(X) − Y‖ ≤ {float(s.epsilon.mid()):.2g}"
    else:
        goal = f"least {s.loss.name} loss + {float(s.beta.mid()):.6g}·{regularizer}"
    return f"{goal}, {s.architecture} {s.activation} networks of {s.depth} layers, {biases}; {data}"


def _bound(claimed: dict[str, Any], name: str, verdict: Verdict, sign: str) -> str:
    proved = getattr(verdict, name)
    claim = claimed.get(name)
    if claim is None:
        return f"{sign} {proved:.10g}"
    value = float.fromhex(claim)
    slack = abs(value - proved) / (abs(proved) or 1.0)
    return f"{sign} {value:.10g} (proved {proved:.10g}, slack {slack:.1g})"


def _kinds(evidence: Any) -> Iterator[str]:
    """The kinds of evidence, from the outside in."""
    if isinstance(evidence, dict):
        if evidence.get("kind") in KINDS:
            yield evidence["kind"]
        for value in evidence.values():
            yield from _kinds(value)
    elif isinstance(evidence, list):
        for value in evidence:
            if isinstance(value, dict):
                yield from _kinds(value)


def _first_line(name: str) -> str:
    """What a kind says of itself."""
    module = sys.modules.get(f"{_HOME}.{name.replace('-', '_')}")
    return ((module and module.__doc__) or name).split("\n", 1)[0]
