"""The page of an ablation: what each regulariser bought."""

from collections.abc import Mapping, Sequence
from typing import Any

from gradatim.report.figures.forest import forest_figure
from gradatim.report.sheet import Part, sheet
from gradatim.report.words import score, signed

__all__ = ["ablation_page", "lead_of", "said_of"]

Facts = Mapping[str, Any]


def ablation_page(board: Facts) -> str:
    """Return the page.

    Args:
        board: as written to ablation.json.
    """
    known = [e for e in board["effects"] if e["effect"] is not None]
    order = sorted(known, key=lambda e: e["effect"], reverse=True)
    parts = [Part("What each one buys", HOW.format(**board), _figure(order, board))]
    words = Part("In words", columns=["what was found"], rows=[[e["sentence"]] for e in order])
    parts += [_table(board, order), words, *_gone(board), Part("How it was done", DONE)]
    title = f"What regularisation buys: {board['rung']} on {board['name']}"
    return sheet(title, lead_of(board), parts)


def lead_of(board: Facts) -> str:
    """Return in a sentence or two what was shown to help and what to hurt."""
    start = (
        f"{board['rung']} as it is scores {score(board['base']['score'], board['metric'])} in "
        f"{board['metric']}."
    )
    named = {
        verdict: [e["spoken"] for e in board["effects"] if e["verdict"] == verdict]
        for verdict in ("helps", "hurts", "not shown")
    }
    said = [
        f"Shown to help: {', '.join(named['helps'])}." if named["helps"] else "",
        f"Shown to hurt: {', '.join(named['hurts'])}." if named["hurts"] else "",
    ]
    if not any(said):
        said = [f"None of {len(named['not shown'])} changes is shown to matter on these folds."]
    return " ".join([start, *filter(None, said)])


def said_of(effect: Facts, board: Facts) -> str:
    """Return a sentence about one regulariser."""
    name, metric = effect["spoken"], board["metric"]
    if effect["effect"] is None:
        return f"{name}: {effect['verdict']} ({effect['reason'] or 'no scores to compare'})."
    interval = ""
    if effect["low"] is not None and effect["high"] is not None:
        ends = f"{signed(effect['low'], metric)} to {signed(effect['high'], metric)}"
        interval = f", 95 % interval {ends}"
    p = "" if effect["p_holm"] is None else f", p = {effect['p_holm']:.2g} after Holm"
    number = f"{signed(effect['effect'], metric)} in {metric}{interval}{p}"
    use = "in use" if effect["on"] else "not in use"
    verb = {"helps": "buys", "hurts": "costs"}.get(effect["verdict"])
    if verb is None:
        return f"{name} ({use}) is not shown to matter: {number}."
    return f"{name} ({use}) {verb} {number}."


def _figure(order: Sequence[Facts], board: Facts) -> Any:
    return forest_figure(order, board["metric"], board["rope"]) if order else Part("").figure


def _table(board: Facts, order: Sequence[Facts]) -> Part:
    metric = board["metric"]
    columns = ["regulariser", "in use", "with", "without", "effect", "95 % interval", "p (Holm)"]
    rows = []
    for e in order:
        scores = [board["base"]["score"], e["score"]]
        used, unused = scores if e["on"] else scores[::-1]
        interval = f"{signed(e['low'], metric)} to {signed(e['high'], metric)}"
        row = [e["spoken"], "yes" if e["on"] else "no", score(used, metric), score(unused, metric)]
        p = "" if e["p_holm"] is None else f"{e['p_holm']:.3f}"
        rows.append([*row, signed(e["effect"], metric), interval, p])
    return Part("In numbers", columns=columns, rows=rows)


def _gone(board: Facts) -> list[Part]:
    gone = [e for e in board["effects"] if e["effect"] is None]
    if not gone:
        return []
    rows = [[e["spoken"], e["verdict"], e["reason"], e["remedy"]] for e in gone]
    columns = ["regulariser", "what happened", "why", "what to do"]
    return [Part("Without a score", columns=columns, rows=rows)]


HOW = (
    "Effect: score with it minus score without it, turned so that right of zero it helps. Lines "
    "are 95 % intervals of the paired difference over {folds} x {repeats} folds, widened because "
    "training sets overlap; the band is what means nothing in practice (±{rope:.2g}). Names in "
    "colour: shown, p below 0.05 after Holm's correction for all comparisons."
)
DONE = (
    "One change at a time, everything else as it is: the same folds, seeds and epochs. What is in "
    "use was left out; what is not in use was added at a usual strength. Effects of several "
    "changes at once need not add up. Without early stopping, the rows that were held out to watch "
    "are learnt from, too, and training runs to its last epoch. The sealed test part stayed "
    "closed."
)
