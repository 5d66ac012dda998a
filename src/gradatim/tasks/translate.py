"""Translate: the same sentence in another language."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

import numpy as np
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional as F

from gradatim.core.chunks import evaluating
from gradatim.core.errors import ConfigError
from gradatim.core.metric import Metric
from gradatim.core.recipe import LossChoice
from gradatim.core.samples import Samples
from gradatim.core.signature import Signature, Translation
from gradatim.core.task import Reading, Supervised
from gradatim.ops.text.characters import written
from gradatim.ops.translation.bleu import BLEU_SIGNATURE, bleu, bleu_counts
from gradatim.ops.translation.bleu import COUNTS as OF_BLEU
from gradatim.ops.translation.chrf import CHRF_SIGNATURE, chrf, chrf_counts
from gradatim.ops.translation.chrf import COUNTS as OF_CHRF

__all__ = ["TASK", "Translate"]

AT_ONCE = 100  # sentences that a model is asked at a time
PAD = 0
SPACELESS = ("ja", "km", "lo", "my", "th", "zh")
"""Languages that write no space between words, which BLEU would count."""


def corpus_bleu(counts: np.ndarray, rows: np.ndarray) -> float:
    """Return BLEU of sentences, from their counts."""
    return bleu(counts[:, :OF_BLEU].sum(0))


def corpus_chrf(counts: np.ndarray, rows: np.ndarray) -> float:
    """Return chrF2 of sentences, from their counts."""
    return chrf(counts[:, OF_BLEU : OF_BLEU + OF_CHRF].sum(0))


def exact_matches(counts: np.ndarray, rows: np.ndarray) -> float:
    """Return the share of sentences that are the reference to the letter, in percent."""
    return 100 * float(counts[:, -1].mean()) if len(counts) else float("nan")


@dataclass(frozen=True)
class Translate(Supervised):
    """Cross-entropy of the words that are due, each predicted from the right words before it.

    loss = mean over the words y_1 ... y_T of a sentence, END among them, of

        -(1 - s) log p(y_t | y_1 ... y_(t-1), x) - s / V sum_v log p(v | y_1 ... y_(t-1), x),

    s the label smoothing of the recipe, V the size of the vocabulary; what stands after the end
    costs nothing. A model is asked without any right word, and writes on from its own.

    The score is BLEU of all sentences; beside it stand chrF, which reads characters, and the
    share of sentences without any difference. Metrics read counts of each sentence, so any sum of
    rows has a score.

    Args:
        alphabet: of the answers.
        language: of the answers, where it is known.
        smoothing: s, from 0 to 1.

    Source: Sutskever, Vinyals & Le 2014 (the loss); Szegedy et al. 2016, section 7 (s); Papineni et
        al. 2002 (BLEU); Popovic 2015 (chrF).
    """

    name: ClassVar[str] = "translate"
    metrics: ClassVar[dict[str, Metric]] = {
        "bleu": Metric("bleu", "higher", False, corpus_bleu),
        "chrf": Metric("chrf", "higher", False, corpus_chrf),
        "exact": Metric("exact", "higher", False, exact_matches),
    }
    quality_name: ClassVar[str] = "chrF"

    alphabet: str = ""
    language: str = ""
    smoothing: float = 0.0

    def suits(self, signature: Signature) -> bool:
        """Take whatever asks for a translation."""
        return isinstance(signature.output, Translation)

    def of(self, signature: Signature) -> Self:
        """Return the task for this language."""
        output = signature.output
        assert isinstance(output, Translation), "the task suits the signature"
        return replace(self, alphabet=output.alphabet, language=output.language)

    def default_metric(self, samples: Samples) -> str:
        """Return BLEU; chrF where no space tells words apart."""
        return "chrf" if self.language.lower().partition("-")[0] in SPACELESS else "bleu"

    def encoded(self, model: nn.Module, samples: Samples) -> Samples:
        """Return tokens of both sides, all rows at once: parts would be of different lengths."""
        with evaluating(model):
            tokens = model.get_submodule("preprocess")(samples.inputs)
            encode: Callable[[Tensor], Tensor] = model.get_submodule("output").encode  # type: ignore[assignment]
            return Samples(tokens, encode(samples.targets), numbers=samples.numbers)

    def outputs(self, network: nn.Module, inputs: Tensor, targets: Tensor) -> Any:
        """Return the logits of each next word, given the right ones before it."""
        return network(inputs, targets)

    def losses(
        self,
        outputs: Float[Tensor, "rows steps words"],
        targets: Int[Tensor, "rows tokens"],
    ) -> Float[Tensor, " rows"]:
        """Return the mean loss of each sentence's words.

        Args:
            outputs: logits of the words after each but the last of `targets`.
            targets: BEGIN, the words, END, and PAD after it.
        """
        due = targets[:, 1:]
        # One row a word: classes in the middle take almost three times as long.
        each = F.cross_entropy(
            outputs.flatten(0, 1),
            due.flatten(),
            ignore_index=PAD,
            reduction="none",
            label_smoothing=self.smoothing,
        )
        return each.view_as(due).sum(1) / (due != PAD).sum(1).clamp_min(1)

    def with_loss(self, choice: LossChoice, targets: Tensor) -> Self:
        """Return this task with the recipe's label smoothing."""
        if choice.name not in ("own", "cross_entropy") or choice.class_weights != "none":
            raise ConfigError(
                f"loss.name={choice.name}, loss.class_weights={choice.class_weights}: "
                "translations have cross-entropy of words, with loss.label_smoothing"
            )
        return replace(self, smoothing=choice.label_smoothing)

    def answers(self, model: nn.Module, samples: Samples) -> np.ndarray:
        """Return the translations as strings; sentences of like length are asked together."""
        lengths = (samples.inputs >= 0).sum(1)
        said = np.full(len(samples), "", object)
        order = lengths.argsort(stable=True)
        order = order[lengths[order] > 0]  # nothing means nothing
        with evaluating(model):
            for start in range(0, len(order), AT_ONCE):
                rows = order[start : start + AT_ONCE]
                characters = model(samples.inputs[rows, : int(lengths[rows].max())])
                said[rows.numpy()] = written(characters, self.alphabet)
        return said.astype(str)

    def decode(self, outputs: Int[Tensor, "rows longest"]) -> np.ndarray:
        """Return the strings that characters spell."""
        return np.array(written(outputs, self.alphabet), str)

    def read(self, predictions: np.ndarray, samples: Samples) -> Reading:
        """Return what each sentence adds to the scores, and how many words are due."""
        pairs = zip(predictions.tolist(), written(samples.targets, self.alphabet), strict=True)
        counts = [
            [*bleu_counts(said, due), *chrf_counts(said, due), int(said == due)]
            for said, due in pairs
        ]
        table = np.array(counts, np.float64).reshape(len(samples), OF_BLEU + OF_CHRF + 1)
        return table, table[:, OF_BLEU - 1]

    def quality(self, reading: Reading) -> np.ndarray:
        """Return chrF of each sentence."""
        return np.array([chrf(row[OF_BLEU : OF_BLEU + OF_CHRF]) for row in reading[0]])

    def text(self, sample: Samples, prediction: np.ndarray | None) -> str | None:
        """Return a translation: the model's, or the one that is due."""
        if prediction is not None:
            return str(np.asarray(prediction).reshape(-1)[0])
        return written(sample.targets, self.alphabet)[0] if len(sample.targets) else None

    def remark(self, predictions: np.ndarray, samples: Samples) -> str:
        """Return how the scores are computed, in sacrebleu's words."""
        return f"BLEU|{BLEU_SIGNATURE} chrF2|{CHRF_SIGNATURE}"


TASK = Translate()
