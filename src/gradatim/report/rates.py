"""The page of a search for a learning rate: the range test, the sweep, the verdict."""

from collections.abc import Mapping
from typing import Any

from gradatim.report.figures.range_test import range_figure
from gradatim.report.race import score_part, track_parts
from gradatim.report.sheet import Part, sheet

__all__ = ["rates_lead", "rates_page"]

MEANS = {
    "low": "too small steps: not there yet when the epochs were over",
    "good": "not shown to be worse than the best, or practically as good",
    "high": "learns, and ends higher than a good rate",
    "very high": "diverged, or learnt next to nothing",
}


def rates_page(board: Mapping[str, Any]) -> str:
    """Return the page.

    Args:
        board: as written to rates.json.
    """
    title = f"Which learning rate? {board['rung']} with {board['optimizer']} on {board['name']}"
    parts = [
        _verdicts(board),
        *track_parts(board, ("steps",), level=False),
        _test(board),
        score_part(board),
    ]
    return sheet(title, rates_lead(board), [*parts, _terms(board)])


def rates_lead(board: Mapping[str, Any]) -> str:
    """Return the verdict in a sentence or two."""
    if board["chosen"] is None:
        return "No rate could be scored; the table says why."
    good = [row for row in board["entrants"] if board["verdicts"][row["name"]] == "good"]
    rates = [row["lr"] for row in good]
    text = f"Take {board['chosen']:g}: it scores best, {board['metric']} "
    text += f"{next(row['score'] for row in good if row['best'] is None):.4g}."
    if len(rates) > 1:
        text += f" From {min(rates):g} to {max(rates):g} none is shown to be worse on these folds."
    tried = [row["lr"] for row in board["entrants"]]
    if board["chosen"] in (min(tried), max(tried)) and len(tried) > 1:
        text += " It is the last of those tried at its end: a wider --sweep may find better."
    return text + f" The range test had suggested {board['test']['suggested']:.2g}."


def _verdicts(board: Mapping[str, Any]) -> Part:
    rows = []
    for row in board["entrants"]:
        verdict = board["verdicts"][row["name"]]
        last = f"{row['track']['loss'][-1]:.4g}" if row["track"] else ""
        score = "" if row["score"] is None else f"{row['score']:.4f}"
        rows.append([f"{row['lr']:g}", verdict, score, last, MEANS.get(verdict, row["reason"])])
    columns = ["learning rate", "verdict", board["metric"], "last training loss", "what it means"]
    text = "Every rate on the same folds, with the same first weights and order of rows."
    return Part("Low, good, high, very high", text, columns=columns, rows=rows)


def _test(board: Mapping[str, Any]) -> Part:
    test = board["test"]
    marks = {"suggested": test["suggested"]}
    marks |= {"steepest": test["steepest"], "lowest loss": test["lowest"]}
    figure = range_figure(test["rates"], test["losses"], test["smoothed"], marks)
    text = (
        f"One short run in which the rate grows by the same factor every step (Smith 2017). It "
        f"ended after {len(test['rates'])} steps, when {test['ended']}. Thin: each batch; strong: "
        "smoothed. "
        f"Suggested is {test['suggested']:.2g}: where the loss falls fastest, but at most a tenth "
        "of the rate at which it is lowest. It says where to look; the sweep decides."
    )
    return Part("Range test", text, figure)


def _terms(board: Mapping[str, Any]) -> Part:
    text = (
        f"Each fit of the sweep: {board['epochs']} epochs, {board['schedule']} schedule, seed "
        f"{board['seed']}; no weight decay, no clipping, no early end unless asked for. "
        f"Made by: {board['command']}"
    )
    return Part("Terms", text)
