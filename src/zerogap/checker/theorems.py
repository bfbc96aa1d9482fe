"""Proved lower bounds on the primal: why a gap is positive (theory §2, §6, §7).

Each function bounds ½Σ‖W_l‖_F² from below over all networks with ‖f(X) − Y‖_F ≤ ε, widths free,
and refuses where the hypotheses of its theorem are not met.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from flint import arb, arb_mat, fmpq

from zerogap.checker.balls import Refused, balls, diagonal, frobenius, inner, root, times, total
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
    so are the parts of W₂ that p and q meet; a neuron of the last hidden layer is αc₊ + βc₋. Then
    P₁² ‖a‖² ≥ min_τ g(τ), A = ‖y₊‖, B = ‖y₋‖, ω their angle:
      L = 3: (‖p‖, ‖q‖) ∝ (cos, sin), (α, β) in a quarter disc; multipliers μ ⊥ ν are feasible, or
        any unit μ, ν at ω ≥ 90°: quadratic form of (A√(1+τ²), B√(1+τ⁻²)) with cross term
        κ = sin min(ω, 90°).
      L ≥ 4: ‖p₂‖ + ‖q₂‖ ≤ ‖a‖ and (α, β) in a square; unit μ, ν with ‖μ + ν‖ ≤ 1 are feasible,
        those at max(ω, 120°): (A(1+τ), B(1+τ⁻¹)) with κ = cos max(0, 120° − ω).
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
    A, B = (arb(size, radius.upper()) for size, radius in zip(sizes, radii, strict=True))
    if not A > 0 or not B > 0:
        raise Refused("rank-one theorem: one side's targets vanish, and then there is no gap")
    # The angle moves by at most asin(radius/size) ≤ (π/2) radius/size on either side, κ by no more.
    swing = sum((r / s for r, s in zip(radii, sizes, strict=True)), arb(0)) * arb.pi() / 2
    cosine = inner(halves[0], halves[1]) / (sizes[0] * sizes[1])
    # Lagrange's identity keeps sin ω accurate where cos ω is near ±1.
    rejection = halves[1] - halves[0] * (inner(halves[0], halves[1]) / sizes[0] ** 2)
    sine = frobenius(rejection) / sizes[1]
    if depth == 3:
        kappa = arb(1) if cosine <= 0 else sine
    else:
        kappa = arb(1) if cosine <= -0.5 else (root(arb(3)) * sine - cosine) / 2
    square = _convex_minimum(A, B, kappa - swing, depth).max(arb(0))
    norm = frobenius(balls(a[None, :]))
    return statement.scaled_total(root(square) / norm)


def one_hot(statement: Statement, primal: arb) -> arb:
    """(L/2) P₁^{2/L} for standard ReLU networks with one-hot Y, L ≥ 3, any X.

    A, the hidden layer before the last, is non-negative with ‖A‖_F ≤ ‖X‖₂. For two classes keep a
    row a_k of least norm r_k each, G their Gram matrix: Λ = G^{-½} is feasible (an inverse of a
    non-negative 2×2 Gram matrix is an M-matrix, so ‖Λφ(z)‖ ≤ ‖Λz‖ ≤ 1), and tr G^{-½} ≥ 1/r_k +
    1/r_l (Peierls). Targets off by ε cost ε‖Λ‖_F ≤ ε tr Λ. Averaging over the pairs in a set T of
    classes (Cauchy–Schwarz) gives P₁ ≥ (1 − ε)(2/|T|)^½ Σ_T 1/r_k, least under Σ n_k r_k² ≤ ‖X‖₂²
    at (Σ_T n_k^{1/3})^{3/2}/‖X‖₂.
    """
    X, Y, epsilon = statement.X, statement.Y, statement.epsilon
    if not np.isin(Y, (0.0, 1.0)).all() or not (Y.sum(axis=1) == 1).all():
        raise Refused("whitened-one-hot theorem: Y is not one-hot")
    sizes = sorted((int(size) for size in Y.sum(axis=0) if size), reverse=True)
    if len(sizes) < 2 or not epsilon < 1:
        raise Refused("whitened-one-hot theorem: fewer than two classes, and then there is no gap")
    roots = [arb(size) ** arb(fmpq(1, 3)) for size in sizes]
    best = arb(0)
    for count in range(2, len(sizes) + 1):
        best = best.max(root(arb(2) / count) * root(total(roots[:count])) ** 3)
    scaled = (1 - epsilon) * best / spectral_norm(balls(X))
    return statement.scaled_total(scaled)


def _defect(U: arb_mat) -> arb:
    return frobenius(U.transpose() * U - diagonal([arb(1)] * U.ncols()))


def _convex_minimum(A: arb, B: arb, kappa: arb, depth: int) -> arb:
    """A lower bound on min_{τ>0} of the form in `rank_one`, a convex function of τ.

    With B ≥ A (swap τ ↔ 1/τ) all coefficients but that of τ itself are non-negative. A convex
    function lies above its tangent at the left end of a bracket of its minimiser.
    """
    if A > B:
        A, B = B, A
    cross = 2 * kappa * A * B
    # g = Σ coefficient τ^power.
    if depth == 3:
        terms = {2: A**2, 1: cross, 0: A**2 + B**2, -1: cross, -2: B**2}
    else:
        up, down = 2 * A**2 + cross, 2 * B**2 + cross
        terms = {2: A**2, 1: up, 0: A**2 + B**2 + 2 * cross, -1: down, -2: B**2}
    if not terms[-1] >= 0:
        raise Refused("rank-one theorem: the form is not proved convex")

    def value(tau: arb) -> arb:
        return total(weight * tau**power for power, weight in terms.items())

    def slope(tau: arb) -> arb:
        return total(power * weight * tau ** (power - 1) for power, weight in terms.items())

    low, high = arb(2.0**-200), arb(2.0**200)
    for _ in range(400):
        middle = root(low * high).mid()
        if slope(middle) < 0:
            low = middle
        elif slope(middle) > 0:
            high = middle
        else:
            break
    # Where the data leave the slope's sign open, step out to where they do not.
    width = arb(2.0**-80)
    while not slope(low := middle * (1 - width)) < 0 or not slope(high := middle * (1 + width)) > 0:
        width *= 4
        if not width < 0.25:
            raise Refused("rank-one theorem: the minimiser is not bracketed")
    return value(low) + slope(low) * (high - low)


_BOTH, _STANDARD = ("standard", "parallel"), ("standard",)
THEOREMS = {
    "schatten": Theorem(schatten, "linear", _BOTH, True),
    "shrinkage": Theorem(shrinkage, "linear", _BOTH, False),
    "rank-one": Theorem(rank_one, "relu", _STANDARD, True),
    "whitened-one-hot": Theorem(one_hot, "relu", _STANDARD, True),
}
