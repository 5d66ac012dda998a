"""The page of a race: who came how far, and what it cost."""

from collections.abc import Mapping, Sequence
from typing import Any

from gradatim.report.figures.tracks import tracks_figure
from gradatim.report.sheet import Part, sheet

__all__ = ["lead_of", "race_page", "score_part", "track_parts"]

AXES = {
    "steps": ("Loss against steps", "steps", "How often the parameters moved."),
    "seconds": (
        "Loss against time",
        "seconds",
        "On this machine, one thread, other fits running beside it.",
    ),
    "passes": (
        "Loss against gradients",
        "gradients, in passes over the training rows",
        "What had to be computed. A loss counts a third of a gradient, a Hessian product two.",
    ),
}
SURE = 0.05


def race_page(board: Mapping[str, Any]) -> str:
    """Return the page of a race.

    Args:
        board: as written to race.json.
    """
    count = len(board["entrants"])
    title = f"{count} optimizers race: {board['rung']} on {board['name']}"
    parts = [score_part(board), *track_parts(board, tuple(AXES)), _costs(board), _terms(board)]
    return sheet(title, lead_of(board), [part for part in parts if part is not None])


def lead_of(board: Mapping[str, Any]) -> str:
    """Return who leads and how sure that is, in a sentence or two."""
    scored = [row for row in board["entrants"] if row["status"] == "ok"]
    if not scored:
        return "None of them could be scored; the table says why."
    best = next(row for row in scored if row["best"] is None)
    others = [row for row in scored if row is not best]
    even = [row["name"] for row in others if (row["best"]["p_holm"] or 0) >= SURE]
    text = f"{best['name']} scores best: {board['metric']} {best['score']:.4g}."
    if len(even) > 4:
        text += f" {len(even)} others are not shown to be worse on these folds."
    elif even:
        text += f" Not shown to be worse on these folds: {', '.join(even)}."
    elif others:
        text += " All others are shown to be worse on these folds."
    gone = [row["name"] for row in board["entrants"] if row["status"] == "diverged"]
    return text + (f" Diverged: {', '.join(gone)}." if gone else "")


def score_part(board: Mapping[str, Any]) -> Part:
    """Return the table of final scores, the best first, those that failed last."""
    higher = board["direction"] == "higher"
    order = sorted(
        board["entrants"],
        key=lambda row: (row["score"] is None, (-1 if higher else 1) * (row["score"] or 0)),
    )
    columns = ["", "learning rate", "batch", board["metric"], "95 % interval", "behind the best"]
    text = (
        f"Mean over {board['folds'] * board['repeats']} folds, with intervals widened because "
        "training sets overlap. Behind the best: paired difference with its interval; p is "
        "corrected for the number of comparisons (Holm). The sealed test part stayed closed."
    )
    return Part(
        "Scores", text, columns=[*columns, "p"], rows=[_scores(row, board) for row in order]
    )


def _scores(row: Mapping[str, Any], board: Mapping[str, Any]) -> list[str]:
    batch = min(row["batch"], board["train_rows"])
    start = [row["name"], f"{row['lr']:g}", "all" if batch == board["train_rows"] else str(batch)]
    if row["status"] != "ok":
        return [*start, row["status"], "", str(row["reason"]), ""]
    interval = "" if row["low"] is None else _range(row["low"], row["high"])
    pair = row["best"]
    if pair is None:
        return [*start, f"{row['score']:.4f}", interval, "the best", ""]
    if pair["difference"] is None:
        return [*start, f"{row['score']:.4f}", interval, "", ""]
    behind = f"{-pair['difference']:.4f}"
    if pair["low"] is not None:
        behind += f" ({_range(-pair['high'], -pair['low'])})"
    p = "" if pair["p_holm"] is None else f"{pair['p_holm']:.3f}"
    return [*start, f"{row['score']:.4f}", interval, behind, p]


def _range(low: float, high: float) -> str:
    """Return an interval that no line break tears apart."""
    return f"{low:.4f} to {high:.4f}".replace(" ", "\N{NO-BREAK SPACE}")


def track_parts(board: Mapping[str, Any], axes: Sequence[str], *, level: bool = True) -> list[Part]:
    """Return a figure for each kind of cost, with the common level or without."""
    rows = {row["name"]: row for row in board["entrants"] if row["track"]}
    if not rows:
        return []
    made = []
    for key in axes:
        heading, x, text = AXES[key]
        strong = {n: _line(row, key, "watched") for n, row in rows.items()}
        faint = {n: _line(row, key, "loss") for n, row in rows.items()}
        marks = {
            n: _mark(row, key, board["level"])
            for n, row in rows.items()
            if level and row["reached"]
        }
        names = [row["name"] for row in board["entrants"]]
        line = board["level"] if level else None
        figure = tracks_figure(strong, faint, x, "loss", level=line, marks=marks, names=names)
        what = f"Strong: {board['watched']}; faint: training loss; means over folds, by epoch."
        made.append(Part(heading, f"{text} {what}", figure))
    return made


def _line(row: Mapping[str, Any], x: str, y: str) -> list[tuple[float, float]]:
    return list(zip(row["track"][x], row["track"][y], strict=True))


def _mark(row: Mapping[str, Any], x: str, level: float) -> tuple[float, float]:
    """Return the first point of the strong line at the level."""
    return next((a, b) for a, b in _line(row, x, "watched") if b <= level)


def _costs(board: Mapping[str, Any]) -> Part | None:
    rows = [row for row in board["entrants"] if row["track"]]
    if not rows:
        return None
    text = (
        f"The level, dashed in the figures, is a {board['watched']} of {board['level']:.4g}: the "
        "lowest that at least half of them reached. Costs are those at the end of the epoch in "
        "which it was reached."
    )
    columns = ["", "steps", "seconds", "gradient passes", f"lowest {board['watched']}"]
    return Part("What the common level cost", text, columns=columns, rows=[_cost(r) for r in rows])


def _cost(row: Mapping[str, Any]) -> list[str]:
    lowest = f"{min(row['track']['watched']):.4g}"
    at = row["reached"]
    if at is None:
        return [row["name"], "", "", "", lowest]
    costs = [f"{at['steps']:,.0f}", f"{at['seconds']:.2f}", f"{at['passes']:.1f}"]
    return [row["name"], *costs, lowest]


def _terms(board: Mapping[str, Any]) -> Part:
    text = (
        f"Each fit: {board['epochs']} epochs, {board['schedule']} schedule, seed {board['seed']}, "
        "the same folds, first weights and order of rows for all; no weight decay, no clipping, no "
        "early end unless asked for. Where no rate was given, an optimizer has its own default. "
        f"Made by: {board['command']}"
    )
    return Part("Terms", text)
