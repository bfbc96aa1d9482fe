"""Pricing: the dual constraint level c(Λ) = max ‖Λᵀv‖ over branch outputs v, and its maximisers.

Every oracle lists, face by face, all candidates among which the maximiser must be, so `level` is
exact up to rounding and owes nothing to the solver that proposed Λ.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from zerogap.arrangements import faces
from zerogap.errors import MethodError
from zerogap.problem import Array

# Supports of the orthant that are enumerated for whitened data: 2^12 symmetric eigenproblems.
MAX_ORTHANT = 12


@dataclass(frozen=True, eq=False)
class Atoms:
    """Branch outputs V (n, m) = φ(X U) and the unit first-layer weights U (d, m) behind them."""

    V: Array
    U: Array

    def __add__(self, other: Atoms) -> Atoms:
        return Atoms(np.hstack([self.V, other.V]), np.hstack([self.U, other.U]))

    def __getitem__(self, chosen: Array) -> Atoms:
        return Atoms(self.V[:, chosen], self.U[:, chosen])


class Oracle(Protocol):
    """What column generation needs to know about V."""

    def start(self) -> Atoms:
        """Atoms whose span contains every feasible Y."""

    def price(self, multipliers: Array) -> tuple[Array, Atoms]:
        """Candidates for the maximiser of ‖Λᵀv‖, with their values, for Λ (n, k)."""


class Features:
    """V₂ = {φ(Xu) : ‖u‖ ≤ 1} by its arrangement's faces (theory §3, pricing).

    The maximiser lies in the relative interior of one face, where ‖Λᵀφ(Xu)‖ = ‖Λᵀ D X u‖, so it
    is the top singular direction of ΛᵀDX restricted to the face's span. Evaluating the function
    at ± that direction for every face therefore never misses it.
    """

    def __init__(self, X: Array) -> None:
        self.X = X
        # Zero-dimensional data has one face, the origin.
        self.groups = faces(X)

    def atoms(self, U: Array) -> Atoms:
        """The atoms of unit columns U (d, m)."""
        return Atoms(np.maximum(self.X @ U, 0), U)

    def start(self) -> Atoms:
        return self.atoms(np.hstack([group.points.T for group in self.groups]))

    def price(self, multipliers: Array) -> tuple[Array, Atoms]:
        found = []
        for group in self.groups:
            # M: (faces, k, r) = ΛᵀDX on an orthonormal basis of the face's span.
            masked = np.einsum("fn,nk,nd->fkd", group.patterns, multipliers, self.X, optimize=True)
            u = _top_direction(masked @ group.basis)
            found.append(np.einsum("fdr,fr->df", group.basis, u))
        U = np.hstack(found)
        atoms = self.atoms(np.hstack([U, -U]))
        return np.linalg.norm(multipliers.T @ atoms.V, axis=0), atoms

    def levels(self, multipliers: Array) -> tuple[Array, Array]:
        """max(c₂(ν), c₂(−ν)) for every column ν of a (n, m) matrix, and a maximising u (d, m)."""
        best = np.zeros(multipliers.shape[1])
        argument = np.zeros((self.X.shape[1], multipliers.shape[1]))
        for group in self.groups:
            # The Gram form P_F Xᵀ D ν, one (d,) vector per face and column.
            Q = group.basis @ np.swapaxes(group.basis, 1, 2)
            maps = np.einsum("fde,ne,fn->fdn", Q, self.X, group.patterns, optimize=True)
            directions = maps @ multipliers
            norms = np.linalg.norm(directions, axis=1, keepdims=True)
            directions /= np.where(norms > 0, norms, 1)
            for u in (directions, -directions):
                values = np.abs(
                    np.einsum("fnm,nm->fm", np.maximum(self.X @ u, 0), multipliers, optimize=True)
                )
                face = values.argmax(axis=0)
                value = values[face, np.arange(values.shape[1])]
                better = value > best
                best[better] = value[better]
                argument[:, better] = u[face[better], :, np.flatnonzero(better)].T
        return best, argument


class Orthant:
    """V = {v ≥ 0 : ‖v‖ ≤ 1} of whitened data, X Xᵀ = I, at every depth (theory §7).

    The faces are the supports S, and v_S is the top eigenvector of (ΛΛᵀ)_SS. For columns that
    have mixed signs, the positive part is still a candidate, which only adds lower bounds.
    """

    def __init__(self, X: Array) -> None:
        self.X = X
        n = len(X)
        if n > MAX_ORTHANT:
            raise MethodError(
                f"whitened data with {n} samples has {2**n - 1} supports to price; accepted are "
                f"at most {MAX_ORTHANT} samples (one-hot and scalar targets have closed forms)"
            )
        self.supports = ((np.arange(1, 2**n)[:, None] >> np.arange(n)) & 1).astype(bool)

    def atoms(self, V: Array) -> Atoms:
        # X Xᵀ = I: the first-layer weights Xᵀv are of unit length and give φ(X Xᵀ v) = v.
        return Atoms(V, self.X.T @ V)

    def start(self) -> Atoms:
        return self.atoms(np.eye(len(self.X)))

    def price(self, multipliers: Array) -> tuple[Array, Atoms]:
        v = _top_direction(np.swapaxes(multipliers[None] * self.supports[:, :, None], 1, 2))
        V = np.maximum(np.vstack([v, -v]), 0).T
        norms = np.linalg.norm(V, axis=0)
        atoms = self.atoms(V[:, norms > 0] / norms[norms > 0])
        return np.linalg.norm(multipliers.T @ atoms.V, axis=0), atoms


def _top_direction(M: Array) -> Array:
    """Unit right singular vectors (f, r) of the largest singular values of M (f, k, r)."""
    if M.shape[1] == 1:
        rows = M[:, 0]
        norms = np.linalg.norm(rows, axis=1, keepdims=True)
        return np.divide(rows, norms, out=np.zeros_like(rows), where=norms > 0)
    return np.linalg.eigh(np.swapaxes(M, 1, 2) @ M)[1][:, :, -1]
