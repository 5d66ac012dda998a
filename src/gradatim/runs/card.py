"""The model card: what the model is, on what evidence it was chosen, and how it was made."""

from typing import Any

__all__ = ["model_card", "spoken"]

USES = {"model_text": '--prompt "..."', "synthesise": "--out FOLDER", "play": "--out game.gif"}
"""Task -> what `predict` is given where a model needs no data."""


def model_card(leaderboard: dict[str, Any]) -> str:
    """Return the card of a climb's chosen model, as Markdown."""
    verdict, test = leaderboard["verdict"], leaderboard["test"]
    lines = [
        f"# {verdict['rung']} for {_inert(leaderboard['data'])}",
        "",
        f"{_inert(verdict['headline'])}. {_inert(verdict['reason'])}",
        "",
        f"- Task: {leaderboard['task']}",
        f"- Judged by: {leaderboard['metric']}, {leaderboard['direction']} is better",
        f"- Sealed test split: {spoken(test['score'])} on {leaderboard['test_rows']} rows",
        f"- 95 % interval: {spoken(test['low'])} to {spoken(test['high'])}",
        f"- Openings of that split: {test['openings']}",
        f"- Trained on {leaderboard['train_rows']} rows; split {leaderboard['split_hash'][:16]}",
        f"- Made by `{_inert(leaderboard['command'])}`",
        "",
        "## The ladder, on the same folds",
        "",
        "| rung | score | 95 % interval | parameters | fit, s |",
        "|---|---|---|---|---|",
    ]
    lines += [_line(row) for row in leaderboard["rungs"]]
    asked = USES.get(leaderboard["task"], "INPUT")
    lines += ["", "## Use", "", f"    gradatim predict RUN {asked}", ""]
    lines += ["The numbers are in `model.safetensors`, the architecture in `model.json`."]
    return "\n".join(lines) + "\n"


def spoken(score: float | None) -> str:
    """Return a score as people read it."""
    return "undefined" if score is None else f"{score:.4g}"


def _line(row: dict[str, Any]) -> str:
    if row["status"] != "ok":
        return f"| {row['name']} | {row['status']}: {_inert(row['reason'])} | | | |"
    interval = "" if row["low"] is None else f"{row['low']:.4g} to {row['high']:.4g}"
    return (
        f"| {row['name']} | {row['score']:.4g} | {interval} "
        f"| {row['parameters']:,} | {row['fit_seconds']:.2f} |"
    )


def _inert(text: str) -> str:
    """Return text that no Markdown reader takes for a link, HTML or a table."""
    return "".join(f"&#{ord(c)};" if c in "<>|[]`\n\r" else c for c in str(text))
