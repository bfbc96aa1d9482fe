"""Depth that helps: networks of more layers that cost less than the lower bound proved (theory §5).

A parallel network of L′ layers bounds D₁(L′) by its scaled value. A path network, whose layers
share nothing, bounds D₁^path(L′): V_L^path = φ(conv(±V_{L−1}^path)), V₂^path = {φ(Xu) : ‖u‖ ≤ 1}.
A neuron of gain g, its output in g V_L^path, is φ(Σ_j m_j a_j) of neurons a_j with
Σ_j |m_j| g_j ≤ g, at the first layer φ(Xu) with ‖u‖ ≤ g. So Σ_j w_j a_j = y proves
D₁^path ≤ Σ_j |w_j| g_j. A neuron of fewer layers counts as a deeper one: φ leaves its non-negative
outputs unchanged.
"""

from dataclasses import replace
from typing import Any

from flint import arb, arb_mat

from zerogap.checker.balls import Refused, balls, frobenius, times, total
from zerogap.checker.budget import BALL, STEP, hold, spend
from zerogap.checker.limits import MAX_DEPTH, MAX_NEURONS
from zerogap.checker.reading import branches_of, get, matrix
from zerogap.checker.statement import Statement
from zerogap.checker.upper import residual, scaled_value


def deeper(statement: Statement, block: Any) -> tuple[arb, arb]:
    """(‖f(X) − Y‖, scaled value) of the deeper network of a certificate."""
    depth = get(block, "depth", "deeper")
    if type(depth) is not int or not statement.depth < depth <= MAX_DEPTH:
        raise Refused(
            f"deeper.depth is {depth!r}; accepted is {statement.depth + 1} to {MAX_DEPTH}"
        )
    if statement.beta is not None:
        raise Refused("deeper: this block is for interpolation")
    if block.get("path") is not None:
        return _path_value(statement, depth, block["path"])
    branches = branches_of(block, "deeper")
    error = residual(replace(statement, depth=depth), branches, "parallel", "deeper")
    return error, scaled_value(branches)


def _path_value(statement: Statement, depth: int, network: Any) -> tuple[arb, arb]:
    """(‖f(X) − y‖, an upper bound on Σ_j |w_j| g_j) of a path network f of scalar output."""
    if statement.activation != "relu" or statement.Y.shape[1] != 1:
        raise Refused("deeper.path: this kind is for ReLU networks of one output")
    X, neurons = balls(statement.X), 0

    def mix(node: Any, layers: int, place: str) -> tuple[list[arb], arb]:
        """Σ_j m_j a_j (n) and Σ_j |m_j| g_j of inputs that have at most so many layers."""
        nonlocal neurons
        mixture = matrix(get(node, "mixture", place), f"{place}.mixture")
        inputs = get(node, "inputs", place)
        neurons += len(mixture)
        if neurons > MAX_NEURONS or layers < 1:
            raise Refused(f"{place}: accepted are {depth} layers and {MAX_NEURONS} neurons")
        if isinstance(inputs, list):
            below = [mix(node, layers - 1, f"{place}.inputs[{j}]") for j, node in enumerate(inputs)]
            sums, gains = [z for z, _ in below], [gain for _, gain in below]
        else:
            U = matrix(inputs, f"{place}.inputs")
            if U.shape != (X.ncols(), len(mixture)):
                raise Refused(f"{place}.inputs has shape {U.shape}; rows are for features")
            hold(4 * BALL * U.size, "a path network")
            sums = times(X, balls(U)).transpose().tolist()
            gains = [frobenius(u) for u in map(balls, U.T[:, None])]
        if mixture.shape != (len(sums), 1):
            raise Refused(f"{place}.mixture has shape {mixture.shape}; accepted is {len(sums)}, 1")
        spend(2 * STEP * len(sums) * X.nrows(), "a path network")
        weights = balls(mixture)
        active = arb_mat([[x.max(arb(0)) for x in z] for z in sums])
        output = (active.transpose() * weights).entries()
        return output, total(abs(m) * g for m, g in zip(weights.entries(), gains, strict=True))

    output, value = mix(network, depth - 1, "deeper.path")
    return frobenius(arb_mat(len(output), 1, output) - balls(statement.Y)), value
