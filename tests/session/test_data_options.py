"""The keywords that verbs share: which a verb takes, and what becomes of them."""

from math import inf

import pytest

import gradatim
from gradatim.core.errors import ConfigError
from gradatim.core.source import ReadOptions
from gradatim.session.climb import climb
from gradatim.session.data_options import Chosen
from gradatim.session.fit import fit


@pytest.mark.parametrize(
    ("verb", "told", "said"),
    [
        ("climb", {"gruop": "id"}, r'climb\(\) has no keyword "gruop"; did you mean "group"'),
        ("climb", {"rung": ["mlp"]}, 'did you mean "rungs"'),
        ("fit", {"rung": "mlp", "folds": 3}, r'fit\(\) has no keyword "folds"'),
        ("inspect", {"drop": ["a"]}, r'inspect\(\) has no keyword "drop"'),
        ("race", {"rung": "mlp", "repeat": 2}, 'did you mean "repeats"'),
        ("rates", {"rung": "mlp", "optimizers": "sgd"}, 'did you mean "optimizer"'),
        ("ablate", {"rung": "mlp", "signature": None}, r'ablate\(\) has no keyword "signature"'),
    ],
)
def test_an_unknown_keyword_is_refused_with_the_nearest(verb, told, said):
    with pytest.raises(TypeError, match=said):
        getattr(gradatim, verb)("no such file.csv", **told)


def test_target_is_the_second_argument_or_a_keyword():
    for ask in (lambda: climb("iris", "nope"), lambda: climb("iris", target="nope")):
        with pytest.raises(ConfigError, match="nope"):
            ask()


def test_what_is_not_chosen_has_its_default():
    chosen = Chosen.of(fit, "y", {"group": "id", "drop": ["a"]})
    assert chosen == Chosen("y", group="id", drop=["a"])
    assert chosen.reading == ReadOptions("y", "id", None, None, None, "impute")


def test_the_question_has_what_reads_the_data_and_nothing_else():
    chosen = Chosen("y", time="t", drop=("a", "b"), rows=20, encoding="cp1252", minutes=2)
    options = {"target": "y", "group": None, "time": "t", "task": None, "encoding": "cp1252"}
    options |= {"missing": "impute"}
    read = {"options": options, "drop": ["a", "b"], "rows": 20, "allow_leak": False}
    assert chosen.question() == read


def test_time_is_over_after_minutes():
    assert Chosen().deadline(5.0) == inf
    assert Chosen(minutes=2).deadline(5.0) == 125.0


def test_wrong_numbers_are_named_together():
    with pytest.raises(ConfigError, match=r"--folds = 1.*--minutes = -1.*--seed = -3"):
        Chosen(folds=1, minutes=-1).check(seed=-3)
