"""What one orthogonal direction per class costs, for the rows of a table (theory §7)."""

import numpy as np
import pandas as pd

from zerogap.model.matrices import Array
from zerogap.theory.whitened import one_hot_orthogonal


def directions(rows: pd.DataFrame) -> Array:
    """P of one direction per class, (L/2) Σ_k n_k^{1/L}, from the columns sizes and depth."""
    return np.array(
        [
            L / 2 * one_hot_orthogonal(np.array(sizes.split("-"), dtype=float), L) ** (2 / L)
            for sizes, L in zip(rows["sizes"], rows["depth"], strict=True)
        ]
    )
