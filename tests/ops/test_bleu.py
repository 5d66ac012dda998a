"""BLEU and chrF from counts of sentences, against sacrebleu's scores of the corpus."""

import numpy as np
import pytest
import sacrebleu
from hypothesis import given, settings
from hypothesis import strategies as st

from gradatim.ops.translation.bleu import BLEU_SIGNATURE, bleu, bleu_counts, tokens_13a
from gradatim.ops.translation.chrf import CHRF_SIGNATURE, chrf, chrf_counts

WORDS = "a the cat, dog. sat 3.5 1,000 well-known l'homme - & &amp; &lt;b&gt; $5 (so) Été x/y !"
SENTENCES = st.lists(st.sampled_from([*WORDS.split(), "\u2460", "\u201cyes\u201d"]), max_size=9)
TEXTS = st.lists(st.tuples(SENTENCES, SENTENCES), min_size=1, max_size=6)


def both(pairs):
    return [" ".join(a) for a, _ in pairs], [" ".join(b) for _, b in pairs]


@settings(max_examples=200, deadline=None)
@given(TEXTS)
def test_scores_are_those_of_sacrebleu(pairs):
    said, due = both(pairs)
    ours = bleu(np.sum([bleu_counts(*pair) for pair in zip(said, due, strict=True)], axis=0))
    assert ours == pytest.approx(sacrebleu.corpus_bleu(said, [due]).score, abs=1e-9)
    ours = chrf(np.sum([chrf_counts(*pair) for pair in zip(said, due, strict=True)], axis=0))
    assert ours == pytest.approx(sacrebleu.corpus_chrf(said, [due]).score, abs=1e-9)


@settings(max_examples=300, deadline=None)
@given(st.text(st.sampled_from("ab1.,-'&;<>$%()/\\[]{}~^_`\" \u00e9\u4e00\u0660"), max_size=20))
def test_words_are_those_of_mteval(text):
    tokenizer = sacrebleu.BLEU().tokenizer
    assert tokens_13a(text) == tokenizer(text.rstrip()).split()


def test_counts_of_a_sentence_are_those_of_sacrebleu():
    said, due = "the the cat sat on mats", "the cat sat on the mat, the cat"
    reference = sacrebleu.BLEU(effective_order=True).sentence_score(said, [due])
    expected = [*reference.counts, *reference.totals, reference.sys_len, reference.ref_len]
    assert bleu_counts(said, due) == expected


def test_signatures_are_those_of_the_reference():
    """The options; the version is the one that these formulas were compared with."""
    metrics = {BLEU_SIGNATURE: sacrebleu.BLEU(), CHRF_SIGNATURE: sacrebleu.CHRF()}
    for ours, metric in metrics.items():
        metric.corpus_score(["a"], [["a"]])
        theirs = str(metric.get_signature())
        assert ours.rpartition("|")[0] == theirs.rpartition("|")[0]


@pytest.mark.parametrize(("said", "due"), [("", "a b"), ("a b", ""), ("", ""), ("a", "b")])
def test_nothing_in_common_scores_nothing(said, due):
    assert bleu(bleu_counts(said, due)) == 0.0
    assert chrf(chrf_counts(said, due)) == 0.0


def test_a_perfect_translation_scores_100():
    text = "a cat sat on the mat."
    assert bleu(bleu_counts(text, text)) == pytest.approx(100)
    assert chrf(chrf_counts(text, text)) == pytest.approx(100)
