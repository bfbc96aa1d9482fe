"""Upper bounds: networks evaluated on the data, in balls."""

from itertools import chain
from typing import Any

import numpy as np
from flint import arb, arb_mat

from zerogap.checker.balls import Array, Refused, balls, frobenius, inner, root, total, up
from zerogap.checker.budget import BALL, STEP, hold, spend
from zerogap.checker.reading import Branches, matrix
from zerogap.checker.statement import Statement

# Entries of a ball matrix that are worked on at a time.
_ENTRIES = 100_000


def residual(statement: Statement, branches: Branches, architecture: str, place: str) -> arb:
    """‖f(X) − Y‖_F of a network, after checking that it is one of the architecture."""
    return frobenius(fitted(statement, branches, architecture, place) - balls(statement.Y))


def fitted(statement: Statement, branches: Branches, architecture: str, place: str) -> arb_mat:
    """f(X) of a network, after checking that it is one of the architecture."""
    if architecture == "standard" and len(branches) != 1:
        raise Refused(f"{place}: a standard network has one branch, not {len(branches)}")
    sums = arb_mat(*statement.Y.shape)
    for j, branch in enumerate(branches):
        widths = [statement.X.shape[1], *(W.shape[1] for W in branch)]
        if len(branch) != statement.depth or widths[-1] != statement.Y.shape[1]:
            raise Refused(f"{place}.branches[{j}] has the wrong number of layers or outputs")
        if [W.shape[0] for W in branch] != widths[:-1]:
            raise Refused(f"{place}.branches[{j}]: the layers' shapes do not chain")
        if architecture == "parallel" and widths[-2] != 1:
            raise Refused(f"{place}.branches[{j}] ends in {widths[-2]} neurons, not one")
    relu = statement.activation == "relu"
    if all(W.shape[1] == 1 for branch in branches for W in branch[:-1]):
        sums += _chains(statement.X, branches, relu)
    else:
        for branch in branches:
            sums += outputs(statement.X, branch, relu)
    return sums


def outputs(X: Array, branch: list[Array], relu: bool) -> arb_mat:
    """What one branch adds to f(X), (n, k); wide layers in parts, a few samples at a time."""
    _announce(len(X), branch)
    return _evaluated(X, [_parts(W) for W in branch], max(W.shape[1] for W in branch), relu)


def _chains(X: Array, branches: Branches, relu: bool) -> arb_mat:
    """What branches of one neuron a layer add, (n, k), as two layers.

    Outputs of the first neuron are non-negative, φ(a x) = max(a, 0) x for x ≥ 0, and without φ all
    is linear: what follows the first layer is one number, which joins the last.
    """
    U, W = np.hstack([b[0] for b in branches]), np.vstack([b[-1] for b in branches])
    _announce(len(X), [U, W])
    spend(STEP * sum(map(len, branches)), "a network")
    zero, rows = arb(0), balls(W).tolist()
    for row, branch in zip(rows, branches, strict=True):
        factor = arb(1)
        for W_l in branch[1:-1]:
            a = arb(float(W_l[0, 0]))
            factor *= a.max(zero) if relu else a
        row[:] = [factor * w for w in row]
    return _evaluated(X, [_parts(U), [arb_mat(rows)]], max(U.shape[1], W.shape[1]), relu)


def _announce(samples: int, layers: list[Array]) -> None:
    numbers, widths = sum(W.size for W in layers), [W.shape[1] for W in layers]
    spend(samples * (numbers + 2 * STEP * sum(widths)), "a network")
    hold(BALL * numbers + 4 * BALL * max(widths), "a network")


def _evaluated(X: Array, layers: list[list[arb_mat]], width: int, relu: bool) -> arb_mat:
    """f(X) of layers in groups of columns, none wider than `width`."""
    step, rows, zero = max(1, _ENTRIES // width), [], arb(0)
    for start in range(0, len(X), step):
        A = balls(X[start : start + step])
        for layer, parts in enumerate(layers, start=1):
            pieces = zip(*((A * part).tolist() for part in parts), strict=True)
            neurons = [list(chain(*row)) for row in pieces]
            if relu and layer < len(layers):
                neurons = [[x.max(zero) for x in row] for row in neurons]
            A = arb_mat(neurons)
        rows += A.tolist()
    return arb_mat(rows)


def _parts(W: Array) -> list[arb_mat]:
    """W by groups of columns."""
    step = max(1, _ENTRIES // len(W))
    return [balls(W[:, start : start + step]) for start in range(0, W.shape[1], step)]


def norm(W: Array) -> arb:
    """‖W‖_F, by groups of rows."""
    step = max(1, _ENTRIES // W.shape[1])
    parts = [frobenius(balls(W[start : start + step])) for start in range(0, len(W), step)]
    return parts[0] if len(parts) == 1 else root(total(part**2 for part in parts))


def primal(statement: Statement, branches: Branches, bias: arb_mat | None = None) -> arb:
    """The objective that a network attains; refuses one that does not interpolate.

    bias (1, k): that of its outputs.
    """
    s = statement
    norms = [norm(W) for branch in branches for W in _charged(s, branch)]
    penalty = total(x ** (s.depth if s.power else 2) for x in norms) / 2
    if s.beta is not None:
        more = s.rho * inner(bias, bias) / 2 if s.rho is not None and bias is not None else arb(0)
        return s.loss.value(_outputs(s, branches, bias), balls(s.Y)) + s.beta * penalty + more
    error = missed(s, branches, bias)
    if not error <= s.epsilon:
        raise Refused(f"upper: ‖f(X) − Y‖ is {up(error)!r}, more than epsilon")
    return penalty


def _charged(statement: Statement, branch: list[Array]) -> list[Array]:
    """The layers of a branch without what costs nothing: free biases, the last row of W₁."""
    if not statement.free:
        return branch
    if len(branch[0]) < 2:
        raise Refused("upper: a network without inputs has biases only")
    return [branch[0][:-1], *branch[1:]]


def missed(statement: Statement, branches: Branches, bias: arb_mat | None = None) -> arb:
    """‖f(X) − Y‖_F of the problem's network, with its bias."""
    return frobenius(_outputs(statement, branches, bias) - balls(statement.Y))


def _outputs(statement: Statement, branches: Branches, bias: arb_mat | None) -> arb_mat:
    F = fitted(statement, branches, statement.architecture, "upper")
    return F if bias is None else F + balls(np.ones((len(statement.Y), 1))) * bias


def output_bias(statement: Statement, network: Any) -> arb_mat | None:
    """The bias of the outputs (1, k) that a network states, None where it states none."""
    if network.get("bias") is None:
        return None
    if statement.rho is None:
        raise Refused("upper.bias: the problem has no bias of the outputs")
    bias = matrix(network["bias"], "upper.bias")
    if bias.shape != (1, statement.Y.shape[1]):
        raise Refused(f"upper.bias has shape {bias.shape}; accepted is one row, as Y has")
    return balls(bias)


def scaled_value(branches: Branches) -> arb:
    """Σ_j Π_l ‖W_{l,j}‖_F, an upper bound on D₁ by a parallel network that interpolates."""
    value = arb(0)
    for branch in branches:
        product = arb(1)
        for W in branch:
            product *= norm(W)
        value += product
    return value
