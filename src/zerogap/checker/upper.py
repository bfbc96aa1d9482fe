"""Upper bounds: networks evaluated on the data, in balls."""

from __future__ import annotations

from flint import arb, arb_mat

from zerogap.checker.balls import Refused, balls, frobenius, total, up
from zerogap.checker.limits import MAX_PRODUCTS
from zerogap.checker.reading import Branches
from zerogap.checker.statement import Statement


def residual(statement: Statement, branches: Branches, architecture: str, place: str) -> arb:
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


def primal(statement: Statement, branches: Branches) -> arb:
    """The objective that a network attains; refuses one that does not interpolate."""
    error = residual(statement, branches, statement.architecture, "upper")
    norms = [frobenius(balls(W)) for branch in branches for W in branch]
    penalty = total(x ** (statement.depth if statement.power else 2) for x in norms) / 2
    if statement.beta is not None:
        return error**2 / 2 + statement.beta * penalty
    if not error <= statement.epsilon:
        raise Refused(f"upper: ‖f(X) − Y‖ is {up(error)!r}, more than epsilon")
    return penalty


def scaled_value(branches: Branches) -> arb:
    """Σ_j Π_l ‖W_{l,j}‖_F, an upper bound on D₁ by a parallel network that interpolates."""
    value = arb(0)
    for branch in branches:
        product = arb(1)
        for W in branch:
            product *= frobenius(balls(W))
        value += product
    return value
