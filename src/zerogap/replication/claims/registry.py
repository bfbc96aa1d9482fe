"""What a claim is, and what it asks to be solved: claims, settings, cases, instances."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from zerogap.replication.families import Spec
from zerogap.replication.rows import Instance


@dataclass(frozen=True)
class Case:
    """One kind of problem: a data family times depths, betas and numbers of branches.

    paper: the verdict the paper's sentence predicts, "zero" or "positive", or "any" where it says
    nothing. holds: whether the condition under which we find the sentence true is met here.
    branches: numbers of branches to allow, None for as many as needed.
    """

    label: str
    data: Spec
    architecture: str
    activation: str
    depths: tuple[int, ...]
    paper: str
    holds: bool = True
    regularizer: str = "weight_decay"
    betas: tuple[float | None, ...] = (None,)
    branches: tuple[int | None, ...] = (None,)
    tags: dict[str, Any] = field(default_factory=dict)


Cases = tuple[Case, ...]


@dataclass(frozen=True)
class Setting:
    """Cases that share a batch.

    replicates: data sets per case. restarts: training runs each, 0 for none, whatever a
    configuration says; polish_steps: slow steps that the best of them go on for (where kinks need
    it). gap: relative gap that is narrow enough where nothing closes it.
    """

    id: str
    cases: Cases
    replicates: int = 1
    restarts: int = 16
    polish_steps: int = 4000
    gap: float = 1e-3


@dataclass(frozen=True)
class Claim:
    """A sentence of the paper (or a criterion met in accounts of it) and how it is tested.

    test: "gap" compares each problem's verdict with `Case.paper`; "formula" asks whether any
    network beats a conjectured optimum; "shrinkage" compares trained networks with the closed
    form and ranks with beta. condition: the condition found, if the sentence needs one;
    measured: nothing proves that it suffices.
    known: the result was known before the paper. unproved: why some of its problems stay open by
    design.
    """

    id: str
    statement: str
    where: str
    settings: tuple[Setting, ...]
    test: str = "gap"
    condition: str = ""
    known: bool = False
    measured: bool = False
    unproved: str = ""


OWN_DATA = "own-data"


def expand(
    owner: str, chosen: Setting, case: Case, replicates: int, restarts: int
) -> Iterator[Instance]:
    """The problems of one case of a claim's setting, in a fixed order."""
    for replicate in range(replicates):
        for depth in case.depths:
            for beta in case.betas:
                for branches in case.branches:
                    name = f"{case.label}-{replicate}-L{depth}"
                    name += f"-b{beta:g}" if beta is not None else ""
                    name += f"-m{branches}" if branches is not None else ""
                    yield Instance(
                        owner, chosen.id, name, case.data, replicate, case.architecture,
                        case.activation, case.regularizer, depth, beta, branches, case.paper,
                        case.holds, restarts, chosen.polish_steps, chosen.gap, case.tags,
                    )  # fmt: skip


def own_data(setting_id: str, options: dict[str, Any]) -> Iterator[Instance]:
    """The problems of a user's own data: one for every depth that options["file"] names."""
    entry = options["file"]
    for depth in entry["depths"]:
        yield Instance(
            claim=OWN_DATA,
            setting=setting_id,
            name=f"{entry['id']}-L{depth}",
            data=entry["data"],
            replicate=0,
            architecture=entry["architecture"],
            activation=entry["activation"],
            regularizer=entry.get("regularizer", "weight_decay"),
            depth=depth,
            beta=entry.get("beta"),
            branches=None,
            paper="any",
            holds=True,
            restarts=options.get("restarts") or 32,
            polish_steps=4000,
            gap=1e-3,
            tags={},
        )


def spec(kind: str, **parameters: Any) -> Spec:
    return {"kind": kind, **parameters}


def standard(
    label: str, data: Spec, activation: str, depths: tuple[int, ...], paper: str, **options: Any
) -> Case:
    return Case(label, data, "standard", activation, depths, paper, **options)


def parallel(
    label: str, data: Spec, activation: str, depths: tuple[int, ...], paper: str, **options: Any
) -> Case:
    """A parallel network with the modified regulariser, unless another is named."""
    options = {"regularizer": "power", **options}
    return Case(label, data, "parallel", activation, depths, paper, **options)


def gaussian(n: int, d: int, k: int = 1) -> Spec:
    return spec("gaussian", n=n, d=d, k=k)


def generic(label: str, depth: int, largest: int = 6) -> Cases:
    """Scalar targets on generic data: the same data sets at every depth."""
    sizes = ((3, 2), (4, 2), (5, 2), (6, 2), (4, 3), (5, 3), (6, 3))
    return tuple(
        parallel(f"{label}-n{n}-d{d}", gaussian(n, d), "relu", (depth,), "zero")
        for n, d in sizes
        if n <= largest
    )


def rank_one_data(**options: Any) -> Spec:
    defaults = {"n": 6, "d": 3, "k": 2, "angle": 0, "ratio": 0.6, "sides": "both"}
    return spec("rank-one", **{**defaults, **options})


def one_hot(sizes: tuple[int, ...]) -> tuple[str, Spec]:
    return "-".join(map(str, sizes)), spec("one-hot", sizes=list(sizes))
