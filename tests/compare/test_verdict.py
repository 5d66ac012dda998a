"""From scores to words: the simplest rung that is practically as good as the best."""

import pytest

from gradatim.compare.verdict import SURE, Standing, verdict


def standing(text: str) -> Standing:
    """`name goodness worse equal`; a name with * is deep, with 0 a dummy."""
    name, goodness, worse, equal = text.split()
    likely = float(worse), float(equal), 1 - float(worse) - float(equal)
    bare = name.strip("*0")
    return Standing(bare, "*" in name, "0" in name, float(goodness), *likely)


CASES = {
    "clear winner, classical": (
        ["majority0 0.5 1 0", "linear 0.8 0.99 0.01", "svm 0.95 0 1", "mlp* 0.9 0.97 0.02"],
        ("svm", True, "does not pay"),
        ["Take svm: it scores best", "does not pay"],
    ),
    "clear winner, deep": (
        ["majority0 0.5 1 0", "svm 0.8 0.99 0.01", "mlp* 0.85 0.98 0.02", "lenet5* 0.97 0 1"],
        ("lenet5", True, "pays"),
        ["Take lenet5: it scores best; deep learning pays here"],
    ),
    "practical tie takes the simpler": (
        ["majority0 0.5 1 0", "linear 0.945 0.2 0.7", "svm 0.95 0 1", "mlp* 0.948 0.1 0.8"],
        ("linear", True, "does not pay"),
        ["Take linear: practically as good as the best", "does not pay"],
    ),
    "best of all the networks ties with a classical one": (
        ["majority0 0.5 1 0", "svm 0.962 0.15 0.8", "mlp* 0.97 0 1"],
        ("svm", True, "does not pay"),
        ["Take svm: practically as good"],
    ),
    "behind on average, yet not shown worse: nobody knows": (
        ["majority0 0.5 1 0", "linear 0.90 0.80 0.15", "svm 0.95 0 1"],
        ("svm", False, "not tried"),
        ["No clear winner: take svm, it leads"],
    ),
    "a network leads and a classical one is not shown worse": (
        ["majority0 0.5 1 0", "svm 0.93 0.80 0.15", "mlp* 0.95 0 1"],
        ("mlp", False, "unclear"),
        ["No clear winner: take mlp"],
    ),
    "within the rope on average, but the folds are torn": (
        ["majority0 0.5 1 0", "linear 0.945 0.40 0.25", "svm 0.95 0 1"],
        ("linear", False, "not tried"),
        ["No clear winner: take linear, the simplest of those that lead"],
    ),
    "nothing beats the dummy": (
        ["majority0 0.5 0 1", "linear 0.49 0.3 0.6", "mlp* 0.48 0.6 0.3"],
        ("majority", True, "does not pay"),
        ["Nothing beats majority, which does not even look at the data"],
    ),
    "the dummy is practically as good": (
        ["mean0 -10.05 0.1 0.85", "ridge -10.0 0 1"],
        ("mean", True, "not tried"),
        ["Nothing beats mean"],
    ),
    "within the rope on average, but shown worse": (
        ["majority0 0.5 1 0", "linear 0.9399 0.96 0.04", "svm 0.95 0 1"],
        ("svm", True, "not tried"),
        ["Take svm"],
    ),
    "alone": (["svm 0.9 0 1"], ("svm", True, "not tried"), ["Take svm"]),
}


@pytest.mark.parametrize("case", CASES)
def test_verdict(case):
    ladder, (rung, clear, deep), words = CASES[case]
    standings = [standing(text) for text in ladder]
    rope = 0.1 if "mean" in ladder[0] else 0.0101
    said = verdict(standings, rope, {s.rung: f"{s.goodness:.4g}" for s in standings})
    assert (said.rung, said.clear, said.deep) == (rung, clear, deep), said
    assert all(word in said.headline for word in words), said.headline
    assert said.rung in said.reason
    assert set(said.as_dict()) == {"rung", "headline", "reason", "clear", "deep"}


def test_the_reason_names_the_rungs_that_keep_it_from_being_clear():
    ladder, _, _ = CASES["behind on average, yet not shown worse: nobody knows"]
    said = verdict([standing(text) for text in ladder], 0.01, dict.fromkeys(_names(ladder), "x"))
    assert "linear" in said.reason
    assert "majority" not in said.reason


def test_shown_is_at_95_percent():
    """Just below and at the threshold, everything else being equal."""
    for worse, clear in ((SURE - 0.001, False), (SURE, True)):
        ladder = [standing(f"linear 0.9 {worse} 0"), standing("svm 0.95 0 1")]
        assert verdict(ladder, 0.01, {"linear": "a", "svm": "b"}).clear is clear
    assert SURE == 0.95


def _names(ladder: list[str]) -> list[str]:
    return [text.split()[0].strip("*0") for text in ladder]
