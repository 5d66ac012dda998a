"""The README of a model folder."""

import pytest

from gradatim.runs.card import model_card

BOARD = {
    "data": "some",
    "metric": "score",
    "direction": "higher",
    "split_hash": "3f" * 32,
    "train_rows": 80,
    "test_rows": 20,
    "command": "gradatim climb some",
    "rungs": [],
    "verdict": {"rung": "best", "headline": "Take best", "reason": "It is.", "deep": "pays"},
    "test": {"score": 0.5, "low": 0.4, "high": 0.6, "openings": 1},
}


@pytest.mark.parametrize(
    ("task", "use"),
    [
        ("classify", "gradatim predict RUN INPUT"),
        ("translate", "gradatim predict RUN INPUT"),
        ("model_text", 'gradatim predict RUN --prompt "..."'),
        ("synthesise", "gradatim predict RUN --out FOLDER"),
        ("play", "gradatim predict RUN --out game.gif"),
    ],
)
def test_it_says_how_the_model_is_used(task: str, use: str) -> None:
    assert f"\n    {use}\n" in model_card(BOARD | {"task": task})
