"""Is a certificate true? The only judge of "certified": no solver, no tolerance, no trust.

A certificate states a problem, a network (upper bound), multipliers with evidence (lower bound)
and the values claimed. Everything is proved again from the exact values of its float64 numbers and
rounded against the claim; what is not proved is refused with the reason. Proofs are in balls or
rationals, but for four that are in float64 with every rounding charged: levels by `cones`,
`moments` and `layers`, and batches of scalar levels (`tree` and `cover`). The format and the
mathematics of every kind of evidence: docs/certificates.md.
"""

import math
import time
from dataclasses import dataclass
from typing import Any

from flint import ctx

from zerogap.checker.balls import PRECISION, Refused, down, up
from zerogap.checker.budget import budget
from zerogap.checker.deeper import deeper
from zerogap.checker.exact import exact_values
from zerogap.checker.gap import gap
from zerogap.checker.levels import dual
from zerogap.checker.limits import MAX_REASON
from zerogap.checker.pricing import forget
from zerogap.checker.reading import branches_of, get, number
from zerogap.checker.statement import FORMAT, VERSION, Statement, digest, statement_of
from zerogap.checker.upper import missed, output_bias, primal, residual

# The claims, and whether a proof must be at most (1) or at least (−1) what is claimed.
_CLAIMS = {"primal": 1, "dual": -1, "primal_lower": -1, "dual_upper": 1, "deeper_upper": 1}


@dataclass(frozen=True)
class Verdict:
    """What a certificate proves.

    Total values: the optimum P lies in [primal_lower, primal], the dual value in [dual,
    dual_upper], all for interpolation up to epsilon where beta is null. status: "zero" if
    primal − dual is at most the tolerance times the primal, "positive" if primal_lower − dual_upper
    is more than that, else "open". Where epsilon is not 0 this is said of the problem as it stands
    only if exact interpolation, but for a rounding of Y, is proved to change nothing; else the
    status is "zero up to ε" or "positive up to ε". deeper_upper: where finite, it is less than
    dual, and bounds the dual value of parallel networks of a stated greater depth, or of their path
    program, from above (with the problem's factor L/2). problem: the digest of the problem that is
    stated, which binds a row of a table to its certificate. operations: what the proof took
    (budget.py), the same on every machine. Not accepted: reason says why, and nothing is proved.
    """

    accepted: bool
    reason: str
    primal: float = math.inf
    dual: float = -math.inf
    primal_lower: float = -math.inf
    dual_upper: float = math.inf
    deeper_upper: float = math.inf
    status: str = "open"
    problem: str = ""
    epsilon: float = 0.0
    seconds: float = 0.0
    operations: float = 0.0

    @property
    def verdict(self) -> str:
        """The status, whether or not only up to ε: "zero", "positive" or "open"."""
        return self.status.split()[0]


def verify(certificate: Any, tolerance: float = 1e-6) -> Verdict:
    """Prove every claim of a certificate, or refuse it with the reason. Never raises.

    tolerance decides the verdict's status alone; no proof depends on it.
    """
    start, spent = time.perf_counter(), [0.0]
    forget()
    try:
        with ctx.workprec(PRECISION), budget(spent):
            fields = _verify(certificate, tolerance)
    except Refused as refusal:
        fields = {"accepted": False, "reason": str(refusal)}
    except Exception as error:  # anything unforeseen is a refusal, never an acceptance
        reason = " ".join(f"malformed: {type(error).__name__}: {error}".split())
        fields = {"accepted": False, "reason": reason}
    fields["reason"] = fields["reason"][:MAX_REASON]
    return Verdict(**fields, seconds=time.perf_counter() - start, operations=spent[0])


def interpolation_error(certificate: Any) -> float:
    """The least epsilon that the networks of a certificate allow, as this module proves it."""
    with ctx.workprec(PRECISION):
        statement = statement_of(certificate)
        network = certificate["upper"]
        branches, bias = branches_of(network, "upper"), output_bias(statement, network)
        errors = [missed(statement, branches, bias)]
        if certificate["gap"] is not None:
            bidual = branches_of(certificate["gap"]["bidual"], "gap.bidual")
            errors.append(residual(statement, bidual, "parallel", "gap.bidual"))
        if certificate["deeper"] is not None:
            errors.append(deeper(statement, certificate["deeper"])[0])
        return max(map(up, errors))


def _verify(certificate: Any, tolerance: float) -> dict[str, Any]:
    stated = [get(certificate, key, "certificate") for key in ("format", "version")]
    if stated != [FORMAT, VERSION] or type(stated[1]) is not int:
        raise Refused(f"format: accepted is {FORMAT!r}, version {VERSION}")
    statement = statement_of(certificate)
    proved = _proved(statement, certificate)
    claimed = get(certificate, "claimed", "certificate")
    for name, sign in _CLAIMS.items():
        claim = claimed.get(name)
        if claim is None and name not in ("primal", "dual"):
            continue
        if not sign * proved[name] <= sign * number(claim, f"claimed.{name}"):
            raise Refused(f"claimed.{name} is {float.fromhex(claim)!r}; proved is {proved[name]!r}")
    # `primal_lower` is never below `dual`. A contradiction would be a flaw of this checker.
    if proved["primal_lower"] > proved["primal"] or proved["dual"] > proved["dual_upper"]:
        raise Refused(f"the bounds contradict one another: {proved}")
    nearly = _status(proved, tolerance)
    exactly = _status(proved | _exactly(statement, certificate, nearly), tolerance)
    return {
        "accepted": True,
        "reason": "proved",
        "status": nearly if exactly == nearly else f"{nearly} up to ε",
        "epsilon": float(statement.epsilon),
        "problem": digest(statement),
        **proved,
    }


def _proved(statement: Statement, certificate: Any) -> dict[str, float]:
    """What a certificate proves, rounded outward, by the names of its claims."""
    network = get(certificate, "upper", "certificate")
    branches = branches_of(network, "upper")
    attained = primal(statement, branches, output_bias(statement, network))
    proved = dict.fromkeys(_CLAIMS, math.inf) | {"primal": up(attained), "dual": 0.0}
    evidence = get(certificate, "lower", "certificate")
    if evidence is not None:
        proved["dual"] = max(0.0, down(dual(statement, evidence)))
    proved["primal_lower"] = proved["dual"]
    if statement.rho is not None and (certificate.get("gap") or certificate.get("deeper")):
        raise Refused("gap, deeper: accepted without a bias of the outputs")
    if (block := certificate.get("gap")) is not None:
        lower, upper = gap(statement, block, attained)
        proved["primal_lower"], proved["dual_upper"] = max(proved["dual"], down(lower)), up(upper)
    if (block := certificate.get("deeper")) is not None:
        error, scaled = deeper(statement, block)
        if not error <= statement.epsilon:
            raise Refused(f"deeper: ‖f(X) − Y‖ is {up(error)!r}, more than epsilon")
        proved["deeper_upper"] = value = up(statement.scaled_total(scaled))
        if not value < proved["dual"]:
            raise Refused(
                f"deeper: its value, {value!r}, is not below the dual's {proved['dual']!r}"
            )
    return proved


def _status(proved: dict[str, float], tolerance: float) -> str:
    room = tolerance * proved["primal"]
    if proved["primal"] < math.inf and proved["primal"] - proved["dual"] <= room:
        return "zero"
    return "positive" if proved["primal_lower"] - proved["dual_upper"] > room else "open"


def _exactly(statement: Statement, certificate: Any, status: str) -> dict[str, float]:
    """What takes the place of proved values where the problem is exact interpolation.

    Lower bounds for interpolation up to epsilon hold for it; upper bounds are proved anew, or
    are inf.
    """
    if statement.beta is not None or status == "open" or statement.epsilon == 0:
        return {}
    if statement.rho is not None:
        return {"primal": math.inf}
    network, bidual = branches_of(certificate["upper"], "upper"), None
    if status == "positive":
        bidual = branches_of(certificate["gap"]["bidual"], "gap.bidual")
    try:
        exact = exact_values(statement, network, bidual)
    except Refused:  # the budget does not reach so far
        exact = {}
    return {"primal" if bidual is None else "dual_upper": math.inf} | exact
