"""One page for every claim that a run tested: its statement, verdict, pictures and problems."""

from collections.abc import Hashable
from pathlib import Path

import pandas as pd

from zerogap.replication.claims import CLAIMS
from zerogap.replication.claims.registry import OWN_DATA, Claim
from zerogap.replication.figures import described
from zerogap.replication.pages.markdown import plain, table
from zerogap.replication.pages.markup import wide
from zerogap.replication.pages.numbers import down, share, up
from zerogap.replication.tables.frames import joined, read, scoreboard_of_run

# A page of a larger run shows so many problems of a setting; the table in a file has all.
_SHOWN = 200
_HEADS = (
    "problem", "network", "regulariser", "n×d→k", "P at most", "D at least", "relative gap",
    "verdict", "paper", "condition", "certified",
)  # fmt: skip


def pages(results: Path) -> dict[str, str]:
    """The Markdown of every page by its name; "index" lists them. Own data has one page."""
    tables = results / "tables"
    gaps, details = read(tables, "gaps.csv"), read(tables, "details.csv")
    frame = joined(gaps, details, ["paper", "holds", "beta"])
    board = scoreboard_of_run(tables) if (tables / "claims.csv").is_file() else pd.DataFrame()
    found = {row["claim"]: row for row in board.to_dict("records")}
    tested = [claim for claim in CLAIMS if claim.id in found]
    made = {
        claim.id: _page(claim, found[claim.id], frame[frame["claim"] == claim.id], results)
        for claim in tested
    }
    own = frame[frame["claim"] == OWN_DATA]
    if len(own):
        made[OWN_DATA] = "\n".join(["# Your own data\n", *_problems(own, results)])
    return {"index": _index(tested, found, list(made)), **made}


def picture(name: str) -> str:
    """A figure with its caption, from a page in a folder."""
    said = described()[name]
    return f"![{plain(said.alt)}](../results/figures/{name}.png)\n\n*{plain(said.caption)}*\n"


def _index(tested: list[Claim], found: dict[Hashable, dict], made: list[str]) -> str:
    rows = [
        (
            f"[{plain(claim.statement)}]({claim.id}.md)",
            plain(found[claim.id]["verdict"]),
            found[claim.id]["instances"],
            f"{found[claim.id]['certified_share']:.1%}",
        )
        for claim in tested
    ]
    names = "\n".join(made)
    return (
        "# Claims\n\nWhat the paper says, claim by claim, and what this run found: verdicts count "
        "problems whose brackets the checker proved.\n\n"
        f"{table(('claim', 'verdict', 'problems', 'certified'), rows)}\n"
        f"```{{toctree}}\n:hidden:\n\n{names}\n```\n"
    )


def _page(claim: Claim, found: dict, frame: pd.DataFrame, results: Path) -> str:
    evidence = plain(found["evidence"])
    lines = [
        f"# {plain(claim.statement)}\n",
        f"Where: {plain(claim.where)}{'; known before the paper' if claim.known else ''}.\n",
        f"**{plain(found['verdict']).capitalize()}.** {evidence[:1].upper()}{evidence[1:]}.\n",
    ]
    if claim.condition:
        measured = " This was measured, not proved." if claim.measured else ""
        lines.append(f"The condition: {plain(claim.condition)}.{measured}\n")
    lines += [
        picture(name)
        for name, said in described().items()
        if claim.id in said.claims and (results / f"figures/{name}.png").is_file()
    ]
    return "\n".join([*lines, *_problems(frame, results)])


def _problems(frame: pd.DataFrame, results: Path) -> list[str]:
    """The problems of each setting in a table."""
    lines = []
    for setting, part in frame.groupby("setting", sort=False):
        proofs = results / f"certificates/{setting}"
        lines += [
            f"## Problems of `{setting}`\n",
            f"To prove their bounds again: `zerogap verify {proofs}`.\n",
        ]
        if len(part) > _SHOWN:
            lines.append(f"The first {_SHOWN} of {len(part)}.\n")
        lines.append(wide(_HEADS, map(_row, part.head(_SHOWN).to_dict("records"))))
    return [*lines, "All problems of the run are in [gaps.csv](../results/tables/gaps.csv).\n"]


def _row(problem: dict) -> tuple[object, ...]:
    beta = problem["beta"]
    return (
        problem["instance"],
        f"{problem['architecture']}, {problem['activation']}, L = {problem['depth']}",
        problem["regularizer"].replace("_", " ") + ("" if pd.isna(beta) else f", β = {beta:g}"),
        f"{problem['n']}×{problem['d']}→{problem['k']}",
        up(problem["primal"]),
        down(problem["dual"]),
        share(problem["relative_gap"]),
        problem["verdict"],
        problem["paper"],
        "holds" if problem["holds"] else "fails",
        "yes" if problem["certified"] else f"no: {problem['reason']}",
    )
