"""The registry: every claim of the paper, the problems that test it, and the verdict expected.

Table 1, the scoreboard, figures, configuration checks and the DAG are derived from it. To add a
claim, add an entry; to add a family of problems, add a case.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from zerogap.model.errors import ConfigError
from zerogap.replication.families import Spec, label_of, seed_of


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
    """Cases that share a batch. replicates: data sets per case; restarts: training runs each;
    polish_steps: slow steps that the best of them go on for (where kinks need it)."""

    id: str
    cases: Cases
    replicates: int = 1
    restarts: int = 16
    polish_steps: int = 4000


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
    polish_steps: int
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


def _standard(
    label: str, data: Spec, activation: str, depths: tuple[int, ...], paper: str, **options: Any
) -> Case:
    return Case(label, data, "standard", activation, depths, paper, **options)


def _parallel(
    label: str, data: Spec, activation: str, depths: tuple[int, ...], paper: str, **options: Any
) -> Case:
    """A parallel network with the modified regulariser, unless another is named."""
    options = {"regularizer": "power", **options}
    return Case(label, data, "parallel", activation, depths, paper, **options)


DEEP = (3, 4, 5, 6)

# --- linear networks ----------------------------------------------------------------------------

_LINEAR_DATA = tuple(
    (shape, rank, spectrum, _spec("linear-map", n=n, d=d, k=4, rank=rank, spectrum=spectrum))
    for shape, n, d in (("over", 12, 6), ("under", 5, 7))
    for rank in (1, 2, 3, 4)
    for spectrum in ("distinct", "equal")
    if rank > 1 or spectrum == "distinct"
)


def _linear(make: Callable[..., Case], paper: str, equal: bool = True, **options: Any) -> Cases:
    """Ranks 1 to 4, over- and under-determined X: no gap at L = 2, `paper`'s word beyond."""
    cases = []
    for shape, rank, spectrum, data in _LINEAR_DATA:
        if equal or spectrum == "distinct":
            label = f"{shape}-r{rank}-{spectrum}"
            tags = {"rank": rank, "spectrum": spectrum, "shape": shape}
            holds = paper == "zero" or rank >= 2
            shallow = make(f"{label}-shallow", data, "linear", (2,), "zero", tags=tags, **options)
            deep = make(label, data, "linear", DEEP, paper, tags=tags, holds=holds, **options)
            cases += [shallow, deep]
    return tuple(cases)


_EQUAL = tuple(
    _standard(f"r{rank}", data, "linear", DEEP, "zero", holds=False, tags={"rank": rank})
    for shape, rank, spectrum, data in _LINEAR_DATA
    if shape == "over" and spectrum == "equal"
)

_SCALAR = tuple(
    _standard(
        shape,
        _spec("linear-map", n=n, d=d, k=1, rank=1, spectrum="distinct"),
        "linear",
        (2, *DEEP),
        "zero",
    )
    for shape, n, d in (("over", 10, 4), ("under", 4, 6))
)

_SHRUNK = _spec("orthonormal", n=12, d=6, k=4)
LOW_RANK_BETAS = (0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4)
_LOW_RANK = (_standard("path", _SHRUNK, "linear", (2, *DEEP), "any", betas=LOW_RANK_BETAS),)

_LINEAR_PARALLEL_REGULARISED = (
    _parallel("regularised", _SHRUNK, "linear", (2, *DEEP), "zero", betas=(0.1, 0.5)),
    _parallel(
        "regularised-gaussian",
        _spec("gaussian", n=10, d=4, k=3),
        "linear",
        (2, 3, 4),
        "zero",
        betas=(0.5,),
    ),
)

# --- ReLU networks on generic data --------------------------------------------------------------


def _gaussian(n: int, d: int, k: int = 1) -> Spec:
    return _spec("gaussian", n=n, d=d, k=k)


def _generic(label: str, depth: int, largest: int = 6) -> Cases:
    """Scalar targets on generic data: the same data sets at every depth."""
    sizes = ((3, 2), (4, 2), (5, 2), (6, 2), (4, 3), (5, 3), (6, 3))
    return tuple(
        _parallel(f"{label}-n{n}-d{d}", _gaussian(n, d), "relu", (depth,), "zero")
        for n, d in sizes
        if n <= largest
    )


_TWO_LAYER_LINEAR = tuple(
    _standard(
        f"linear-d{d}-k{k}",
        _spec("linear-map", n=8, d=d, k=k, rank=min(d, k), spectrum="distinct"),
        "linear",
        (2,),
        "zero",
    )
    for d in (2, 3)
    for k in (1, 2, 3)
)

_TWO_LAYER_RELU = (
    *_generic("relu", 2),
    *(
        _standard(f"relu-n{n}-d{d}-k{k}", _gaussian(n, d, k), "relu", (2,), "zero")
        for n, d, k in ((8, 2, 1), (12, 3, 1), (5, 2, 2), (6, 3, 2), (5, 2, 3), (5, 3, 3))
    ),
    *(
        _standard(
            f"relu-n{n}-d{d}-k{k}-regularised",
            _gaussian(n, d, k),
            "relu",
            (2,),
            "zero",
            betas=(0.2,),
        )
        for n, d, k in ((9, 2, 1), (8, 3, 2), (8, 3, 3))
    ),
)


def _rank_one_data(**options: Any) -> Spec:
    defaults = {"n": 6, "d": 3, "k": 2, "angle": 0, "ratio": 0.6, "sides": "both"}
    return _spec("rank-one", **{**defaults, **options})


def _one_hot(sizes: tuple[int, ...]) -> tuple[str, Spec]:
    return "-".join(map(str, sizes)), _spec("one-hot", sizes=list(sizes))


_SPECIAL = (
    ("rank-one-k1", _rank_one_data(k=1, angle=180)),
    ("rank-one-k2", _rank_one_data(angle=120)),
    ("whitened-signed", _spec("whitened", n=5, d=7, k=1)),
    *(
        (f"whitened-n{n}-k{k}", _spec("whitened", n=n, d=n + 1, k=k))
        for n, k in ((3, 2), (4, 3), (5, 2))
    ),
    *((f"one-hot-{label}", data) for label, data in map(_one_hot, ((3, 2), (2, 2, 1)))),
)
_PARALLEL_RELU_SPECIAL = (
    *(_parallel(label, data, "relu", (3, 4, 5), "zero") for label, data in _SPECIAL),
    _parallel("regularised-n5-d2", _gaussian(5, 2), "relu", (3, 4), "zero", betas=(0.1,)),
)

# --- standard ReLU networks ----------------------------------------------------------------------

ANGLES = (0, 15, 30, 45, 60, 75, 90, 120, 150, 180)
RATIOS = (0.2, 0.6, 1.0)


def _rank_one(label: str, depths: tuple[int, ...], **options: Any) -> Case:
    data = _rank_one_data(**options)
    tags = {key: data[key] for key in ("angle", "ratio", "sides")}
    aligned = data["angle"] == 0 or data["sides"] == "one"
    return _standard(label, data, "relu", depths, "zero", holds=aligned, tags=tags)


_RANK_ONE = (
    _standard(
        "smallest",
        _spec("smallest"),
        "relu",
        (3,),
        "zero",
        holds=False,
        tags={"angle": 180, "ratio": 1.0, "sides": "both"},
    ),
    _rank_one("aligned", (3, 4, 5), k=1),
    _rank_one("one-sided", (3, 4, 5), k=1, sides="one"),
    _rank_one("opposed", (3, 4, 5), k=1, angle=180),
    *(
        _rank_one(f"angle{angle}-ratio{ratio:g}", (3,), angle=angle, ratio=ratio)
        for ratio in RATIOS
        for angle in ANGLES
    ),
)

_SIZES = (
    *((1, 1), (2, 1), (2, 2), (3, 1), (3, 2), (5, 1)),
    *((1, 1, 1), (2, 1, 1), (2, 2, 1), (4, 1, 1), (1, 1, 1, 1), (2, 1, 1, 1)),
)


def _classes(label: str, sizes: tuple[int, ...], depths: tuple[int, ...], paper: str) -> Case:
    name, data = _one_hot(sizes)
    tags = {"sizes": name, "classes": len(sizes)}
    holds = len(sizes) == 2 or max(depths) <= 4 or paper != "any"
    return _standard(f"{label}{name}", data, "relu", depths, paper, holds=holds, tags=tags)


_WHITENED = (
    *(_classes("shallow-", sizes, (2,), "zero") for sizes in _SIZES),
    *(_classes("", sizes, DEEP, "positive") for sizes in _SIZES),
)
_ORTHOGONAL = tuple(
    _classes(f"L{depth}-", sizes, (depth,), "any")
    for sizes in ((1, 1), (2, 1), (1, 1, 1), (2, 2, 2))
    for depth in DEEP
)

# --- branches and real data ----------------------------------------------------------------------

_BRANCHES = (
    _parallel(
        "linear",
        _spec("orthonormal", n=8, d=5, k=3),
        "linear",
        (3,),
        "any",
        betas=(0.3,),
        branches=(1, 2, 3, 4),
    ),
    *(
        _parallel(
            label,
            _gaussian(6, 2),
            "relu",
            depths,
            "any",
            betas=(0.02,),
            branches=(1, 2, 3, 4, 5, 7),
        )
        for label, depths in (("relu-two-layer", (2,)), ("relu-three-layer", (3,)))
    ),
)


def _real(name: str, **options: Any) -> Spec:
    return _spec("real", name=name, **options)


_REAL = (
    *(
        make(f"{name}-linear-{kind}", _real(name, transform="fitted"), "linear", (2, 3, 4), "any")
        for name in ("iris", "diabetes")
        for kind, make in (("standard", _standard), ("parallel", _parallel))
    ),
    *(
        _standard(
            f"{name}-linear-regularised",
            _real(name, transform="orthonormal"),
            "linear",
            (2, 3, 4),
            "any",
            betas=(0.5,),
        )
        for name in ("iris", "diabetes")
    ),
    *(
        _standard(f"{name}-relu-two-layer", _real(name, n=12, d=3), "relu", (2,), "any")
        for name in ("iris", "diabetes")
    ),
    _parallel("diabetes-relu-deep", _real("diabetes", n=6, d=3), "relu", (3, 4), "any"),
    _parallel(
        "iris-relu-deep", _real("iris", n=6, d=3, target=1), "relu", (3, 4), "any", betas=(0.05,)
    ),
    _standard(
        "iris-relu-whitened", _real("iris", n=4, transform="whitened"), "relu", (2, 3), "any"
    ),
    _parallel(
        "diabetes-relu-whitened",
        _real("diabetes", n=8, transform="whitened"),
        "relu",
        (2, 3),
        "any",
    ),
)

# --- the claims ----------------------------------------------------------------------------------

CLAIMS: tuple[Claim, ...] = (
    Claim(
        "two-layer",
        "Two-layer networks have no duality gap.",
        "Table 1, column L = 2",
        (
            Setting("two-layer-linear", _TWO_LAYER_LINEAR, replicates=2),
            Setting("two-layer-relu", _TWO_LAYER_RELU, replicates=2, restarts=48),
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
                _linear(_standard, "positive"),
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
        (Setting("linear-scalar", _SCALAR, replicates=2, restarts=16),),
    ),
    Claim(
        "low-rank",
        "Weight decay drives deep linear networks to low rank, by a closed form.",
        "abstract; Section 3",
        (Setting("low-rank", _LOW_RANK, restarts=8),),
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
                    *_linear(_parallel, "zero"),
                    *_LINEAR_PARALLEL_REGULARISED,
                ),
                restarts=8,
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
                _linear(_parallel, "positive", equal=False, regularizer="weight_decay"),
            ),
        ),
        condition="X†Y has rank at least two",
    ),
    Claim(
        "relu-parallel-3",
        "Three-layer parallel ReLU networks have no duality gap.",
        "Table 1, column L = 3",
        (Setting("relu-parallel-3", _generic("generic", 3), replicates=2, restarts=48),),
        known=True,
    ),
    Claim(
        "relu-parallel",
        "Parallel ReLU networks of any depth with the modified regulariser have no duality gap.",
        "abstract; Section 5; Table 1",
        (
            Setting(
                "relu-parallel",
                (*_generic("generic", 4), *_generic("deeper", 5, largest=5)),
                restarts=12,
            ),
            Setting("relu-parallel-special", _PARALLEL_RELU_SPECIAL, restarts=12, polish_steps=500),
        ),
    ),
    Claim(
        "relu-standard-rank-one",
        "Three-layer standard ReLU networks have no duality gap on rank-one data.",
        "abstract; Section 5",
        (Setting("relu-standard-rank-one", _RANK_ONE),),
        condition="all coordinates of X = c aᵀ have one sign, or y₊ and y₋ point the same way",
    ),
    Claim(
        "relu-standard-whitened",
        "Standard ReLU networks of three or more layers can have a duality gap (whitened data).",
        "Section 5; Table 1",
        (Setting("relu-standard-whitened", _WHITENED, restarts=8, polish_steps=200),),
    ),
    Claim(
        "whitened-orthogonal",
        "On whitened one-hot data one orthogonal direction per class is optimal at every depth.",
        "the formula suggested by the orthogonal solution",
        (Setting("whitened-orthogonal", _ORTHOGONAL, restarts=24, polish_steps=1500),),
        test="formula",
        condition="two classes, or L ≤ 4 (measured, not proved)",
    ),
    Claim(
        "branches",
        "Enough branches (m* ≤ KN + 1) close the gap of a parallel network.",
        "Section 4; Section 5",
        (Setting("branches", _BRANCHES, restarts=24),),
        test="branches",
    ),
    Claim(
        "real-data",
        "The same holds on data nobody made for it (Iris, Diabetes).",
        "not in the paper",
        (Setting("real-data", _REAL, restarts=12),),
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
                f"setting {setting_id!r} has no case {label!r}; it has {', '.join(known)}"
            )
    replicates = options.get("replicates") or chosen.replicates
    restarts = options.get("restarts") or chosen.restarts
    return [
        instance
        for case in chosen.cases
        if labels is None or case.label in labels
        for instance in _expand(owner, setting_id, case, replicates, restarts, chosen.polish_steps)
    ]


def _expand(
    owner: str, setting_id: str, case: Case, replicates: int, restarts: int, polish_steps: int
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
                        case.holds, restarts, polish_steps, case.tags,
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
            polish_steps=4000,
            tags={},
        )
