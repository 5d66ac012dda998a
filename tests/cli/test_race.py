"""What `race` and `rates` print of a board."""

from contextlib import redirect_stdout
from io import StringIO

import pytest

from gradatim.cli.contest import print_contest
from gradatim.cli.rates import _numbers
from gradatim.core.errors import ConfigError

PAIR = {"difference": -0.02, "p_holm": 0.25}
AT = {"steps": 1200, "seconds": 1.5, "passes": 3.25}
ROW = {"status": "ok", "reason": None, "lr": 0.1, "low": 0.8, "high": 0.9}
BOARD = {
    "metric": "accuracy",
    "watched": "validation loss",
    "level": 0.5,
    "lead": "adam scores best: accuracy 0.9.",
    "report": "runs/x/report.html",
    "entrants": [
        ROW | {"name": "adam", "score": 0.9, "best": None, "reached": AT},
        ROW | {"name": "sgd", "score": 0.88, "best": PAIR, "reached": None},
        ROW | {"name": "sgd lr=9", "status": "diverged", "reason": "the loss is nan [x]"},
    ],
}


def printed(board) -> str:
    out = StringIO()
    with redirect_stdout(out):
        print_contest(board)
    return out.getvalue()


def test_scores_costs_and_what_diverged():
    text = printed(BOARD)
    adam, sgd, gone = text.splitlines()[1:4]
    assert adam.split() == ["adam", "0.1", "0.9", "0.8", "..", "0.9", "1,200", "1.50", "3.2"]
    assert sgd.split()[-4:] == ["0.02", "0.250", "not", "reached"]
    assert gone.split() == ["sgd", "lr=9", "0.1", "diverged"]
    assert "sgd lr=9 diverged: the loss is nan [x]" in text
    assert "validation loss of 0.5" in text
    assert "Report: runs/x/report.html" in text


def test_a_board_without_a_score_prints_too():
    gone = [row for row in BOARD["entrants"] if row["status"] == "diverged"]
    text = printed(BOARD | {"entrants": gone, "level": None, "lead": "None could be scored."})
    assert "None could be scored." in text


def test_a_sweep_is_numbers():
    assert _numbers("0.1, 1e-3") == [0.1, 1e-3]
    assert _numbers(None) == []
    with pytest.raises(ConfigError, match="write numbers"):
        _numbers("0.1,much")
