"""Branches of several layers, and climbs from them to higher ones, by gradients."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize

from zerogap.convex.oracles import Atoms
from zerogap.model.matrices import Array

# How far a climb starts from a branch that is known, in its own length; shares that count.
_NUDGE, NEGLIGIBLE = 0.1, 1e-5
# Branches that are climbed from: at most so many, and above this share of the level; a level that
# is exceeded by such a share is violated.
_CLIMBS, _NEAR, VIOLATED = 20, 0.97, 1e-6


@dataclass(frozen=True, eq=False)
class Layered:
    """A branch of L − 1 layers of unit norm; its outputs (n,) are an element of V_L."""

    inner: tuple[Array, ...]

    def outputs(self, X: Array) -> Array:
        """What the branch puts out (n,)."""
        for W in self.inner:
            X = np.maximum(X @ W, 0)
        return X[:, 0]

    def layers(self) -> tuple[Array, ...]:
        """The weights."""
        return self.inner

    def wider(self, rng: np.random.Generator) -> Layered:
        """The same with a small neuron more in every hidden layer but the last."""
        inner = list(self.inner)
        for layer in range(len(inner) - 1):
            new = _NUDGE * rng.normal(size=(len(inner[layer]), 1)) / np.sqrt(inner[layer].size)
            inner[layer] = np.hstack([inner[layer], new])
            below = inner[layer + 1]
            new = _NUDGE * rng.normal(size=(1, below.shape[1])) / np.sqrt(below.size)
            inner[layer + 1] = np.vstack([below, new])
        return Layered(tuple(inner))

    def pruned(self) -> Layered:
        """Without neurons that carry a negligible share, of unit norm again."""
        inner = list(self.inner)
        for layer in range(len(inner) - 1):
            into = np.linalg.norm(inner[layer], axis=0)
            kept = into * np.linalg.norm(inner[layer + 1], axis=1) > NEGLIGIBLE
            inner[layer], inner[layer + 1] = inner[layer][:, kept], inner[layer + 1][kept]
        return Layered(tuple(W / max(float(np.linalg.norm(W)), 1e-300) for W in inner))


def climb(X: Array, nu: Array, branch: Layered) -> Layered:
    """A local maximum of νᵀv over branches of unit layers, from one with νᵀv > 0."""
    shapes = [W.shape for W in branch.inner]
    ends = np.cumsum([0, *[W.size for W in branch.inner]])

    def layers(x: Array) -> list[Array]:
        return [x[i:j].reshape(s) for i, j, s in zip(ends, ends[1:], shapes, strict=False)]

    def descent(x: Array) -> tuple[float, Array]:
        inner, hidden = layers(x), [X]
        for W in inner:
            hidden.append(np.maximum(hidden[-1] @ W, 0))
        squares = [float(np.sum(W**2)) + 1e-300 for W in inner]
        length = np.sqrt(np.prod(squares))
        value = float(nu @ hidden[-1][:, 0]) / length
        slope, gradient = nu[:, None] / length, []
        for W, square, above, below in zip(
            inner[::-1], squares[::-1], hidden[:0:-1], hidden[-2::-1], strict=True
        ):
            slope = slope * (above > 0)
            gradient.append((below.T @ slope - value * W / square).ravel())
            slope = slope @ W.T
        return -value, -np.concatenate(gradient[::-1])

    start = np.concatenate([W.ravel() for W in branch.inner])
    options = {"maxiter": 200, "maxfun": 400, "ftol": 1e-11, "gtol": 1e-10}
    found = minimize(descent, start, jac=True, method="L-BFGS-B", options=options).x
    lengths = [max(float(np.linalg.norm(W)), 1e-300) for W in layers(found)]
    return Layered(
        tuple(W / length for W, length in zip(layers(found), lengths, strict=True))
    ).pruned()


def atoms_of(X: Array, branches: list[Layered]) -> Atoms:
    """Branches as atoms."""
    V = np.array([branch.outputs(X) for branch in branches]).reshape(-1, len(X)).T
    U = np.empty((1, len(branches)), dtype=object)
    U[0] = branches
    return Atoms(V, U)


def climbs(X: Array, lam: Array, atoms: Atoms, rng: np.random.Generator) -> list[Layered]:
    """Branches with |λᵀv| > 1 that climbs reach from the atoms with the largest."""
    values = lam @ atoms.V
    near = np.argsort(-np.abs(values), kind="stable")[:_CLIMBS]
    climbed = [
        climb(X, np.sign(values[j]) * lam, atoms.U[0, j].wider(rng))
        for j in near
        if np.abs(values[j]) > _NEAR
    ]
    return [branch for branch in climbed if abs(lam @ branch.outputs(X)) > 1 + VIOLATED]
