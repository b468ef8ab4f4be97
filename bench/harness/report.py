"""The table of results. Pure."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from dataclasses import dataclass, field

#: What our column is called.
OURS = "acrida"


@dataclass(frozen=True)
class Row:
    """One figure: its runs for each generator, and what ours has to reach, if anything."""

    measure: str
    unit: str
    #: By generator, one value a run.
    runs: dict[str, list[float]]
    goal: str = "–"
    #: From the medians by generator to whether the goal is reached.
    reached: Callable[[dict[str, float]], bool] | None = None
    digits: int = 0
    notes: list[str] = field(default_factory=list)
    #: Which of the columns has to reach the goal.
    ours: str = OURS

    def medians(self) -> dict[str, float]:
        return {name: statistics.median(values) for name, values in self.runs.items() if values}

    def verdict(self) -> str:
        medians = self.medians()
        if self.reached is None:
            return "–"
        if self.ours not in medians:
            return "not measured"
        return "yes" if self.reached(medians) else "**no**"


def table(rows: list[Row], columns: list[str]) -> str:
    """A table whose first column is ours."""
    ours, *peers = columns
    header = ["measure", "unit", *columns, *(f"{ours} ÷ {peer}" for peer in peers), "goal", "reached"]
    lines = [header, ["---"] * len(header), *(cells(row, ours, peers) for row in rows)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def cells(row: Row, ours: str, peers: list[str]) -> list[str]:
    medians = row.medians()
    ratios = []
    for peer in peers:
        both = ours in medians and medians.get(peer)
        ratios.append(f"{medians[ours] / medians[peer]:.2f}" if both else "–")
    columns = [ours, *peers]
    values = [f"{medians[name]:,.{row.digits}f}" if name in medians else "–" for name in columns]
    return [row.measure, row.unit, *values, *ratios, row.goal, row.verdict()]


def every_run(rows: list[Row]) -> str:
    """The values that the medians come from."""
    lines = []
    for row in rows:
        for name, values in row.runs.items():
            listed = ", ".join(f"{value:,.{row.digits}f}" for value in values)
            lines.append(f"- {row.measure}, {name}: {listed} {row.unit}\n")
        lines += [f"  - {note}\n" for note in row.notes]
    return "".join(lines)


def document(tables: list[tuple[str, list[Row], list[str]]], circumstances: list[str]) -> str:
    """``tables``: a heading, rows and columns each; those without rows are left out."""
    filled = [given for given in tables if given[1]]
    return (
        "# Results\n\n"
        "Written by `make bench`; what is measured, and how, stands in [README.md](README.md).\n\n"
        + "".join(f"- {line}\n" for line in circumstances)
        + "".join(f"\n{heading}, medians:\n\n{table(rows, columns)}" for heading, rows, columns in filled)
        + "\nEvery run:\n\n"
        + "".join(every_run(rows) for _, rows, _ in filled)
    )
