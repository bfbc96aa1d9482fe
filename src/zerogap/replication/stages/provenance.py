"""What made the results."""

import platform
import subprocess
from importlib.metadata import version
from pathlib import Path
from typing import Any

from zerogap.replication.claims import CLAIMS, instances
from zerogap.replication.records import write_json

PACKAGES = (
    *("zerogap", "numpy", "scipy", "torch", "cvxpy", "clarabel", "pandas", "seaborn"),
    *("snakemake", "python-flint", "typst"),
)


def run(config: dict[str, Any], output: Path) -> int:
    """Write the configuration, package versions, the commit and the platform; no times.

    registry: how much a run of every claim tests, so that a smaller one can say what it is.
    """
    write_json(
        output,
        {
            "config": config,
            "registry": {
                "claims": len(CLAIMS),
                "problems": sum(len(instances(s.id)) for c in CLAIMS for s in c.settings),
            },
            "packages": {name: version(name) for name in PACKAGES},
            "python": platform.python_version(),
            "machine": platform.machine(),
            "commit": _git("rev-parse", "HEAD"),
            "modified": bool(_git("status", "--porcelain")),
        },
        "provenance",
    )
    return 1


def _git(*arguments: str) -> str | None:
    done = subprocess.run(["git", *arguments], capture_output=True, text=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else None
