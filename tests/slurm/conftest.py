"""One Slurm for all tests that need it, stopped when they end."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.slurm.cluster import Cluster, Unavailable, install


@pytest.fixture(scope="session")
def cluster(request: pytest.FixtureRequest) -> Iterator[Cluster]:
    """A cluster of two nodes, where this user may have one and asked for it."""
    if "slurm" not in request.config.getoption("markexpr"):
        pytest.skip("make test-slurm runs this: it installs and starts Slurm")
    try:
        install()
    except Unavailable as reason:
        pytest.skip(f"no Slurm here: {reason}")
    with tempfile.TemporaryDirectory(prefix="zerogap-slurm-") as name:
        started = Cluster(Path(name))
        try:
            started.start()
            yield started
        finally:
            started.stop()
