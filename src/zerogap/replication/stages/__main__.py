"""Run one stage: python -m zerogap.replication.stages NAME --option value … (or zerogap-stage).

Only the module of that stage is loaded, so that a stage depends on what it needs and no more.
"""

import argparse
import inspect
import json
import sys
import time
from importlib import import_module
from pathlib import Path
from typing import get_type_hints

from zerogap.model.errors import ZerogapError


def names() -> list[str]:
    """Every stage, as the command line calls it."""
    files = Path(__file__).parent.glob("[!_]*.py")
    return sorted(path.stem.replace("_", "-") for path in files)


def main(arguments: list[str] | None = None) -> int:
    """Run one stage; prints one line when done.

    Exit code 2 and one line on a known failure, 1 where the system fails, 130 if interrupted.
    """
    parser = argparse.ArgumentParser(prog="zerogap-stage", description="Run one stage.")
    parser.add_argument("stage", choices=names())
    chosen, rest = parser.parse_known_args(arguments)
    run = import_module(f"zerogap.replication.stages.{chosen.stage.replace('-', '_')}").run
    options = argparse.ArgumentParser(prog=f"zerogap-stage {chosen.stage}", description=run.__doc__)
    hints = get_type_hints(run)
    for name in inspect.signature(run).parameters:
        kind = json.loads if hints[name] not in (str, int, float, Path) else hints[name]
        options.add_argument(f"--{name.replace('_', '-')}", type=kind, required=True)
    given = vars(options.parse_args(rest))
    started = time.perf_counter()
    try:
        count = run(**given)
    except ZerogapError as error:
        print(f"zerogap-stage {chosen.stage}: {error}", file=sys.stderr)
        return 2
    except OSError as error:  # a full disk, a folder that cannot be written
        print(f"zerogap-stage {chosen.stage}: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    print(f"{chosen.stage}: {count} done in {time.perf_counter() - started:.1f} s", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
