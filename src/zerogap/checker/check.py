"""Is a certificate true? The only judge of "certified": no solver, no tolerance, no trust.

A certificate states a problem, a network (upper bound), multipliers with evidence (lower bound)
and the values claimed. Everything is proved again from the exact values of its float64 numbers,
in balls or rationals, and rounded against the claim; what is not proved is refused with the
reason. The format and the mathematics of every kind of evidence: docs/certificates.md.
"""

from __future__ import annotations

import heapq
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

import numpy as np
from flint import arb, arb_mat, ctx

from zerogap.checker import search, theorems
from zerogap.checker.balls import (
    PRECISION,
    Array,
    Refused,
    balls,
    down,
    frobenius,
    inner,
    rationals,
    spectral_norm,
    top_eigenvalue,
    total,
    up,
)
from zerogap.checker.deeper import path_value
from zerogap.checker.kinds.cones import cone_level
from zerogap.checker.kinds.moments import block_of, covered, moment_level
from zerogap.checker.pricing import MAX_SUPPORT, faces_of, largest_level, level, supports
from zerogap.checker.reading import (
    FORMAT,
    MAX_DEPTH,
    VERSION,
    Branches,
    Statement,
    branches_of,
    get,
    matrix,
    number,
    statement_of,
)

# What a certificate may ask for beyond what it may hold (reading.py); a refusal names the limit.
MAX_PRODUCTS = 2e8
MAX_LEAVES = 200_000
MAX_EVIDENCE = 200
MAX_COVERED = 4
# The search over t (weight decay, β > 0, L ≥ 3) stops at this relative loss or so many intervals.
_SEARCH_LOSS = 1e-10
_MAX_INTERVALS = 5_000
# Characters of a reason, which may quote what it refuses.
_MAX_REASON = 300


@dataclass(frozen=True)
class Verdict:
    """What a certificate proves.

    Total values: the optimum P lies in [primal_lower, primal], the dual value in [dual,
    dual_upper], all for interpolation up to epsilon where beta is null. status: "zero" if
    primal − dual is at most the tolerance times the primal, "positive" if primal_lower − dual_upper
    is more than that, else "open". deeper_upper: where finite, it is less than dual, and bounds
    the dual value of parallel networks of a stated greater depth, or of their path program, from
    above (with the problem's factor L/2). Not accepted: reason says why, and nothing is proved.
    """

    accepted: bool
    reason: str
    primal: float = math.inf
    dual: float = -math.inf
    primal_lower: float = -math.inf
    dual_upper: float = math.inf
    deeper_upper: float = math.inf
    status: str = "open"
    seconds: float = 0.0


@dataclass(frozen=True)
class Multipliers:
    """Λ with what the dual needs of it: tr(ΛᵀY), ‖Λ‖_F and an upper bound on c_L(Λ)."""

    product: arb
    norm: arb
    level: arb


def verify(certificate: Any, tolerance: float = 1e-6) -> Verdict:
    """Prove every claim of a certificate, or refuse it with the reason. Never raises.

    tolerance decides the verdict's status alone; no proof depends on it.
    """
    start = time.perf_counter()
    try:
        with ctx.workprec(PRECISION):
            verdict = _verify(certificate, tolerance)
    except Refused as refusal:
        verdict = {"accepted": False, "reason": str(refusal)}
    except Exception as error:  # anything unforeseen is a refusal, never an acceptance
        reason = " ".join(f"malformed: {type(error).__name__}: {error}".split())
        verdict = {"accepted": False, "reason": reason}
    verdict["reason"] = verdict["reason"][:_MAX_REASON]
    return Verdict(**verdict, seconds=time.perf_counter() - start)


def interpolation_error(certificate: Any) -> float:
    """The least epsilon that the networks of a certificate allow, as this module proves it."""
    with ctx.workprec(PRECISION):
        statement = statement_of(certificate)
        upper = branches_of(certificate["upper"], "upper")
        errors = [_residual(statement, upper, statement.architecture, "upper")]
        if certificate["gap"] is not None:
            bidual = branches_of(certificate["gap"]["bidual"], "gap.bidual")
            errors.append(_residual(statement, bidual, "parallel", "gap.bidual"))
        if certificate["deeper"] is not None:
            errors.append(_deeper(statement, certificate["deeper"])[0])
        return max(map(up, errors))


def _verify(certificate: Any, tolerance: float) -> dict[str, Any]:
    stated = [get(certificate, key, "certificate") for key in ("format", "version")]
    if stated != [FORMAT, VERSION]:
        raise Refused(f"format: accepted is {FORMAT!r}, version {VERSION}")
    statement = statement_of(certificate)
    network = branches_of(get(certificate, "upper", "certificate"), "upper")
    primal_ball = _primal(statement, network)
    primal = up(primal_ball)
    evidence = get(certificate, "lower", "certificate")
    dual = 0.0 if evidence is None else max(0.0, down(_dual(statement, evidence)))
    primal_lower, dual_upper = dual, math.inf
    block = certificate.get("gap")
    if block is not None:
        bounds = _gap(statement, block, primal_ball)
        primal_lower, dual_upper = max(dual, down(bounds[0])), up(bounds[1])
    deeper_upper = math.inf
    block = certificate.get("deeper")
    if block is not None:
        residual, scaled = _deeper(statement, block)
        if not residual <= statement.epsilon:
            raise Refused(f"deeper: ‖f(X) − Y‖ is {up(residual)!r}, more than epsilon")
        deeper_upper = up(statement.scaled_total(scaled))
        if not deeper_upper < dual:
            raise Refused(f"deeper: its value, {deeper_upper!r}, is not below the dual's {dual!r}")
    claimed = get(certificate, "claimed", "certificate")
    for name, value, sign in (
        ("primal", primal, 1),
        ("dual", dual, -1),
        ("primal_lower", primal_lower, -1),
        ("dual_upper", dual_upper, 1),
        ("deeper_upper", deeper_upper, 1),
    ):
        claim = claimed.get(name)
        if claim is None and name in ("primal_lower", "dual_upper", "deeper_upper"):
            continue
        if not sign * value <= sign * number(claim, f"claimed.{name}"):
            raise Refused(f"claimed.{name} is {float.fromhex(claim)!r}; proved is {value!r}")
    status = "open"
    if primal - dual <= tolerance * primal:
        status = "zero"
    elif primal_lower - dual_upper > tolerance * primal:
        status = "positive"
    return {
        "accepted": True,
        "reason": "proved",
        "primal": primal,
        "dual": dual,
        "primal_lower": primal_lower,
        "dual_upper": dual_upper,
        "deeper_upper": deeper_upper,
        "status": status,
    }


# Upper bounds: evaluate a network.


def _residual(statement: Statement, branches: Branches, architecture: str, place: str) -> arb:
    """‖f(X) − Y‖_F of a network, after checking that it is one of the architecture."""
    if architecture == "standard" and len(branches) != 1:
        raise Refused(f"{place}: a standard network has one branch, not {len(branches)}")
    numbers = sum(W.size for branch in branches for W in branch)
    if len(statement.X) * numbers > MAX_PRODUCTS:
        raise Refused(f"{place}: {numbers} weights are too many for {len(statement.X)} samples")
    outputs = balls(statement.Y) * -1
    for j, branch in enumerate(branches):
        widths = [statement.X.shape[1], *(W.shape[1] for W in branch)]
        if len(branch) != statement.depth or widths[-1] != statement.Y.shape[1]:
            raise Refused(f"{place}.branches[{j}] has the wrong number of layers or outputs")
        if [W.shape[0] for W in branch] != widths[:-1]:
            raise Refused(f"{place}.branches[{j}]: the layers' shapes do not chain")
        if architecture == "parallel" and widths[-2] != 1:
            raise Refused(f"{place}.branches[{j}] ends in {widths[-2]} neurons, not one")
        A = balls(statement.X)
        for W in branch[:-1]:
            A = A * balls(W)
            if statement.activation == "relu":
                A = arb_mat(A.nrows(), A.ncols(), [x.max(arb(0)) for x in A.entries()])
        outputs += A * balls(branch[-1])
    return frobenius(outputs)


def _primal(statement: Statement, branches: Branches) -> arb:
    residual = _residual(statement, branches, statement.architecture, "upper")
    norms = [frobenius(balls(W)) for branch in branches for W in branch]
    penalty = total(x ** (statement.depth if statement.power else 2) for x in norms) / 2
    if statement.beta is not None:
        return residual**2 / 2 + statement.beta * penalty
    if not residual <= statement.epsilon:
        raise Refused(f"upper: ‖f(X) − Y‖ is {up(residual)!r}, more than epsilon")
    return penalty


# Lower bounds: multipliers Λ and evidence that c_L(Λ) = max ‖Λᵀv‖ over branch outputs is small.


def _dual(statement: Statement, evidence: Any) -> arb:
    """A lower bound on the dual value (theory §1)."""
    L = statement.depth
    if (
        statement.beta is not None
        and L > 2
        and not (statement.power and statement.architecture == "parallel")
    ):
        if get(evidence, "kind", "lower") != "levels":
            raise Refused("lower: weight decay with beta at depth 3 or more takes kind 'levels'")
        items = get(evidence, "evidence", "lower")
        if not isinstance(items, list) or not 1 <= len(items) <= MAX_EVIDENCE:
            raise Refused(f"lower.evidence: accepted are 1 to {MAX_EVIDENCE} pieces")
        places = [f"lower.evidence[{i}]" for i in range(len(items))]
        proved = [_multipliers(statement, *pair) for pair in zip(items, places, strict=True)]
        return _least_over_norms(statement, proved)
    found = _multipliers(statement, evidence, "lower")
    if statement.beta is not None:
        return _penalised(found, statement.beta * L / 2)
    numerator = found.product - statement.epsilon * found.norm
    return statement.scaled_total(numerator / found.level) if numerator > 0 else arb(0)


def _penalised(found: Multipliers, allowed: arb) -> arb:
    """max_θ −½θ²‖Λ‖² + θ tr(ΛᵀY) s.t. θ c(Λ) ≤ allowed; any feasible θ is a lower bound."""
    if not found.product > 0:
        return arb(0)
    theta = (found.product / found.norm**2).mid()
    if not theta * found.level <= allowed:
        theta = (allowed / found.level).lower()
    return theta * found.product - (theta * found.norm) ** 2 / 2


def _least_over_norms(statement: Statement, proved: list[Multipliers]) -> arb:
    """min_{t ≥ 0} of β(L−2)/2 t² + D_β(t), D_β(t) the best Λ's value at t^{L−2} c(Λ) ≤ β.

    The objective of any network with layers of norm t (their geometric mean) is at least that.
    D_β does not increase in t, so [a, b] is bounded by β(L−2)/2 a² + D_β(b), or to second order
    by the mean-value form of one Λ at its largest feasible scale. The worst interval is halved
    until it cannot be improved further; beyond the last t the first term exceeds ½‖Y‖² ≥ P.
    """
    beta, power = statement.beta, statement.depth - 2
    assert beta is not None
    Y = balls(statement.Y)
    ceiling = inner(Y, Y) / 2
    products, norms, levels = np.array(
        [[float(x) for x in (found.product, found.norm, found.level)] for found in proved]
    ).T

    def candidates(t: float) -> list[Multipliers]:
        # The two Λ that look best; the choice proves nothing and costs nothing if wrong.
        best = products / np.maximum(norms, 1e-300) ** 2
        theta = np.minimum(best, float(beta / arb(t) ** power) / levels)
        order = np.argsort(theta * products - (theta * norms) ** 2 / 2, kind="stable")
        return [proved[i] for i in order[-2:]]

    def at(t: float) -> arb:
        allowed = beta / arb(t) ** power
        return max((_penalised(found, allowed) for found in candidates(t)), key=down)

    def bound(a: float, b: float) -> float:
        best = down(beta * power / 2 * arb(a) ** 2 + at(b))
        if a > 0:
            middle = (arb(a) + arb(b)) / 2
            t = arb(middle, (arb(b) - arb(a)) / 2)
            for found in candidates((a + b) / 2):
                linear = beta / found.level * found.product
                square = (beta / found.level * found.norm) ** 2
                value = (
                    beta * power / 2 * middle**2
                    + linear / middle**power
                    - square / 2 / middle ** (2 * power)
                )
                slope = power * (
                    beta * t - linear / t ** (power + 1) + square / t ** (2 * power + 1)
                )
                value += slope * (t - middle)
                if value.is_finite():  # not where t is too wide to divide by its powers
                    best = max(best, down(value))
        return best

    end = up((2 * ceiling / (beta * power)).sqrt())
    if not end > 0:
        return arb(0)
    heap = [(bound(0.0, end), 0.0, end)]
    reachable = math.inf
    for _ in range(_MAX_INTERVALS):
        least, a, b = heap[0]
        middle = (a + b) / 2
        reachable = min(reachable, down(beta * power / 2 * arb(middle) ** 2 + at(middle)))
        if least >= reachable - _SEARCH_LOSS * abs(reachable) or not a < middle < b:
            break
        heapq.heapreplace(heap, (bound(a, middle), a, middle))
        heapq.heappush(heap, (bound(middle, b), middle, b))
    return arb(min(heap[0][0], down(ceiling)))


def _multipliers(statement: Statement, evidence: Any, place: str) -> Multipliers:
    kind = get(evidence, "kind", place)
    if kind == "outputs":
        # Λ = λ qᵀ: c_L(Λ) = ‖q‖ c_L(λ).
        direction = balls(matrix(get(evidence, "direction", place), f"{place}.direction"))
        if (direction.nrows(), direction.ncols()) != (statement.Y.shape[1], 1):
            raise Refused(f"{place}.direction: accepted is one column, one row per output")
        evidence = get(evidence, "inner", place)
        place = f"{place}.inner"
        kind = get(evidence, "kind", place)
    else:
        direction = None
    prove = _KINDS.get(kind) if isinstance(kind, str) else None
    if prove is None:
        raise Refused(f"{place}.kind is {kind!r}; accepted is one of {', '.join(_KINDS)}, outputs")
    raw = matrix(get(evidence, "multipliers", place), f"{place}.multipliers")
    columns = statement.Y.shape[1] if direction is None else 1
    if raw.shape != (len(statement.X), columns):
        raise Refused(f"{place}.multipliers has shape {raw.shape}; accepted is one row per sample")
    level = prove(statement, evidence, raw, place)
    multipliers = balls(raw)
    if direction is not None:
        multipliers *= direction.transpose()
        level *= frobenius(direction)
    return Multipliers(
        product=inner(multipliers, balls(statement.Y)),
        norm=frobenius(multipliers),
        # Any larger level is a level too; this one may be divided by.
        level=level.max(arb(2.0**-1000)),
    )


def _require(statement: Statement, place: str, activation: str, depths: range) -> None:
    if statement.activation != activation or statement.depth not in depths:
        raise Refused(
            f"{place}: this kind is for {activation} networks of depth {depths[0]} to {depths[-1]}"
        )


def _factors(statement: Statement, evidence: Any, place: str) -> list[Array]:
    """The one or two matrices whose product X′ is argued about; two make its rank exact.

    Without any it is X.
    """
    given = evidence.get("X")
    if given is None:
        return [statement.X]
    factors = given if isinstance(given, list) else [given]
    parts = [matrix(part, f"{place}.X") for part in factors]
    if not 1 <= len(parts) <= 2 or (len(parts) == 2 and parts[0].shape[1] != parts[1].shape[0]):
        raise Refused(f"{place}.X: accepted is a matrix or two factors of one")
    if (parts[0].shape[0], parts[-1].shape[1]) != statement.X.shape:
        raise Refused(f"{place}.X: accepted is a matrix of the shape of X")
    return parts


def _nearby(statement: Statement, evidence: Any, raw: Array, place: str) -> tuple[Any, arb]:
    """The exact X′, and what it costs: ‖Λ‖_F ‖X − X′‖_F, as unit networks are 1-Lipschitz in X."""
    parts = [rationals(part) for part in _factors(statement, evidence, place)]
    near = parts[0] if len(parts) == 1 else parts[0] * parts[1]
    return near, frobenius(arb_mat(rationals(statement.X) - near)) * frobenius(balls(raw))


def _linear(statement: Statement, evidence: Any, raw: Array, place: str) -> arb:
    """V_L = {Xw : ‖w‖ ≤ 1}: c = ‖XᵀΛ‖₂."""
    _require(statement, place, "linear", range(2, MAX_DEPTH + 1))
    return spectral_norm(balls(statement.X).transpose() * balls(raw))


def _faces(statement: Statement, evidence: Any, raw: Array, place: str) -> arb:
    """V₂ = {φ(Xu) : ‖u‖ ≤ 1}, every face priced."""
    _require(statement, place, "relu", range(2, 3))
    near, cost = _nearby(statement, evidence, raw, place)
    return level(faces_of(near), balls(raw)) + cost


def _cones(statement: Statement, evidence: Any, raw: Array, place: str) -> arb:
    """V₂ for one output by subdividing the sphere; X ≈ A B of low rank by that of A.

    c(λ; AB) ≤ ‖B‖₂ c(λ; A), as ‖Bu‖ ≤ ‖B‖₂.
    """
    _require(statement, place, "relu", range(2, 3))
    if raw.shape[1] != 1:
        raise Refused(f"{place}: cones are for one output")
    if evidence.get("X") is None:
        return cone_level(statement.X, raw)
    parts = _factors(statement, evidence, place)
    if len(parts) != 2:
        raise Refused(f"{place}.X: accepted are two factors")
    A, B = parts
    drift = frobenius(balls(statement.X) - balls(A) * balls(B)) * frobenius(balls(raw))
    return cone_level(A, raw) * spectral_norm(balls(B)) + drift


def _moments(statement: Statement, evidence: Any, raw: Array, place: str) -> arb:
    """V₂ by the moments of its neurons (theory §3), blocks of signs of x_i·u that cover all."""
    _require(statement, place, "relu", range(2, 3))
    scale = number(get(evidence, "scale", place), f"{place}.scale")
    start = number(get(evidence, "level", place), f"{place}.level")
    listed = get(evidence, "blocks", place)
    if not isinstance(listed, list) or not 1 <= len(listed) <= MAX_EVIDENCE:
        raise Refused(f"{place}.blocks: accepted is a list of 1 to {MAX_EVIDENCE}")
    n, k, d = *raw.shape, statement.X.shape[1]
    blocks = [block_of(b, f"{place}.blocks[{i}]", n, d, k) for i, b in enumerate(listed)]
    for sign in (1, -1) if k == 1 else (0,):
        if not covered([block.sides for block in blocks if block.sign == sign]):
            raise Refused(f"{place}.blocks: some signs of X u are in no block of sign {sign}")
    return moment_level(balls(statement.X), balls(raw), scale, start, blocks)


def _rank_one(statement: Statement, evidence: Any, raw: Array, place: str) -> arb:
    """X′ = c aᵀ: V_L ⊂ ‖a‖ conv{0, c₊, c₋} at every depth, so two points decide (theory §6)."""
    _require(statement, place, "relu", range(2, MAX_DEPTH + 1))
    c, a = (matrix(get(evidence, key, place), f"{place}.{key}") for key in ("c", "a"))
    if c.shape != (len(statement.X), 1) or a.shape != (statement.X.shape[1], 1):
        raise Refused(f"{place}: c has one row per sample and a one per column of X")
    L = balls(raw)
    ends = [frobenius(L.transpose() * balls(np.maximum(side, 0))) for side in (c, -c)]
    drift = frobenius(balls(statement.X) - balls(c) * balls(a).transpose())
    return frobenius(balls(a)) * ends[0].max(ends[1]) + frobenius(L) * drift


def _whitened(statement: Statement, evidence: Any, raw: Array, place: str) -> arb:
    """V_L ⊂ {v ≥ 0 : ‖v‖ ≤ ‖X‖₂} (theory §7), by supports or by a split.

    Up to MAX_SUPPORT samples every support of v is priced; beyond, ΛΛᵀ + S with S ≥ 0 entrywise
    bounds the form on v ≥ 0, and the S that cancels the negative entries is exact for one-hot and
    for scalar targets.
    """
    _require(statement, place, "relu", range(2, MAX_DEPTH + 1))
    stretch, L, n = spectral_norm(balls(statement.X)), balls(raw), len(raw)
    if n <= MAX_SUPPORT:
        return stretch * level(supports(n), L)
    form = L * L.transpose()
    given = evidence.get("split")
    if given is None:
        form = arb_mat(n, n, [x.max(arb(0)) for x in form.entries()])
    else:
        S = matrix(given, f"{place}.split")
        if S.shape != (n, n) or S.min() < 0:
            raise Refused(f"{place}.split: accepted is a square non-negative matrix")
        form += (balls(S) + balls(S.T)) * arb(0.5)
    return stretch * top_eigenvalue(form).max(arb(0)).sqrt()


def _tree(statement: Statement, evidence: Any, raw: Array, place: str) -> arb:
    """Scalar multipliers of depth L ≥ 3 by the path relaxation (theory §5).

    V_L ⊂ φ(conv(±V_{L−1}^path)). For z in that hull, P = {ν > 0}, N = {ν < 0}, and any
    0 ≤ μ_S ≤ ν⁻: νᵀφ(z) = Σ_P ν_i φ(z_i) − Σ_N |ν_i| φ(z_i) ≤ max_{S ⊆ P} (ν_S − μ_S)ᵀz, because
    the first sum is Σ_S ν_i z_i at S = {z > 0} and φ(z_i) ≥ (μ_i/|ν_i|) z_i. So
    c±_L(ν) ≤ max over signs and S of c±_{L−1}(ν_S − μ_S), and c±₂ is priced exactly.
    """
    _require(statement, place, "relu", range(3, MAX_DEPTH + 1))
    if raw.shape[1] != 1:
        raise Refused(f"{place}: a tree is for scalar multipliers; wrap it in kind 'outputs'")
    near, cost = _nearby(statement, evidence, raw, place)
    rows = _rows(evidence, raw, place)
    leaves = _leaves(raw[:, 0], statement.depth, rows, place)
    if next(rows, None) is not None:
        raise Refused(f"{place}.mu has more rows than the tree")
    return largest_level(faces_of(near), leaves) + cost


def _rows(evidence: Any, raw: Array, place: str) -> Iterator[Array]:
    rows = matrix(get(evidence, "mu", place), f"{place}.mu")
    if rows.shape[1] != len(raw) or len(rows) > MAX_LEAVES:
        raise Refused(f"{place}.mu: accepted are up to {MAX_LEAVES} rows, one entry per sample")
    return iter(rows)


def _leaves(vector: Array, depth: int, rows: Iterator[Array], place: str) -> Array:
    """The leaves of the tree below a vector ν, one a row; takes the μ's it needs from `rows`."""
    leaves: list[Array] = []

    def children(nu: Array) -> Iterator[tuple[Array, Array, Array]]:
        for w in (nu, -nu):
            on, room = np.flatnonzero(w > 0), np.maximum(-w, 0)
            for mask in range(2 ** len(on)):
                chosen = on[[bool(mask >> i & 1) for i in range(len(on))]]
                yield w, chosen, room

    stack = [(depth, children(vector))]
    while stack:
        depth, below = stack[-1]
        step = next(below, None)
        if step is None:
            stack.pop()
            continue
        w, chosen, room = step
        mu = next(rows, None)
        if mu is None:
            raise Refused(f"{place}.mu has fewer rows than the tree")
        # The nearest μ in the box: a solver's last bit may stick out.
        child = -np.minimum(np.maximum(mu, 0), room)
        child[chosen] = w[chosen]
        if depth == 3:
            leaves.append(child)
        else:
            stack.append((depth - 1, children(child)))
    return np.array(leaves)


def _cover(statement: Statement, evidence: Any, raw: Array, place: str) -> arb:
    """Vector multipliers at depth 3 over a cover of the output directions (theory §4).

    h(q) = c₃(Λq) is convex, even and homogeneous. For q = Σ a_i q_i, a ≥ 0, of unit length,
    h(q) ≤ Σ a_i h(q_i) = qᵀw ≤ ‖w‖ where q_iᵀw = h(q_i). Orthants, up to sign, are bisected at
    p q_i + r q_j, p, r > 0, which covers them. λ near Λq costs h at most ‖Λq − λ‖ ‖X‖₂.
    """
    _require(statement, place, "relu", range(3, 4))
    k = raw.shape[1]
    if not 2 <= k <= MAX_COVERED:
        raise Refused(f"{place}: a cover is for 2 to {MAX_COVERED} outputs")
    near, cost = _nearby(statement, evidence, raw, place)
    rows = _rows(evidence, raw, place)
    splits = matrix(get(evidence, "splits", place), f"{place}.splits")
    if splits.shape[1] != 4 or len(splits) > MAX_LEAVES:
        raise Refused(f"{place}.splits: accepted are up to {MAX_LEAVES} rows of 4 numbers")
    waiting = iter(splits.tolist())
    multipliers, stretch, faces = balls(raw), spectral_norm(balls(statement.X)), faces_of(near)
    heights: dict[tuple[int, ...], arb] = {}

    def height(q: tuple[int, ...]) -> arb:
        name = max(q, tuple(-x for x in q))
        if name not in heights:
            # The vector that its μ's were found for: the same floating-point product.
            vector = raw @ np.array(name, dtype=float)
            exact = multipliers * arb_mat(k, 1, list(name))
            drift = frobenius(exact - balls(vector[:, None]))
            found = largest_level(faces, _leaves(vector, 3, rows, place))
            heights[name] = found + drift * stretch
        return heights[name]

    worst = arb(0)
    first = (1, *[0] * (k - 1))
    stack = [
        [first, *[tuple(s * (i == j) for j in range(k)) for i, s in enumerate(signs, 1)]]
        for signs in product((1, -1), repeat=k - 1)
    ][::-1]
    while stack:
        edges = stack.pop()
        found = [height(q) for q in edges]
        split = next(waiting, None)
        if split is None or not all(float(x).is_integer() and abs(x) < 2**53 for x in split):
            raise Refused(f"{place}.splits: a cone without its row of whole numbers")
        i, j, p, r = map(int, split)
        if i < 0:
            w = arb_mat([list(q) for q in edges]).solve(arb_mat(k, 1, found))
            worst = worst.max(frobenius(w))
            continue
        if not (0 <= i < j < k and p > 0 and r > 0):
            raise Refused(f"{place}.splits has the row {split}; accepted is i < j, p > 0, r > 0")
        middle = tuple(p * a + r * b for a, b in zip(edges[i], edges[j], strict=True))
        if max(map(abs, middle)) > 2**53:
            raise Refused(f"{place}.splits: a direction is too large to be exact")
        stack += [[*edges[:e], middle, *edges[e + 1 :]] for e in (j, i)]
    if next(rows, None) is not None or next(waiting, None) is not None:
        raise Refused(f"{place}: mu or splits have more rows than the cover")
    return worst + cost


_KINDS: dict[str, Callable[[Statement, Any, Array, str], arb]] = {
    "linear": _linear,
    "faces": _faces,
    "cones": _cones,
    "moments": _moments,
    "tree": _tree,
    "cover": _cover,
    "rank-one": _rank_one,
    "whitened": _whitened,
}


# Positive gaps: a theorem or a search below the primal, a parallel network above the dual.


def _gap(statement: Statement, block: Any, primal: arb) -> tuple[arb, arb]:
    """(a lower bound on the primal, an upper bound on the dual value)."""
    s = statement
    if s.power or s.depth < 3:
        raise Refused("gap: primal bounds are for weight decay and depth 3 or more")
    kind = (s.activation, s.architecture, s.beta is None)
    theorem = None if "search" in block else get(block, "theorem", "gap")
    if theorem is None:
        if kind != ("relu", "standard", True) or s.depth != 3:
            raise Refused("gap.search is for interpolation by standard ReLU networks of depth 3")
        parts = (
            matrix(get(block["search"], key, "gap.search"), f"gap.search.{key}")
            for key in ("data", "splits", "leaves")
        )
        lower = s.scaled_total(search.scaled_primal(s.X, s.Y, s.epsilon, *parts))
    elif theorem == "schatten" and s.activation == "linear" and s.beta is None:
        lower = theorems.schatten(s.X, s.Y, s.depth, s.epsilon)
    elif theorem == "shrinkage" and s.activation == "linear" and s.beta is not None:
        lower = theorems.shrinkage(s.X, s.Y, s.depth, s.beta)
    elif theorem == "rank-one" and kind == ("relu", "standard", True):
        lower = theorems.rank_one(s.X, s.Y, s.depth, s.epsilon, primal)
    elif theorem == "whitened-one-hot" and kind == ("relu", "standard", True):
        lower = theorems.one_hot(s.X, s.Y, s.depth, s.epsilon)
    else:
        raise Refused(f"gap.theorem {theorem!r} does not cover this problem")
    branches = branches_of(get(block, "bidual", "gap"), "gap.bidual")
    residual = _residual(s, branches, "parallel", "gap.bidual")
    if s.beta is None and not residual <= s.epsilon:
        raise Refused(f"gap.bidual: ‖f(X) − Y‖ is {up(residual)!r}, more than epsilon")
    # At any β the dual value is min_t β(L−2)/2 t² + D_β(t), D_β(t) ≤ ½‖f − Y‖² + β t^{2−L} D for a
    # parallel f of scaled value D, so the best t gives ½‖f − Y‖² + β (L/2) D^{2/L}.
    value = s.scaled_total(_scaled_value(branches))
    return lower, value if s.beta is None else residual**2 / 2 + s.beta * value


# Depth: a network of more layers that costs less than the lower bound proved.


def _deeper(statement: Statement, block: Any) -> tuple[arb, arb]:
    """(‖f(X) − Y‖, scaled value) of a deeper network: parallel, or with layers un-shared."""
    depth = get(block, "depth", "deeper")
    if type(depth) is not int or not statement.depth < depth <= MAX_DEPTH:
        raise Refused(
            f"deeper.depth is {depth!r}; accepted is {statement.depth + 1} to {MAX_DEPTH}"
        )
    if statement.beta is not None:
        raise Refused("deeper: this block is for interpolation")
    if block.get("path") is not None:
        return path_value(statement, depth, block["path"])
    branches = branches_of(block, "deeper")
    residual = _residual(replace(statement, depth=depth), branches, "parallel", "deeper")
    return residual, _scaled_value(branches)


def _scaled_value(branches: Branches) -> arb:
    """Σ_j Π_l ‖W_{l,j}‖_F, an upper bound on D₁ by a parallel network that interpolates."""
    value = arb(0)
    for branch in branches:
        product = arb(1)
        for W in branch:
            product *= frobenius(balls(W))
        value += product
    return value
