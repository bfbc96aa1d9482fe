"""How long and how wide to train, and what training reports."""

from dataclasses import dataclass

from zerogap.model.matrices import Array
from zerogap.model.network import Network

# Largest ‖f(X) − Y‖_F / ‖Y‖_F with which a restart counts as interpolating.
INTERPOLATION_TOLERANCE = 1e-9


@dataclass(frozen=True)
class TrainingOptions:
    """How long and how wide to train; the defaults serve every problem of the theory.

    restarts: random starts per problem. width: hidden width of a standard network, or inner
    width of a branch. branches: number of branches m. None chooses both from n, d, k so that an
    optimum fits with room to spare (theory §8). steps, learning_rate: Adam on every restart; None
    is 2000 for ReLU and 500 for linear networks, which have no kinks and end in L-BFGS.
    refresh: steps between two returns to exact interpolation. polished: how many of the best
    restarts go on, for polish_steps of slow Adam (ReLU: the kinks need it) and lbfgs_steps of
    L-BFGS in each of eight rounds of multipliers.
    """

    restarts: int = 32
    width: int | None = None
    branches: int | None = None
    steps: int | None = None
    learning_rate: float = 0.1
    refresh: int = 20
    polished: int = 4
    polish_steps: int = 4000
    lbfgs_steps: int = 60


@dataclass(frozen=True, eq=False)
class Training:
    """What training reached on one problem.

    network: the best restart, balanced; value, error: its objective and ‖f(X) − Y‖_F. Where no
    restart interpolates, the network is the one nearest to it and the value is infinite.
    values: the objective of every restart, ascending, infinite where it diverged or misses
    interpolation. curve (T, 4): step, the best upper bound known by then, and what half and three
    quarters of the restarts have reached, nan once only the best of them go on.
    """

    network: Network
    value: float
    error: float
    values: Array
    curve: Array
