"""Model text: how probable each character is after those before it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import ClassVar, Self

import numpy as np
import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn
from torch.nn import functional as F

from gradatim.core.chunks import evaluating
from gradatim.core.errors import NumericError
from gradatim.core.learner import Evaluate, Learner
from gradatim.core.metric import Metric
from gradatim.core.samples import Samples
from gradatim.core.signature import Continuation, Signature, Text
from gradatim.core.task import Reading, Supervised
from gradatim.layers.text.reader import Reader
from gradatim.layers.text.tokens import BEGIN, PAD, Tokens
from gradatim.ops.checked import finite
from gradatim.ops.text.characters import written
from gradatim.ops.text.likelihood import bits_per_character, nats_per_character, perplexity
from gradatim.ops.text.reading import nats_of
from gradatim.ops.text.running import beginnings, running

__all__ = ["METRICS", "TASK", "ModelText"]

METRICS: dict[str, Metric] = {
    "nats_per_character": Metric("nats_per_character", "lower", False, nats_per_character),
    "bits_per_character": Metric("bits_per_character", "lower", False, bits_per_character),
    "perplexity": Metric("perplexity", "lower", False, perplexity, lowest=1.0),
}
STATE = "state"
"""What is carried from window to window, in the learner's memory."""


@dataclass(frozen=True, eq=False)
class ModelText(Supervised):
    """-log p(w_t | w_1 .. w_(t-1)), averaged over the tokens of a text.

    Truncated back-propagation through time: streams are read side by side, a window a step. The
    state at the end of a window is where the next one begins, and no gradient goes back into it.

    Scores are nats a character whatever the tokens are, with the state carried over the whole
    text: the tokens of a passage are foretold in the knowledge of all passages before it.

    Source: Williams & Peng 1990 (truncation); Mikolov et al. 2010; Goodfellow, Bengio & Courville
    2016, section 10.2.2.

    Deviations: gradients go back to the beginning of the window, so a token has less of a past the
    earlier in its window it stands; where a batch is spread over processes nothing is carried.
    """

    name: ClassVar[str] = "model_text"
    metrics: ClassVar[dict[str, Metric]] = METRICS
    quality_name: ClassVar[str] = "log-likelihood in nats a character"

    alphabet: str = ""

    def suits(self, signature: Signature) -> bool:
        """Take whatever asks how a text goes on."""
        return isinstance(signature.output, Continuation)

    def of(self, signature: Signature) -> Self:
        """Return the task that knows the characters of this text."""
        assert isinstance(signature.input, Text), "only texts go on"
        return replace(self, alphabet=signature.input.alphabet)

    def default_metric(self, samples: Samples) -> str:
        """Return nats a character."""
        return "nats_per_character"

    def losses(
        self,
        outputs: Float[Tensor, "rows places tokens"],
        targets: Int64[Tensor, "rows places"],
    ) -> Float[Tensor, " rows"]:
        """Return the mean of -log p over the tokens of each row; what is PAD does not count."""
        nats = F.cross_entropy(outputs.mT, targets, ignore_index=PAD, reduction="none")
        return nats.sum(1) / (targets != PAD).sum(1).clamp_min(1)

    def decode(self, outputs: Float[Tensor, "rows places tokens"]) -> np.ndarray:
        """Return the log-probabilities of the token after each."""
        return outputs.detach().log_softmax(2).numpy()

    def encoded(self, model: nn.Module, samples: Samples) -> Samples:
        """Return the tokens of each passage, and the one after each; PAD after the last."""
        tokens = _tokens(model)(samples.inputs)
        after = F.pad(tokens[:, 1:], (0, 1), value=PAD)
        return Samples(tokens, after, numbers=samples.numbers)

    def step(self, learner: Learner, batch: Samples) -> Mapping[str, Tensor]:
        """Read one window of every stream, descend its loss, keep the state for the next one."""
        network = learner.model.train()
        if not (isinstance(network, Reader) and network.carries):
            return super().step(learner, batch)
        goes_on = batch.times is not None and bool((batch.times > 0).all())
        state = learner.memory.get(STATE) if goes_on else None
        terms, after = self._windows(network, batch, state, learner.pieces)
        try:
            loss, norm = learner.descend(terms)
        except NumericError as error:
            raise self.blaming(error, network, batch) from error
        learner.memory[STATE] = torch.cat([after[piece] for piece in sorted(after)])
        cost = 1 + learner.optimizers["model"].evaluations
        return {"loss": loss, "gradient_norm": norm, "evaluations": torch.tensor(cost)}

    def _windows(
        self, network: Reader, batch: Samples, state: Tensor | None, pieces: int
    ) -> tuple[Sequence[Evaluate], Mapping[int, Tensor]]:
        """Return the loss of the windows as a sum of terms, and where these leave their states."""
        after: dict[int, Tensor] = {}

        def term(piece: int, inputs: Tensor, targets: Tensor, before: Tensor | None) -> Tensor:
            logits, last = network.read(inputs, before)
            # An optimizer may look again from elsewhere; what is carried is of the first look.
            after.setdefault(piece, last.detach())
            return self.loss(logits, targets) * (len(inputs) / len(batch))

        size = -(-len(batch) // pieces)
        inputs, targets = batch.inputs.split(size), batch.targets.split(size)
        before = [None] * len(inputs) if state is None else state.split(size)
        cut = enumerate(zip(inputs, targets, before, strict=True))
        return [partial(term, piece, *tensors) for piece, tensors in cut], after

    def answers(self, model: nn.Module, samples: Samples) -> np.ndarray:
        """Return the nats of every character, float32 (rows, length), 0 beyond the end.

        A run of passages that follow one another is read in one go, from BEGIN on. The nats of a
        token of several characters stand at its first one.
        """
        tokens = _tokens(model)
        text = running(
            tokens(samples.inputs),
            beginnings(samples.numbers, len(samples)),
            begin=BEGIN,
            pad=PAD,
        )
        with evaluating(model):
            nats = nats_of(_reading(model), text, pad=PAD)
        many = tokens.lengths()[text.tokens]
        ends = many.cumsum(0)
        # Where the first token of each row begins, counted over all rows.
        first = torch.zeros(len(samples) + 1, dtype=torch.int64)
        first[1:] = torch.zeros(len(samples), dtype=torch.int64).index_add_(0, text.row, many)
        place = ends - many - first.cumsum(0)[text.row]
        found = torch.zeros(samples.inputs.shape, dtype=torch.float32)
        found[text.row, place] = nats
        return found.numpy()

    def read(self, predictions: np.ndarray, samples: Samples) -> Reading:
        """Return the nats of each passage, and its characters.

        Raises:
            ValueError: an answer is not finite.
        """
        nats = finite("nats", predictions).sum(1, dtype=np.float64)
        return nats, (samples.inputs >= 0).sum(1).numpy()

    def quality(self, reading: Reading) -> np.ndarray:
        """Return the mean log-likelihood of the characters of each passage."""
        nats, characters = reading
        return np.asarray(-nats / np.maximum(characters, 1))

    def text(self, sample: Samples, prediction: np.ndarray | None) -> str:
        """Return the passage; of a prediction, how well it was foretold."""
        if prediction is None:
            return written(sample.inputs[:1], self.alphabet)[0]
        nats = prediction.sum(dtype=np.float64) / max(1, int((sample.inputs[0] >= 0).sum()))
        return f"{nats:.3f} nats a character"


def _tokens(model: nn.Module) -> Tokens:
    tokens = model.get_submodule("preprocess")
    assert isinstance(tokens, Tokens), "a model of text begins with a tokeniser"
    return tokens


def _reading(model: nn.Module) -> Callable[[Tensor, Tensor | None], tuple[Tensor, Tensor]]:
    """Return what a model says of tokens in the knowledge of what stood before them."""
    network, output = model.get_submodule("network"), model.get_submodule("output")
    assert isinstance(network, Reader), "a model of text reads it"

    def read(tokens: Tensor, memory: Tensor | None) -> tuple[Tensor, Tensor]:
        logits, after = network.read(tokens, memory)
        return output(logits), after

    return read


TASK = ModelText()
