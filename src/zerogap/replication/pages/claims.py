"""One page for every claim that a run tested: its statement, verdict, pictures and problems."""

from collections.abc import Hashable
from pathlib import Path

import pandas as pd

from zerogap.replication.claims import CLAIMS
from zerogap.replication.claims.registry import Claim
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


def pages(tables: Path, figures: Path) -> dict[str, str]:
    """The Markdown of every page by its name; "index" lists them.

    Empty where the run tested no claim.
    """
    gaps, details = read(tables, "gaps.csv"), read(tables, "details.csv")
    frame = joined(gaps, details, ["paper", "holds", "beta"])
    found = {row["claim"]: row for row in scoreboard_of_run(tables).to_dict("records")}
    tested = [claim for claim in CLAIMS if claim.id in found]
    made = {
        claim.id: _page(claim, found[claim.id], frame[frame["claim"] == claim.id], figures)
        for claim in tested
    }
    return {"index": _index(tested, found), **made}


def picture(name: str) -> str:
    """A figure with its caption, from a page in a folder."""
    said = described()[name]
    return f"![{plain(said.alt)}](../results/figures/{name}.png)

*{plain(said.caption)}*
"


def _index(tested: list[Claim], found: dict[Hashable, dict]) -> str:
    rows = [
        (
            f"[{plain(claim.statement)}]({claim.id}.md)",
            plain(found[claim.id]["verdict"]),
            found[claim.id]["instances"],
            f"{found[claim.id]['certified_share']:.1%}",
        )
        for claim in tested
    ]
    names = "\n".join(claim.id for claim in tested)
    return (
        "# Claims\n\nWhat the paper says, claim by claim, and what this run found: verdicts count "
        "problems whose brackets the checker proved.\n\n"
        f"{table(('claim', 'verdict', 'problems', 'certified'), rows)}\n"
        f"```{{toctree}}\n:hidden:\n\n{names}\n```\n"
    )


def _page(claim: Claim, found: dict, frame: pd.DataFrame, figures: Path) -> str:
    evidence = plain(found["evidence"])
    lines = [
        f"# {plain(claim.statement)}\n",
        f"{plain(claim.where)}{'; known before the paper' if claim.known else ''}.\n",
        f"**{plain(found['verdict']).capitalize()}.** {evidence[:1].upper()}{evidence[1:]}.\n",
    ]
    if claim.condition:
        measured = " This was measured, not proved." if claim.measured else ""
        lines.append(f"The condition: {plain(claim.condition)}.{measured}\n")
    drawn = [name for name in described() if claim.id in described()[name].claims]
    lines += [picture(name) for name in drawn if (figures / f"{name}.png").is_file()]
    for setting, part in frame.groupby("setting", sort=False):
        lines += [
            f"## Problems of `{setting}`\n",
            f"To prove their bounds again: `zerogap verify results/certificates/{setting}`.\n",
        ]
        if len(part) > _SHOWN:
            lines.append(f"The first {_SHOWN} of {len(part)}.\n")
        lines.append(wide(_HEADS, map(_row, part.head(_SHOWN).to_dict("records"))))
    lines.append("All problems of the run are in [gaps.csv](../results/tables/gaps.csv).\n")
    return "\n".join(lines)


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
