"""What all kinds of evidence share: a piece of it, data near X, and the registry."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NoReturn

from flint import arb, arb_mat, fmpq_mat

from zerogap.checker import reading
from zerogap.checker.balls import Array, Refused, balls, frobenius, rationals
from zerogap.checker.limits import MAX_DEPTH, MAX_FACES_SIDE
from zerogap.checker.statement import Statement

# (Λ, an upper bound on c_L(Λ)) of (the statement, evidence, columns of Λ, its place).
Prover = Callable[[Statement, Any, int, str], tuple[arb_mat, arb]]
KINDS: dict[str, Prover] = {}
ANY_DEPTH = range(2, MAX_DEPTH + 1)


@dataclass(frozen=True)
class Piece:
    """Multipliers Λ (n, k), data X (n, d), and what a certificate says to bound c_L(Λ)."""

    X: Array
    multipliers: Array
    depth: int
    fields: dict[str, Any]
    place: str

    def refuse(self, why: str) -> NoReturn:
        raise Refused(f"{self.place}{why}")

    def get(self, key: str) -> Any:
        return reading.get(self.fields, key, self.place)

    def number(self, key: str) -> float:
        return reading.number(self.get(key), f"{self.place}.{key}")

    def matrix(self, key: str) -> Array:
        return reading.matrix(self.get(key), f"{self.place}.{key}")

    def factors(self) -> list[Array]:
        """The one or two matrices whose product X′ is argued about; without any it is X.

        Two make its rank exact.
        """
        given = self.fields.get("X")
        if given is None:
            return [self.X]
        listed = given if isinstance(given, list) else [given]
        parts = [reading.matrix(part, f"{self.place}.X") for part in listed]
        if not 1 <= len(parts) <= 2 or (len(parts) == 2 and parts[0].shape[1] != len(parts[1])):
            self.refuse(".X: accepted is a matrix or two factors of one")
        if (len(parts[0]), parts[-1].shape[1]) != self.X.shape:
            self.refuse(".X: accepted is a matrix of the shape of X")
        return parts

    def nearby(self) -> tuple[fmpq_mat, arb]:
        """The exact X′ and what it costs: c(Λ; X) ≤ c(Λ; X′) + ‖Λ‖_F ‖X − X′‖_F.

        Networks of unit norms are 1-Lipschitz in their data.
        """
        side = max(size for part in self.factors() for size in part.shape)
        if side > MAX_FACES_SIDE:
            self.refuse(f": {side} samples or features; accepted are up to {MAX_FACES_SIDE}")
        parts = [rationals(part) for part in self.factors()]
        near = parts[0] if len(parts) == 1 else parts[0] * parts[1]
        distance = frobenius(arb_mat(rationals(self.X) - near))
        return near, distance * frobenius(balls(self.multipliers))


def kind(
    name: str, activation: str, depths: range
) -> Callable[[Callable[[Piece], arb]], Callable[[Piece], arb]]:
    """Register a function as what proves evidence of a name, for networks of these depths."""

    def register(level: Callable[[Piece], arb]) -> Callable[[Piece], arb]:
        def prover(s: Statement, fields: Any, outputs: int, place: str) -> tuple[arb_mat, arb]:
            if s.activation != activation or s.depth not in depths:
                raise Refused(
                    f"{place}: this kind is for {activation} networks of depth {depths[0]} to "
                    f"{depths[-1]}"
                )
            given = reading.get(fields, "multipliers", place)
            multipliers = reading.matrix(given, f"{place}.multipliers")
            if multipliers.shape != (len(s.X), outputs):
                raise Refused(
                    f"{place}.multipliers has shape {multipliers.shape}; accepted is one row per "
                    "sample"
                )
            return balls(multipliers), level(Piece(s.X, multipliers, s.depth, fields, place))

        KINDS[name] = prover
        return level

    return register


def prove(statement: Statement, fields: Any, outputs: int, place: str) -> tuple[arb_mat, arb]:
    """(Λ, an upper bound on c_L(Λ)) of evidence of any kind, Λ with so many columns."""
    name = reading.get(fields, "kind", place)
    prover = KINDS.get(name) if isinstance(name, str) else None
    if prover is None:
        raise Refused(f"{place}.kind is {name!r}; accepted is one of {', '.join(KINDS)}")
    if statement.free and name != "shifts":
        raise Refused(f"{place}.kind is {name!r}; where biases of the first layer are free: shifts")
    return prover(statement, fields, outputs, place)
