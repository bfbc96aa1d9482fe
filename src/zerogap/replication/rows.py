"""What the stages hand on, typed: a problem, its training, its dual, its row of the gap table.

Batches hold one record per problem; fields are plain values and arrays (records.py).
"""

from dataclasses import dataclass
from typing import Any

from zerogap.model.matrices import Array
from zerogap.model.problem import Problem
from zerogap.replication.families import Spec, label_of, seed_of

Record = dict[str, Any]


@dataclass(frozen=True)
class Instance:
    """One problem to solve: identity, data, options, and what is expected of it.

    data: the specification of its family. branches: how many are allowed, None for any number.
    gap: relative gap that is narrow enough where nothing closes it.
    """

    claim: str
    setting: str
    name: str
    data: Spec
    replicate: int
    architecture: str
    activation: str
    regularizer: str
    depth: int
    beta: float | None
    branches: int | None
    paper: str
    holds: bool
    restarts: int
    polish_steps: int
    gap: float
    tags: dict[str, Any]

    @property
    def seed(self) -> int:
        """The training seed, from the identity."""
        return seed_of(self.claim, self.setting, self.name)

    @property
    def data_label(self) -> str:
        """Names the data set: equal for equal data, across settings."""
        return f"{label_of(self.data)}-{self.replicate}"


@dataclass(frozen=True, eq=False)
class Given(Instance):
    """An instance with its data, as `generate` writes it. timings: whether seconds are recorded."""

    X: Array
    Y: Array
    timings: bool

    @property
    def problem(self) -> Problem:
        """The problem itself. Raises ProblemError where the data do not make one."""
        return Problem(
            self.X,
            self.Y,
            activation=self.activation,
            architecture=self.architecture,
            depth=self.depth,
            regularizer=self.regularizer,
            beta=self.beta,
        )

    @property
    def identity(self) -> dict[str, str]:
        """What a certificate and a row are called."""
        return {"claim": self.claim, "setting": self.setting, "instance": self.name}


@dataclass(frozen=True, eq=False)
class Trained:
    """What training reached: see `zerogap.training.Training`. failure: why not, else None."""

    instance: str
    value: float
    error: float
    values: Array
    curve: Array | None
    failure: str | None
    network: Record | None
    seconds: float | None = None


@dataclass(frozen=True, eq=False)
class Solved:
    """What the convex side says: a theorem's bound on P, the bracket of the dual.

    candidates: {"network", "method"} of every network that theory builds.
    """

    instance: str
    theorem: Record | None
    bound: Record | None
    candidates: list[Record]
    failures: list[str]
    seconds: float | None


@dataclass(frozen=True, eq=False)
class Row:
    """A row of the gap table, before the checker's verdict, with all that other tables need.

    problem: the digest that the certificate of this row must state. status: "solved"; "retried",
    where a method failed and another gave the bound; "failed", where none did; reason: what failed.
    trained, constructed: values by training and by construction. The fields from `primal` on are
    None where there is no bracket.
    """

    claim: str
    setting: str
    instance: str
    problem: str
    seed: int
    architecture: str
    activation: str
    regularizer: str
    depth: int
    beta: float | None
    n: int
    d: int
    k: int
    rank: int
    data: str
    paper: str
    holds: bool
    branches_allowed: int | None
    tags: dict[str, Any]
    seconds_primal: float | None
    seconds_dual: float | None
    curve: Any
    trained: Record
    constructed: dict[str, float]
    status: str
    reason: str
    primal: float | None = None
    primal_method: str | None = None
    dual: float | None = None
    dual_method: str | None = None
    exact_primal: float | None = None
    exact_dual: float | None = None
    primal_lower: float | None = None
    dual_upper: float | None = None
    branches: int | None = None
    width: int | None = None
    ranks: list[int] | None = None
    singular_values: Any = None
    singular_values_data: Any = None
    rank_map: int | None = None

    @property
    def key(self) -> tuple[str, str, str]:
        """What a row is joined and sorted by."""
        return self.claim, self.setting, self.instance


@dataclass(frozen=True)
class Proved:
    """The checker's verdict on one certificate, with the id that the certificate bears.

    problem: the digest of the problem that it states. epsilon: how far from interpolation its
    networks may be; status: the checker's, which says where it holds only up to that.
    """

    claim: str
    setting: str
    instance: str
    accepted: bool
    reason: str
    primal: float | None
    dual: float | None
    primal_lower: float | None
    dual_upper: float | None
    deeper_upper: float | None
    status: str
    epsilon: float
    problem: str

    @classmethod
    def of(cls, certificate: Record, verdict: Any) -> "Proved":
        """What is kept of the checker's `Verdict` on a certificate of the replication."""
        kept = vars(verdict).keys() & cls.__dataclass_fields__
        return cls(**certificate["id"], **{name: vars(verdict)[name] for name in kept})

    @property
    def verdict(self) -> str:
        """zero, positive or open, perhaps only up to epsilon."""
        return self.status.split()[0]

    @property
    def key(self) -> tuple[str, str, str]:
        """What a verdict is joined by."""
        return self.claim, self.setting, self.instance
