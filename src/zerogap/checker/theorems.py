"""Proved lower bounds on the primal: why a gap is positive (theory §2, §6, §7).

Each function bounds ½Σ‖W_l‖_F² from below over all networks with ‖f(X) − Y‖_F ≤ ε, widths free,
and refuses where the hypotheses of its theorem are not met.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from flint import arb, arb_mat, fmpq

from zerogap.checker.balls import (
    Refused,
    balls,
    diagonal,
    down,
    frobenius,
    inner,
    root,
    times,
    total,
)
from zerogap.checker.eigen import spectral_norm, top_eigenvalue
from zerogap.checker.statement import Statement


@dataclass(frozen=True)
class Theorem:
    """A lower bound on the primal, given what some network attains; which problems it is about."""

    lower: Callable[[Statement, arb], arb]
    activation: str
    architectures: tuple[str, ...]
    interpolates: bool

    def covers(self, statement: Statement) -> bool:
        s = statement
        kind = (s.activation, s.beta is None, s.loss.name)
        about = (self.activation, self.interpolates, "squared")
        return kind == about and s.architecture in self.architectures


def schatten(statement: Statement, primal: arb) -> arb:
    """(L/2) Σ σ_i^{2/L} over the end-to-end matrix A, linear networks, standard or parallel.

    For any G: G Y = (G X) A + G (Y − XA), so σ_i(A) ≥ (σ_i(GY) − ε‖G‖₂)/‖GX‖₂; with G = X† next
    to nothing is lost. Layers: ½Σ‖W_l‖² ≥ (L/2) Σ σ_i(W₁…W_L)^{2/L}; a sum of branches has no
    smaller Σ σ^{2/L} than the sum of theirs (2/L ≤ 1).
    """
    X, Y, depth, epsilon = statement.X, statement.Y, statement.depth, statement.epsilon
    inverse = np.linalg.pinv(X, rcond=1e-10)
    G = balls(inverse)
    image = times(G, balls(Y))
    loss, stretch = epsilon * spectral_norm(G), spectral_norm(times(G, balls(X)))
    if not stretch > 0:
        raise Refused("X is zero")
    left, sigma, right = np.linalg.svd(inverse @ Y, full_matrices=False)
    U, V = balls(left), balls(right.T)
    # Weyl: σ_i(GY) ≥ σ_min(U) σ_min(V) σ̂_i − ‖GY − U Σ̂ Vᵀ‖.
    S = diagonal([arb(x) for x in sigma.tolist()])
    loss += frobenius(image - U * S * V.transpose())
    kept = root((1 - _defect(U)).max(arb(0))) * root((1 - _defect(V)).max(arb(0)))
    power = arb(fmpq(2, depth))
    values = [((kept * x - loss) / stretch).lower() for x in sigma.tolist()]
    return arb(depth) / 2 * total(x**power for x in values if x > 0)


def shrinkage(statement: Statement, primal: arb) -> arb:
    """min ½‖XA − Y‖² + β(L/2)Σσ_i(A)^{2/L}, linear networks, tight where XᵀX is a multiple of I.

    With κ ≤ λ_min(XᵀX), m_i ≥ σ_i(XᵀY) and von Neumann's tr(AᵀXᵀY) ≤ Σσ_i(A)σ_i(XᵀY), it is at
    least ½‖Y‖² + Σ_i min_{s ≥ 0} q_i(s), q_i(s) = ½κs² − m_i s + β(L/2)s^{2/L}. q is concave up to
    its inflection and convex beyond, so its minimum is q(0) = 0 or above a tangent there.
    """
    X, Y, depth, beta = statement.X, statement.Y, statement.depth, statement.beta
    assert beta is not None
    gram = times(balls(X).transpose(), balls(X))
    d = gram.nrows()
    top = top_eigenvalue(gram)
    kappa = (top - top_eigenvalue(diagonal([top] * d) - gram)).lower()
    if not kappa > 0:
        raise Refused("shrinkage theorem: X does not have full column rank")
    image = times(balls(X).transpose(), balls(Y))
    left, sigma, right = np.linalg.svd(X.T @ Y, full_matrices=False)
    U, V, S = balls(left), balls(right.T), diagonal([arb(x) for x in sigma.tolist()])
    slack = frobenius(image - U * S * V.transpose())
    stretch = root(1 + _defect(U)) * root(1 + _defect(V))
    power = arb(fmpq(2, depth))
    inflection = (beta * (1 - power) / kappa) ** (1 / (2 - power))
    value = frobenius(balls(Y)) ** 2 / 2
    for x in sigma.tolist():
        m = (stretch * x + slack).upper()

        def q(s: arb, m: arb = m) -> arb:
            return kappa * s**2 / 2 - m * s + beta / power * s**power

        def slope(s: arb, m: arb = m) -> arb:
            return kappa * s - m + beta * s ** (power - 1)

        if slope(inflection) >= 0:
            continue  # q increases: its minimum is q(0)
        # Beyond the inflection the slope increases, and it is positive from m/κ on.
        low, high = inflection.upper(), (inflection + m / kappa).upper()
        point, end = low, high
        for _ in range(200):
            point = ((low + end) / 2).mid()
            if slope(point) < 0:
                low = point
            else:
                end = point
        value += (q(point) - abs(slope(point)) * high).min(arb(0))
    return value


def rank_one(statement: Statement, primal: arb) -> arb:
    """(L/2) P₁^{2/L} for standard ReLU networks on X ≈ c aᵀ, L ≥ 3.

    On c aᵀ, f = c₊y₊ᵀ + c₋y₋ᵀ. The first hidden layer is c₊pᵀ + c₋qᵀ with disjoint supports, and
    from there on a network of p and q alone costs no more if it is linear (**Two rows** in
    certificates.md). With (‖p‖, ‖q‖) ∝ (cos, sin), m = L − 1 and σ the singular values of the rows
    y₊/cos, y₋/sin, P₁‖a‖ ≥ min_τ (Σ σ_i^{2/m})^{m/2}, τ = tan; at obtuse angles ω as for
    orthogonal rows. It grows with A = ‖y₊‖, B = ‖y₋‖ and κ = sin min(ω, 90°).
    Networks no better than `primal` are of no interest, so ΠW_l ≤ (2 primal/L)^{L/2} bounds what
    the change from X to c aᵀ does to f.
    """
    X, Y, depth, epsilon = statement.X, statement.Y, statement.depth, statement.epsilon
    _, _, vt = np.linalg.svd(X, full_matrices=False)
    c, a = X @ vt[0], vt[0]
    plus, minus = np.maximum(c, 0), np.maximum(-c, 0)
    if not plus.any() or not minus.any():
        raise Refused("rank-one theorem: c has one sign, and then there is no gap")
    drift = frobenius(balls(X) - times(balls(c[:, None]), balls(a[None, :])))
    error = epsilon + drift * root(2 * primal / depth) ** depth
    halves, radii, sizes = [], [], []
    for part in (plus, minus):
        column = balls(part[:, None])
        square = inner(column, column)
        y = balls(Y).transpose() * column * (1 / square)
        halves.append(y)
        radii.append(error / root(square))
        sizes.append(frobenius(y))
    A, B = (arb(down(size - radius)) for size, radius in zip(sizes, radii, strict=True))
    if not A > 0 or not B > 0:
        raise Refused("rank-one theorem: one side's targets vanish, and then there is no gap")
    # The angle moves by at most asin(radius/size) ≤ (π/2) radius/size on either side, κ by no more.
    swing = sum((r / s for r, s in zip(radii, sizes, strict=True)), arb(0)) * arb.pi() / 2
    cosine = inner(halves[0], halves[1]) / (sizes[0] * sizes[1])
    # Lagrange's identity keeps sin ω accurate where cos ω is near ±1.
    rejection = halves[1] - halves[0] * (inner(halves[0], halves[1]) / sizes[0] ** 2)
    sine = frobenius(rejection) / sizes[1]
    kappa = arb(down((arb(1) if cosine <= 0 else sine) - swing))
    norm = frobenius(balls(a[None, :]))
    if not 0 < kappa < 1:
        # Orthogonal rows, in closed form; at κ = 0 what holds at any angle.
        power = arb(fmpq(2, depth)) if kappa > 0 else arb(1)
        return statement.scaled_total((A**power + B**power) ** (1 / power) / norm)
    return arb(depth) / 2 * _split(A, B, kappa, depth) / norm ** arb(fmpq(2, depth))


def one_hot(statement: Statement, primal: arb) -> arb:
    """(L/2) P₁^{2/L} for standard ReLU networks with one-hot Y, L ≥ 3, any X.

    The first hidden layer is non-negative, and ‖X‖₂ long at most where W₁ has unit norm. Keep a
    row of least norm r_k of each class. For two of them a network costs no less than a linear one
    (**Two rows** in certificates.md): with m = L − 1, ‖W₂‖⋯‖W_{L−1}‖‖W_L's two columns‖ ≥
    (r_k^{−2/m} + r_l^{−2/m})^{m/2} (1 − ε). Averaged over the pairs in a set T of classes, and
    least under Σ n_k r_k² ≤ ‖X‖₂²: P₁ ≥ (1 − ε) (2/|T|)^{(L−2)/2} (Σ_T n_k^{1/L})^{L/2}/‖X‖₂.
    """
    X, Y, depth, epsilon = statement.X, statement.Y, statement.depth, statement.epsilon
    if not np.isin(Y, (0.0, 1.0)).all() or not (Y.sum(axis=1) == 1).all():
        raise Refused("whitened-one-hot theorem: Y is not one-hot")
    sizes = sorted((int(size) for size in Y.sum(axis=0) if size), reverse=True)
    if len(sizes) < 2 or not epsilon < 1:
        raise Refused("whitened-one-hot theorem: fewer than two classes, and then there is no gap")
    roots = [arb(size) ** arb(fmpq(1, depth)) for size in sizes]
    best = arb(0)
    for count in range(2, len(sizes) + 1):
        best = best.max(arb(fmpq(2, count)) ** (depth - 2) * total(roots[:count]) ** depth)
    best = root(best)
    scaled = (1 - epsilon) * best / spectral_norm(balls(X))
    return statement.scaled_total(scaled)


def _defect(U: arb_mat) -> arb:
    return frobenius(U.transpose() * U - diagonal([arb(1)] * U.ncols()))


def _split(A: arb, B: arb, kappa: arb, depth: int) -> arb:
    """A lower bound on min_τ h, h = (Σ σ_i^{2/m})^{m/L} as in `rank_one`, 0 < κ < 1, exact numbers.

    h is convex in t = log τ, so it lies above its tangent at the left end of a bracket of the
    minimiser.
    """
    share = arb(fmpq(1, depth - 1))

    def at(t: arb) -> tuple[arb, arb]:
        """h and its slope. Of a = A²(1 + τ²) and b = B²(1 + τ⁻²), σ² solve x² − (a + b)x + κ²ab."""
        square = (2 * t).exp()
        a, b, rise, fall = (
            A**2 * (1 + square),
            B**2 * (1 + 1 / square),
            A**2 * square,
            B**2 / square,
        )
        sums, product = 2 * (rise - fall), 2 * kappa**2 * (rise * b - a * fall)
        width = root((a - b) ** 2 + 4 * (1 - kappa**2) * a * b)
        value = slope = arb(0)
        larger = (a + b + width) / 2
        for x, turn in ((larger, width), (kappa**2 * a * b / larger, -width)):
            value += x**share
            slope += share * x ** (share - 1) * (x * sums - product) / turn
        power = arb(fmpq(depth - 1, depth))
        return value**power, power * value ** (power - 1) * slope

    low, high = arb(-1000), arb(1000)
    for _ in range(300):
        middle = ((low + high) / 2).mid()
        slope = at(middle)[1]
        if slope < 0:
            low = middle
        elif slope > 0:
            high = middle
        else:
            break
    # Where the sign is not decided the minimiser may be this very point: step out from it.
    width = arb(2.0**-80)
    while not at(low := middle - width)[1] < 0 or not at(high := middle + width)[1] > 0:
        width *= 4
        if not width < 1:
            raise Refused("rank-one theorem: the minimiser is not bracketed")
    value, slope = at(low)
    return value + slope * (high - low)


_BOTH, _STANDARD = ("standard", "parallel"), ("standard",)
THEOREMS = {
    "schatten": Theorem(schatten, "linear", _BOTH, True),
    "shrinkage": Theorem(shrinkage, "linear", _BOTH, False),
    "rank-one": Theorem(rank_one, "relu", _STANDARD, True),
    "whitened-one-hot": Theorem(one_hot, "relu", _STANDARD, True),
}
