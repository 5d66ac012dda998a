"""Translate: its loss, its scores, how a model is asked."""

import pytest
import sacrebleu
import torch
from torch import nn

from gradatim.core.errors import ConfigError
from gradatim.core.metric import Metric
from gradatim.core.recipe import LossChoice
from gradatim.core.samples import Samples
from gradatim.core.signature import Signature, Text, Translation
from gradatim.ops.intervals import paired_bootstrap
from gradatim.ops.text.characters import coded
from gradatim.tasks.translate import AT_ONCE, TASK

DUE = ["the cat sat on the mat.", "a dog, and 3.5 others!", "yes", "where is it?", "he's here"]
SAID = ["the cat sat on a mat.", "a dog and 3 others!", "yes", "", "here he is, he said"]
LETTERS = "".join(sorted(set("".join(DUE + SAID))))
SIGNATURE = Signature(
    input=Text(length=30, alphabet=LETTERS, language="fr"),
    output=Translation(length=30, alphabet=LETTERS, language="en"),
)
TRANSLATE = TASK.of(SIGNATURE)


def samples(texts: list[str] = DUE) -> Samples:
    codes = coded(texts, LETTERS)
    return Samples(codes, codes)


def said(texts: list[str] = SAID):
    return TRANSLATE.decode(coded(texts, LETTERS))


def score(name: str, reading) -> float:
    metric: Metric = TRANSLATE.metrics[name]
    return metric(*reading)


def test_scores_are_those_of_sacrebleu():
    reading = TRANSLATE.read(said(), samples())
    assert score("bleu", reading) == pytest.approx(sacrebleu.corpus_bleu(SAID, [DUE]).score, 1e-12)
    assert score("chrf", reading) == pytest.approx(sacrebleu.corpus_chrf(SAID, [DUE]).score, 1e-12)
    assert score("exact", reading) == 20.0


def test_any_rows_have_a_score_of_their_own():
    """As a bootstrap draws them, some more than once."""
    rows = [0, 0, 4, 1]
    counts, words = TRANSLATE.read(said(), samples())
    expected = sacrebleu.corpus_bleu([SAID[i] for i in rows], [[DUE[i] for i in rows]]).score
    assert score("bleu", (counts[rows], words[rows])) == pytest.approx(expected, 1e-12)


def test_quality_is_chrf_of_each_sentence():
    found = TRANSLATE.quality(TRANSLATE.read(said(), samples()))
    expected = [sacrebleu.sentence_chrf(a, [b]).score for a, b in zip(SAID, DUE, strict=True)]
    assert found.tolist() == pytest.approx(expected, 1e-12)


def test_paired_bootstrap_between_two_translators():
    better, worse = (TRANSLATE.read(said(texts), samples()) for texts in (DUE, SAID))
    metric = TRANSLATE.metrics["chrf"]
    low, high = paired_bootstrap(
        lambda rows: metric(better[0][rows], better[1][rows]),
        lambda rows: metric(worse[0][rows], worse[1][rows]),
        len(DUE),
    )
    assert 0 <= low < high


def test_remark_is_the_signature_of_sacrebleu():
    """But for the version, which is the one that was compared with."""
    metrics = [sacrebleu.BLEU(), sacrebleu.CHRF()]
    for metric in metrics:
        metric.corpus_score(SAID, [DUE])
    parts = TRANSLATE.remark(said(), samples()).split(" ")
    for part, metric in zip(parts, metrics, strict=True):
        options = part.partition("|")[2].rpartition("|")[0]
        assert options == str(metric.get_signature()).rpartition("|")[0]


def test_languages_without_spaces_are_judged_by_characters():
    assert TRANSLATE.default_metric(samples()) == "bleu"
    for language in ("zh", "ja", "zh-TW"):
        output = SIGNATURE.output.model_copy(update={"language": language})
        task = TASK.of(Signature(input=SIGNATURE.input, output=output))
        assert task.default_metric(samples()) == "chrf"


def test_sentences_as_people_read_them():
    assert TRANSLATE.text(samples().take([1]), None) == DUE[1]
    assert TRANSLATE.text(samples().take([1]), said()[1:2]) == SAID[1]
    assert TRANSLATE.text(samples().take([1]), said()[1]) == SAID[1]


# --- the loss ------------------------------------------------------------------------------------

SHOWN = torch.tensor([[1, 5, 6, 2, 0, 0], [1, 7, 2, 0, 0, 0]])  # BEGIN, words, END, PAD


def test_loss_is_the_mean_over_the_words_of_a_sentence():
    logits = torch.randn(2, 5, 9, generator=torch.Generator().manual_seed(0))
    logs = logits.log_softmax(2)
    first = -(logs[0, 0, 5] + logs[0, 1, 6] + logs[0, 2, 2]) / 3
    second = -(logs[1, 0, 7] + logs[1, 1, 2]) / 2
    torch.testing.assert_close(TRANSLATE.losses(logits, SHOWN), torch.stack([first, second]))


def test_label_smoothing_spreads_a_share_over_all_words():
    logits = torch.randn(1, 2, 9, generator=torch.Generator().manual_seed(0))
    task = TRANSLATE.with_loss(LossChoice(label_smoothing=0.1), SHOWN)
    logs = logits.log_softmax(2)[0]
    each = -0.9 * logs[[0, 1], [7, 2]] - 0.1 * logs.mean(1)
    torch.testing.assert_close(task.losses(logits, SHOWN[1:, :3])[0], each.mean())


def test_what_stands_after_the_end_costs_nothing_and_teaches_nothing():
    logits = torch.randn(2, 5, 9, requires_grad=True)
    TRANSLATE.losses(logits, SHOWN).sum().backward()
    assert logits.grad[0, 3:].abs().sum() == 0
    assert logits.grad[0, :3].abs().sum() > 0
    longer = torch.cat([logits, torch.randn(2, 4, 9)], 1)
    padded = torch.cat([SHOWN, torch.zeros(2, 4, dtype=torch.int64)], 1)
    torch.testing.assert_close(TRANSLATE.losses(longer, padded), TRANSLATE.losses(logits, SHOWN))


def test_a_sentence_without_words_costs_nothing():
    assert TRANSLATE.losses(torch.randn(1, 2, 9), torch.zeros(1, 3, dtype=torch.int64)) == 0


def test_other_losses_are_refused():
    for choice in (LossChoice(name="hinge"), LossChoice(class_weights="balanced")):
        with pytest.raises(ConfigError, match="label_smoothing"):
            TRANSLATE.with_loss(choice, SHOWN)


def test_a_network_that_learns_is_shown_the_right_words():
    seen = []

    class Network(nn.Module):
        def forward(self, tokens, shown):
            seen.append((tokens, shown))
            return torch.zeros(len(tokens), shown.shape[1] - 1, 9)

    tokens = torch.ones(2, 3, dtype=torch.int64)
    TRANSLATE.losses(TRANSLATE.outputs(Network(), tokens, SHOWN), SHOWN)
    assert seen[0][0] is tokens
    assert seen[0][1] is SHOWN


# --- asking --------------------------------------------------------------------------------------


class Echo(nn.Module):
    """Answers with the sentence, and remembers what it was asked."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[torch.Tensor] = []

    def forward(self, rows):
        assert not self.training
        self.asked.append(rows)
        return rows


def test_sentences_of_like_length_are_asked_together_and_answers_keep_their_order():
    texts = [("ab"[i % 2] * (i % 50)).strip() for i in range(3 * AT_ONCE)]
    alphabet = "ab"
    task = TASK.of(
        Signature(input=SIGNATURE.input, output=Translation(length=50, alphabet=alphabet))
    )
    model = Echo().train()
    codes = coded(texts, alphabet)
    found = task.answers(model, Samples(codes, codes))
    assert found.tolist() == texts
    assert found.dtype.kind == "U", "no objects: they would have to be pickled"
    assert model.training
    assert all(len(rows) <= AT_ONCE for rows in model.asked)
    widths = [rows.shape[1] for rows in model.asked]
    assert widths == sorted(widths)
    assert all((rows >= 0).any(1).all() for rows in model.asked), "nothing is not asked about"


def test_rows_without_any_word_are_answered_with_nothing():
    codes = coded(["", ""], LETTERS, 1)
    assert TRANSLATE.answers(Echo(), Samples(codes, codes)).tolist() == ["", ""]
