"""Where a run's results are, and that two different runs do not write there at once."""

import fcntl
import os
from contextlib import suppress
from pathlib import Path

from zerogap.model.errors import ConfigError


def folder(root: str, name: str) -> str:
    """The results of the run of that name, beside those of the run that has none."""
    return f"{root}/{name}" if name else root


def occupy(results: Path, configuration: str) -> int:
    """Hold a folder of results for a configuration until this process ends; the open file.

    Runs of one configuration may share a folder: they do the same work. The hold is a lock on a
    file, which the system lets go of when the process dies, however it dies. Raises ConfigError
    where a run of another configuration holds the folder.
    """
    results.mkdir(parents=True, exist_ok=True)
    held = os.open(results / ".run", os.O_RDWR | os.O_CREAT, 0o644)
    with suppress(BlockingIOError):
        # Alone here: this configuration is the one that others must share.
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.ftruncate(held, 0)
        os.pwrite(held, configuration.encode(), 0)
    fcntl.flock(held, fcntl.LOCK_SH)
    if os.pread(held, len(configuration.encode()) + 1, 0) != configuration.encode():
        os.close(held)
        raise ConfigError(
            f"{results} is in use by a run of another configuration; wait for its end, or give "
            "this one a name (name: another)"
        )
    return held
