"""Code in documents, run when a page is made, with what it printed beneath it."""

import contextlib
import io
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

from zerogap.model.errors import DataError

# A block that is followed by one without a language shows its output already.
_BLOCK = re.compile(r"^```(python|sh)\n((?:(?!```).*\n)*)```\n(?!\n```\n)", re.MULTILINE)


def executed(text: str, folder: Path) -> str:
    """A document with the output of its blocks of Python and of commands beneath them.

    The blocks of a document share names and the folder that they run in. A command is a line of a
    block `sh`: one of zerogap. Raises DataError where code fails; a command may end as it likes.
    """
    names: dict[str, object] = {"__name__": "__main__"}

    def run(match: re.Match[str]) -> str:
        kind, code = match.groups()
        said = _python(code, names, folder) if kind == "python" else _commands(code, folder)
        return match[0] + (f"\n```text\n{said.rstrip()}\n```\n" if said.strip() else "")

    return _BLOCK.sub(run, text)


def _python(code: str, names: dict[str, object], folder: Path) -> str:
    said = io.StringIO()
    with contextlib.chdir(folder), contextlib.redirect_stdout(said):
        try:
            exec(compile(code, "<example>", "exec"), names)
        except Exception as error:
            raise DataError(
                f"an example failed, {type(error).__name__}: {error}:\n{code}"
            ) from None
    return said.getvalue()


def _commands(lines: str, folder: Path) -> str:
    said = []
    for line in lines.splitlines():
        program, *arguments = shlex.split(line, comments=True)
        if program != "zerogap":
            raise DataError(f"an example runs {program!r}; accepted are commands of zerogap")
        done = subprocess.run(
            [sys.executable, "-m", "zerogap", *arguments],
            cwd=folder, env={**os.environ, "COLUMNS": "88"}, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=300, check=False,
        )  # fmt: skip
        said.append(done.stdout)
    return "\n".join(said)
