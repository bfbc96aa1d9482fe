"""The registry: every claim of the paper, the problems that test it, and the verdict expected.

Table 1, the scoreboard, figures, configuration checks and the DAG are derived from it. To add a
claim, add an entry; to add a family of problems, add a case.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from zerogap.data import Spec, label_of, seed_of
from zerogap.errors import ConfigError


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


@dataclass(frozen=True)
class Setting:
    """Cases that share a batch. replicates: data sets per case; restarts: training runs each."""

    id: str
    cases: tuple[Case, ...]
    replicates: int = 1
    restarts: int = 32


@dataclass(frozen=True)
class Claim:
    """A sentence of the paper (or a criterion met in accounts of it) and how it is tested.

    test: "gap" compares each problem's verdict with `Case.paper`; "formula" asks whether any
    network beats a conjectured optimum; "shrinkage" compares trained networks with the closed
    form and ranks with beta. condition: the condition found, if the sentence needs one.
    known: the result was known before the paper.
    """

    id: str
    statement: str
    where: str
    settings: tuple[Setting, ...]
    test: str = "gap"
    condition: str = ""
    known: bool = False


@dataclass(frozen=True)
class Instance:
    """One problem to solve: identity, data, options, and what is expected of it."""

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
    tags: dict[str, Any]

    @property
    def seed(self) -> int:
        """The training seed, from the identity."""
        return seed_of(self.claim, self.setting, self.name)

    @property
    def data_label(self) -> str:
        """Names the data set: equal for equal data, across settings."""
        return f"{label_of(self.data)}-{self.replicate}"


def _spec(kind: str, **parameters: Any) -> Spec:
    return {"kind": kind, **parameters}


DEEP = (3, 4, 5, 6)

# --- linear networks ----------------------------------------------------------------------------


def _linear_cases(
    architecture: str, regularizer: str, paper_deep: str, spectra: tuple[str, ...]
) -> tuple[Case, ...]:
    """Ranks 1 to 4, over- and under-determined X, at L = 2 and deeper."""
    cases = []
    for shape, (n, d) in (("over", (12, 6)), ("under", (5, 7))):
        for rank in (1, 2, 3, 4):
            for spectrum in spectra if rank > 1 else ("distinct",):
                data = _spec("linear-map", n=n, d=d, k=4, rank=rank, spectrum=spectrum)
                label = f"{shape}-r{rank}-{spectrum}"
                common = dict(architecture=architecture, activation="linear")
                tags = {"rank": rank, "spectrum": spectrum, "shape": shape}
                shallow = Case(
                    f"{label}-shallow", data, depths=(2,), paper="zero",
                    regularizer=regularizer, tags=tags, **common,
                )  # fmt: skip
                deep = Case(
                    label, data, depths=DEEP, paper=paper_deep, regularizer=regularizer,
                    holds=rank >= 2 if paper_deep == "positive" else True, tags=tags, **common,
                )  # fmt: skip
                cases += [shallow, deep]
    return tuple(cases)


_EQUAL = tuple(
    Case(
        f"r{rank}",
        _spec("linear-map", n=12, d=6, k=4, rank=rank, spectrum="equal"),
        "standard",
        "linear",
        DEEP,
        "zero",
        holds=rank == 1,
        tags={"rank": rank},
    )
    for rank in (2, 3, 4)
)

_SCALAR = tuple(
    Case(
        shape,
        _spec("linear-map", n=n, d=d, k=1, rank=1, spectrum="distinct"),
        "standard",
        "linear",
        (2, *DEEP),
        "zero",
    )
    for shape, n, d in (("over", 10, 4), ("under", 4, 6))
)

LOW_RANK_BETAS = (0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4)

_LOW_RANK = (
    Case(
        "path",
        _spec("orthonormal", n=12, d=6, k=4),
        "standard",
        "linear",
        (2, *DEEP),
        "any",
        betas=LOW_RANK_BETAS,
    ),
)

_LINEAR_PARALLEL_REGULARISED = (
    Case(
        "regularised",
        _spec("orthonormal", n=12, d=6, k=4),
        "parallel",
        "linear",
        (2, *DEEP),
        "zero",
        regularizer="power",
        betas=(0.1, 0.5),
    ),
    Case(
        "regularised-gaussian",
        _spec("gaussian", n=10, d=4, k=3),
        "parallel",
        "linear",
        (2, 3, 4),
        "zero",
        regularizer="power",
        betas=(0.5,),
    ),
)

# --- ReLU networks on generic data --------------------------------------------------------------

_GENERIC = tuple(
    (n, d, _spec("gaussian", n=n, d=d, k=1))
    for n, d in ((3, 2), (4, 2), (5, 2), (6, 2), (4, 3), (5, 3), (6, 3))
)


def _generic_relu(label: str, depths: tuple[int, ...], largest: int = 6) -> tuple[Case, ...]:
    return tuple(
        Case(
            f"{label}-n{n}-d{d}", data, "parallel", "relu", depths, "zero", regularizer="power",
            tags={"generic": True},
        )  # fmt: skip
        for n, d, data in _GENERIC
        if n <= largest
    )


_TWO_LAYER_LINEAR = tuple(
    Case(
        f"linear-d{d}-k{k}",
        _spec("linear-map", n=8, d=d, k=k, rank=min(d, k), spectrum="distinct"),
        "standard",
        "linear",
        (2,),
        "zero",
    )
    for d in (2, 3)
    for k in (1, 2, 3)
)

_TWO_LAYER_RELU = (
    *_generic_relu("relu", (2,)),
    *(
        Case(f"relu-n{n}-d{d}-k1", _spec("gaussian", n=n, d=d, k=1), "standard", "relu", (2,), "zero")
        for n, d in ((8, 2), (12, 3))
    ),
    *(
        Case(
            f"relu-n{n}-d{d}-k{k}", _spec("gaussian", n=n, d=d, k=k), "standard", "relu", (2,), "zero"
        )  # fmt: skip
        for n, d, k in ((5, 2, 2), (6, 3, 2), (5, 2, 3), (5, 3, 3))
    ),
    *(
        Case(
            f"relu-n{n}-d{d}-k{k}-regularised", _spec("gaussian", n=n, d=d, k=k),
            "standard", "relu", (2,), "zero", betas=(0.2,),
        )  # fmt: skip
        for n, d, k in ((9, 2, 1), (8, 3, 2), (8, 3, 3))
    ),
)

_PARALLEL_RELU_SPECIAL = (
    *(
        Case(
            f"rank-one-k{k}", _spec("rank-one", n=6, d=3, k=k, angle=angle, ratio=0.6, sides="both"),
            "parallel", "relu", (3, 4, 5), "zero", regularizer="power",
        )  # fmt: skip
        for k, angle in ((1, 180), (2, 120))
    ),
    Case(
        "whitened-signed", _spec("whitened", n=5, d=7, k=1), "parallel", "relu", (3, 4, 5), "zero",
        regularizer="power",
    ),  # fmt: skip
    *(
        Case(
            f"whitened-n{n}-k{k}", _spec("whitened", n=n, d=n + 1, k=k), "parallel", "relu",
            (3, 4, 5), "zero", regularizer="power",
        )  # fmt: skip
        for n, k in ((3, 2), (4, 3), (5, 2))
    ),
    *(
        Case(
            f"one-hot-{'-'.join(map(str, sizes))}", _spec("one-hot", sizes=list(sizes)), "parallel",
            "relu", (3, 4, 5), "zero", regularizer="power",
        )  # fmt: skip
        for sizes in ((3, 2), (2, 2, 1))
    ),
    Case(
        "regularised-n5-d2", _spec("gaussian", n=5, d=2, k=1), "parallel", "relu", (3, 4), "zero",
        regularizer="power", betas=(0.1,),
    ),  # fmt: skip
)

# --- standard ReLU networks ----------------------------------------------------------------------

ANGLES = (0, 15, 30, 45, 60, 75, 90, 120, 150, 180)
RATIOS = (0.2, 0.6, 1.0)


def _rank_one_case(label: str, depths: tuple[int, ...], **parameters: Any) -> Case:
    options = {"n": 6, "d": 3, "k": 2, "angle": 0, "ratio": 0.6, "sides": "both", **parameters}
    aligned = options["angle"] == 0 or options["sides"] == "one"
    return Case(
        label, _spec("rank-one", **options), "standard", "relu", depths, "zero", holds=aligned,
        tags={"angle": options["angle"], "ratio": options["ratio"], "sides": options["sides"]},
    )  # fmt: skip


_RANK_ONE = (
    Case(
        "smallest", _spec("smallest"), "standard", "relu", (3,), "zero", holds=False,
        tags={"angle": 180, "ratio": 1.0, "sides": "both"},
    ),  # fmt: skip
    _rank_one_case("aligned", (3, 4, 5), k=1),
    _rank_one_case("one-sided", (3, 4, 5), k=1, sides="one"),
    _rank_one_case("opposed", (3, 4, 5), k=1, angle=180),
)

_PHASE = tuple(
    _rank_one_case(f"angle{angle}-ratio{ratio:g}", (3,), angle=angle, ratio=ratio)
    for ratio in RATIOS
    for angle in ANGLES
)

_SIZES = (
    (1, 1), (2, 1), (2, 2), (3, 1), (3, 2), (5, 1),
    (1, 1, 1), (2, 1, 1), (2, 2, 1), (4, 1, 1), (1, 1, 1, 1), (2, 1, 1, 1),
)  # fmt: skip


def _whitened_cases(depths: tuple[int, ...], paper: str) -> tuple[Case, ...]:
    return tuple(
        Case(
            f"{'-'.join(map(str, sizes))}{'-shallow' if depths == (2,) else ''}",
            _spec("one-hot", sizes=list(sizes)), "standard", "relu", depths, paper,
            tags={"sizes": "-".join(map(str, sizes)), "classes": len(sizes)},
        )  # fmt: skip
        for sizes in _SIZES
    )


_ORTHOGONAL = tuple(
    Case(
        "-".join(map(str, sizes)), _spec("one-hot", sizes=list(sizes)), "standard", "relu", (depth,),
        "any", holds=len(sizes) == 2 or depth <= 4,
        tags={"sizes": "-".join(map(str, sizes)), "classes": len(sizes)},
    )  # fmt: skip
    for sizes in ((1, 1), (2, 1), (1, 1, 1), (2, 2, 2))
    for depth in DEEP
)

# --- branches and real data ----------------------------------------------------------------------

_BRANCHES = (
    Case(
        "linear", _spec("orthonormal", n=8, d=5, k=3), "parallel", "linear", (3,), "any",
        regularizer="power", betas=(0.3,), branches=(1, 2, 3, 4),
    ),  # fmt: skip
    Case(
        "relu-two-layer", _spec("gaussian", n=6, d=2, k=1), "parallel", "relu", (2,), "any",
        regularizer="power", betas=(0.02,), branches=(1, 2, 3, 4, 5, 7),
    ),  # fmt: skip
    Case(
        "relu-three-layer", _spec("gaussian", n=6, d=2, k=1), "parallel", "relu", (3,), "any",
        regularizer="power", betas=(0.02,), branches=(1, 2, 3, 4, 5, 7),
    ),  # fmt: skip
)

_REAL = (
    *(
        Case(
            f"{name}-linear-{architecture}", _spec("real", name=name, transform="fitted"),
            architecture, "linear", (2, 3, 4), "any",
            regularizer="power" if architecture == "parallel" else "weight_decay",
        )  # fmt: skip
        for name in ("iris", "diabetes")
        for architecture in ("standard", "parallel")
    ),
    *(
        Case(
            f"{name}-linear-regularised", _spec("real", name=name, transform="orthonormal"),
            "standard", "linear", (2, 3, 4), "any", betas=(0.5,),
        )  # fmt: skip
        for name in ("iris", "diabetes")
    ),
    *(
        Case(
            f"{name}-relu-two-layer", _spec("real", name=name, n=12, d=3), "standard", "relu", (2,),
            "any",
        )  # fmt: skip
        for name in ("iris", "diabetes")
    ),
    Case(
        "diabetes-relu-three-layer", _spec("real", name="diabetes", n=6, d=3), "parallel", "relu",
        (3, 4), "any", regularizer="power",
    ),  # fmt: skip
    Case(
        "iris-relu-three-layer", _spec("real", name="iris", n=6, d=3, target=1), "parallel", "relu",
        (3, 4), "any", regularizer="power", betas=(0.05,),
    ),  # fmt: skip
    Case(
        "iris-relu-whitened", _spec("real", name="iris", n=4, transform="whitened"), "standard",
        "relu", (2, 3), "any",
    ),  # fmt: skip
    Case(
        "diabetes-relu-whitened", _spec("real", name="diabetes", n=8, transform="whitened"),
        "parallel", "relu", (2, 3), "any", regularizer="power",
    ),  # fmt: skip
)

# --- the claims ----------------------------------------------------------------------------------

CLAIMS: tuple[Claim, ...] = (
    Claim(
        "two-layer",
        "Two-layer networks have no duality gap.",
        "Table 1, column L = 2",
        (
            Setting("two-layer-linear", _TWO_LAYER_LINEAR, replicates=2),
            Setting("two-layer-relu", _TWO_LAYER_RELU, replicates=2),
        ),
        known=True,
    ),
    Claim(
        "linear-standard",
        "Standard deep linear networks with vector outputs have a duality gap for L ≥ 3.",
        "abstract; Section 3; Table 1",
        (
            Setting(
                "linear-standard",
                _linear_cases("standard", "weight_decay", "positive", ("distinct", "equal")),
            ),
        ),
        condition="X†Y has rank at least two",
    ),
    Claim(
        "linear-equal",
        "The gap of a standard linear network vanishes when all singular values are equal.",
        "criterion met in accounts of Section 3",
        (Setting("linear-equal", _EQUAL),),
        condition="",
    ),
    Claim(
        "linear-scalar",
        "Deep linear networks with scalar output have no duality gap.",
        "Section 3",
        (Setting("linear-scalar", _SCALAR, replicates=2),),
    ),
    Claim(
        "low-rank",
        "Weight decay drives deep linear networks to low rank, by a closed form.",
        "abstract; Section 3",
        (Setting("low-rank", _LOW_RANK),),
        test="shrinkage",
    ),
    Claim(
        "linear-parallel",
        "Parallel linear networks with the modified regulariser have no duality gap at any depth.",
        "abstract; Section 4; Table 1",
        (
            Setting(
                "linear-parallel",
                (
                    *_linear_cases("parallel", "power", "zero", ("distinct", "equal")),
                    *_LINEAR_PARALLEL_REGULARISED,
                ),
            ),
        ),
    ),
    Claim(
        "linear-parallel-weight-decay",
        "With plain weight decay the parallel linear network keeps the gap for L ≥ 3.",
        "Section 4",
        (
            Setting(
                "linear-parallel-weight-decay",
                _linear_cases("parallel", "weight_decay", "positive", ("distinct",)),
            ),
        ),
        condition="X†Y has rank at least two",
    ),
    Claim(
        "relu-parallel-3",
        "Three-layer parallel ReLU networks have no duality gap.",
        "Table 1, column L = 3",
        (Setting("relu-parallel-3", _generic_relu("generic", (3,)), replicates=2, restarts=64),),
        known=True,
    ),
    Claim(
        "relu-parallel",
        "Parallel ReLU networks of any depth with the modified regulariser have no duality gap.",
        "abstract; Section 5; Table 1",
        (
            Setting(
                "relu-parallel",
                (*_generic_relu("generic", (4,)), *_generic_relu("deeper", (5,), largest=5)),
                restarts=64,
            ),
            Setting("relu-parallel-special", _PARALLEL_RELU_SPECIAL),
        ),
    ),
    Claim(
        "relu-standard-rank-one",
        "Three-layer standard ReLU networks have no duality gap on rank-one data.",
        "abstract; Section 5",
        (Setting("relu-standard-rank-one", (*_RANK_ONE, *_PHASE)),),
        condition="all coordinates of X = c aᵀ have one sign, or y₊ and y₋ point the same way",
    ),
    Claim(
        "relu-standard-whitened",
        "Standard ReLU networks of three or more layers can have a duality gap (whitened data).",
        "Section 5; Table 1",
        (
            Setting(
                "relu-standard-whitened",
                (*_whitened_cases((2,), "zero"), *_whitened_cases(DEEP, "positive")),
            ),
        ),
    ),
    Claim(
        "whitened-orthogonal",
        "On whitened one-hot data one orthogonal direction per class is optimal at every depth.",
        "the formula suggested by the orthogonal solution",
        (Setting("whitened-orthogonal", _ORTHOGONAL, restarts=64),),
        test="formula",
        condition="two classes, or L ≤ 4 (measured, not proved)",
    ),
    Claim(
        "branches",
        "Enough branches (m* ≤ KN + 1) close the gap of a parallel network.",
        "Section 4; Section 5",
        (Setting("branches", _BRANCHES, restarts=64),),
        test="branches",
    ),
    Claim(
        "real-data",
        "The same holds on data nobody made for it (Iris, Diabetes).",
        "not in the paper",
        (Setting("real-data", _REAL),),
        test="bracket",
    ),
)

OWN_DATA = "own-data"

# The paper's Table 1, in its own words: ✓ = 0 zero gap, ≠ 0 a gap exists. For standard ReLU
# networks of depth ≥ 3 it states that gaps can exist, and a zero gap for L = 3 on rank-one data.
PAPER_TABLE1: dict[tuple[str, str], dict[str, str]] = {
    ("standard", "linear"): {"2": "0 (known before)", "3": "≠ 0", ">3": "≠ 0"},
    ("parallel", "linear"): {"2": "0 (known before)", "3": "0", ">3": "0"},
    ("standard", "relu"): {"2": "0 (known before)", "3": "≠ 0 (0 if rank X = 1)", ">3": "≠ 0"},
    ("parallel", "relu"): {"2": "0 (known before)", "3": "0 (known before)", ">3": "0"},
}


def claim(identifier: str) -> Claim:
    """The claim of that id. Raises ConfigError naming the accepted ids."""
    for entry in CLAIMS:
        if entry.id == identifier:
            return entry
    raise ConfigError(
        f"claim {identifier!r} is unknown; accepted are {', '.join(c.id for c in CLAIMS)}"
    )


def setting(identifier: str) -> Setting:
    """The setting of that id. Raises ConfigError naming the accepted ids."""
    found = {s.id: s for c in CLAIMS for s in c.settings}
    if identifier not in found:
        raise ConfigError(f"setting {identifier!r} is unknown; accepted are {', '.join(found)}")
    return found[identifier]


def instances(setting_id: str, options: dict[str, Any] | None = None) -> list[Instance]:
    """The problems of a setting, in a fixed order.

    options: {"replicates": int, "restarts": int, "cases": [labels]} override the registry (None:
    keep); {"file": {…}} describes a user's own data for a setting named file-<id>.
    """
    options = options or {}
    if "file" in options:
        return list(_own_data(setting_id, options))
    chosen = setting(setting_id)
    owner = next(c.id for c in CLAIMS if chosen in c.settings)
    labels = options.get("cases")
    known = [case.label for case in chosen.cases]
    for label in labels or ():
        if label not in known:
            raise ConfigError(
                f"setting {setting_id!r} has no case {label!r}; it has {', '.join(dict.fromkeys(known))}"
            )
    replicates = options.get("replicates") or chosen.replicates
    restarts = options.get("restarts") or chosen.restarts
    return [
        instance
        for case in chosen.cases
        if labels is None or case.label in labels
        for instance in _expand(owner, setting_id, case, replicates, restarts)
    ]


def _expand(
    owner: str, setting_id: str, case: Case, replicates: int, restarts: int
) -> Iterator[Instance]:
    for replicate in range(replicates):
        for depth in case.depths:
            for beta in case.betas:
                for branches in case.branches:
                    name = f"{case.label}-{replicate}-L{depth}"
                    name += f"-b{beta:g}" if beta is not None else ""
                    name += f"-m{branches}" if branches is not None else ""
                    yield Instance(
                        owner, setting_id, name, case.data, replicate, case.architecture,
                        case.activation, case.regularizer, depth, beta, branches, case.paper,
                        case.holds, restarts, case.tags,
                    )  # fmt: skip


def _own_data(setting_id: str, options: dict[str, Any]) -> Iterator[Instance]:
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
            tags={},
        )
