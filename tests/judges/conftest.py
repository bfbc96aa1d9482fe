"""The second judge, built once for all tests that need it."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.judges.second import Judge

SOURCE = Path(__file__).parents[2] / "checker-go"


@pytest.fixture(scope="session")
def second(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Judge:
    """checker-go, where there is a Go to build it and these tests are asked for."""
    if "checkers" not in request.config.getoption("markexpr"):
        pytest.skip("make test-checkers runs this: it builds a checker in Go")
    if shutil.which("go") is None:
        pytest.skip("no go here to build the second checker")
    program = tmp_path_factory.mktemp("second") / "checker-go"
    subprocess.run(["go", "build", "-o", program, "."], cwd=SOURCE, check=True)
    return Judge(program)
