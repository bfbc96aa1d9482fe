"""What the notebooks share."""

import os
from pathlib import Path

from IPython.display import HTML
from pandas.io.formats.style import Styler

from zerogap.model.errors import DataError


class Absent(DataError):
    """What a notebook reads is not there; said in one line, where others have a traceback."""

    def _render_traceback_(self) -> list[str]:
        return [str(self)]


def results(*needed: str) -> Path:
    """The results of the run, found from any folder of the repository.

    The environment variable ZEROGAP_RESULTS names the folder of another run, from the root of the
    repository on. needed: what the notebook reads there. Raises Absent, saying which command makes
    it.
    """
    folder, here = Path(os.environ.get("ZEROGAP_RESULTS", "results")), Path.cwd()
    if not folder.is_absolute():
        root = next(
            (p for p in (here, *here.parents) if (p / "workflow/Snakefile").is_file()), None
        )
        if root is None:
            raise Absent(
                f"{here} is not in a checkout of the repository; start the notebook in one"
            )
        folder = root / folder
    for name in needed:
        if not (folder / name).exists():
            raise Absent(
                f"{folder / name} does not exist; `make` at the root of the checkout makes it, "
                "or `make smoke` a small one, which ZEROGAP_RESULTS=results/smoke names"
            )
    return folder


def shown(styler: Styler, name: str) -> HTML:
    """A styled table as HTML that depends on its contents only.

    name: the table's id on the page, which would be random, as would be its text beside the HTML.
    """
    return HTML(styler.to_html(table_uuid=name))
