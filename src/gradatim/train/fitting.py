"""`Fitting`: one rung being fitted to one set of rows, whatever way it is fitted."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from math import inf, log

import torch
from torch import Tensor, nn

from gradatim.core.chunks import evaluating, in_chunks, rows_in_chunks
from gradatim.core.learner import Learner
from gradatim.core.randomness import generator, seed_for
from gradatim.core.recipe import Recipe
from gradatim.core.rung import Model, Rung, Solved, Trained
from gradatim.core.samples import Samples
from gradatim.core.signature import Category, Continuation, Signature, Translation
from gradatim.core.task import Supervised, Task
from gradatim.data.batches import Batches
from gradatim.data.running_text import RunningText
from gradatim.data.token_batches import TokenBatches
from gradatim.layers.initialisation import initialise
from gradatim.ops.inner import inner_holdout
from gradatim.ops.schedules import schedule
from gradatim.optim import OPTIMIZERS
from gradatim.train.distributed.party import ALONE, Party
from gradatim.train.loop import Record, train
from gradatim.train.settling import Settling
from gradatim.train.stopping import EarlyStopping

__all__ = ["Fitting", "start"]

PARTS = 10
"""Into how many the held-out rows are cut, to tell luck from a better loss."""
MOST = 2**29
"""Bytes of features that are made once and kept; more are made a batch at a time from the inputs,
which for pictures are a quarter as large."""
FEW = 64
"""Rows of tokens whose losses are computed at a time: each token has as many logits as there are
words."""


class Fitting:
    """Iterate for records; then `model` is fitted. Solved rungs give no records.

    A part of the rows is held out for early stopping; preprocessing is fitted on the others, so
    the held-out part says what new rows would say.
    """

    def __init__(
        self,
        rung: Rung,
        task: Task,
        samples: Samples,
        signature: Signature,
        recipe: Recipe,
        party: Party = ALONE,
    ) -> None:
        self.rung, self.task, self.recipe, self.signature = rung, task, recipe, signature
        self.samples, self.party = samples, party
        self.model: Model
        if not isinstance(rung, Solved):
            self._prepare()

    def __iter__(self) -> Iterator[Record]:
        """Fit, yielding a record an epoch."""
        return (record for said in self.run() for record in said.values())

    def run(self, pause: float = inf) -> Iterator[dict[int, Record]]:
        """Fit, yielding {0: record} an epoch, and nothing in it whenever `pause` seconds passed.

        At either yield `state_dict` tells all that is needed to go on. `Stacked` runs several fits
        in the same way, each under its place.
        """
        if isinstance(self.rung, Solved):
            chance = generator(self.recipe.seed, "solver renewal")
            samples = self.task.renewed(self.samples, chance)
            with _chance(self.recipe.seed, "solver"):
                self.model = self.rung.solve(samples, self.signature, self.recipe.seed)
            self.model.eval()
            return
        records = partial(train, self.trainee, self.learner, self.draw, self.steps, self.every)
        if not self._over:
            for record in self.party.paced(records, pause):
                yield {0: self.watched(record)} if record else {}
                if self._over:
                    break
        self.finish()

    def finish(self) -> None:
        """End the training here, with the weights that early stopping kept."""
        self.stopping.restore(self.model.network)
        self.model.network = self.party.whole(self.model.network, self._empty)
        # As a model is loaded, and as it answers one picture at a time.
        _lay_out(self.model.network, torch.contiguous_format)
        self.model.eval()

    @property
    def _over(self) -> bool:
        return self.stopping.exhausted or self.learner.step >= self.settling.end

    @property
    def supervisor(self) -> Supervised:
        """The task as the network learns it, where rows have losses."""
        assert isinstance(self.trainee, Supervised), "only such fits are asked"
        return self.trainee

    @property
    def step(self) -> int:
        """How many steps are done."""
        return self.learner.step

    def move(self) -> None:
        """Take one training step and nothing else: for measuring how long one takes."""
        for _ in train(self.trainee, self.learner, self.draw, self.learner.step + 1, 1):
            pass

    def state_dict(self) -> dict[str, Tensor]:
        """Return a copy of all that changes, as tensors: enough to go on bit for bit."""
        state = {f"learner.{k}": v for k, v in self.learner.state_dict().items()}
        state |= {f"stopping.{k}": v for k, v in self.stopping.state_dict().items()}
        return {k: v.detach().clone() for k, v in state.items()}

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        """Go back to what `state_dict` returned, in a fitting made from the same arguments."""
        parts: dict[str, Learner | EarlyStopping]
        parts = {"learner.": self.learner, "stopping.": self.stopping}
        for name, part in parts.items():
            inner = {k.removeprefix(name): v for k, v in state.items() if k.startswith(name)}
            part.load_state_dict(inner)

    def _prepare(self) -> None:
        recipe, training = self.recipe, self.samples
        kept = None
        if recipe.validation > 0 and isinstance(self.task, Supervised):
            kept = inner_holdout(self.samples, recipe.validation, recipe.seed)
        if kept:
            training = self.samples.take(kept[0])
        self.model = start(self.rung, self.signature, training, recipe)
        task = self.task.with_loss(recipe.loss, training.targets)
        self.trainee, self.own = self._taught(task), self._taught(self.task)
        self.draw = self._batches(training)
        self.held = self._held(self.samples.take(kept[1])) if kept else None
        self.every = recipe.steps or self.draw.per_epoch
        self.steps = recipe.epochs * self.every
        _lay_out(self.model.network, torch.channels_last)  # as `Batches` gives pictures
        self.learner = self._learner()
        self.settling = Settling(self.learner, self.steps, self._settled())
        self.learner.schedule = self.settling
        self.stopping = EarlyStopping(recipe.patience)

    def _learner(self) -> Learner:
        recipe, choice = self.recipe, self.recipe.optimizer
        trained = self.party.spread(self.model.network)
        players = self.trainee.players(self.model.network)
        optimizers = {
            name: OPTIMIZERS[choice.name](list(part.parameters()), choice)
            for name, part in players.items()
        }
        for optimizer in optimizers.values():
            self.party.check(optimizer)
        learner = Learner(
            trained,
            optimizers,
            schedule(recipe.schedule, choice.lr, self.steps),
            seed=self.party.seed(recipe.seed),
            clip=recipe.clip,
            l2=recipe.l2,
        )
        learner.cuts = self.party.size == 1
        return learner

    def _settled(self) -> float:
        """Return the loss that is small enough; ranks would have to agree on it, and do not."""
        if not isinstance(self.signature.output, Category) or self.party.size > 1:
            return 0.0
        return self.recipe.settle * log(max(2, self.signature.outputs))

    def _batches(self, training: Samples) -> Batches | RunningText | TokenBatches:
        """Return what hands out the batch of every step."""
        output = self.signature.output
        if isinstance(output, Continuation):
            return RunningText(self._encoded(training), self.recipe)
        if isinstance(output, Translation):
            return TokenBatches(self._encoded(training), self.recipe)
        late = self.own.changing or self._feature_bytes(training) > MOST
        return Batches(
            training if late else self._encoded(training),
            self.recipe,
            self.signature.outputs,
            output.kind,
            self._seen if late else None,
        )

    def _empty(self) -> nn.Module:
        return self.rung.build(self.signature, {}).network

    def _taught(self, task: Task) -> Task:
        return self.rung.taught(task, self.model) if isinstance(self.rung, Trained) else task

    def _seen(self, batch: Samples, chance: torch.Generator) -> Samples:
        """Return what the network sees of raw samples."""
        return self._encoded(self.trainee.renewed(batch, chance))

    def _encoded(self, samples: Samples) -> Samples:
        """Return features and encoded targets."""
        return self.own.encoded(self.model, samples)

    def _held(self, samples: Samples) -> Samples:
        """Return what is looked at after every epoch, the same each time."""
        if self.own.changing:
            chance = generator(self.recipe.seed, "held renewal")
            return self.trainee.renewed(samples, chance)
        return self._encoded(samples)

    def _losses(self, held: Samples) -> Tensor:
        """Return the loss of each held row; whole pictures are looked at one by one."""
        if not self.own.changing:
            return self._seen_losses(held)
        one_by_one = held.sizes is not None
        parts = [held.own(row) for row in range(len(held))] if one_by_one else [held]
        return torch.cat([self._seen_losses(self._encoded(part)) for part in parts])

    def _seen_losses(self, seen: Samples) -> Tensor:
        """Return the losses of features and encoded targets, in evaluation mode."""
        assert isinstance(self.own, Supervised), "only rows with a loss are held out"
        network, own = self.learner.model, self.own
        rows = 1024 if seen.inputs.is_floating_point() else FEW
        pairs = rows_in_chunks(seen.inputs, seen.targets, rows=rows)
        with evaluating(network):
            return torch.cat([own.losses(own.outputs(network, x, t), t) for x, t in pairs])

    def _feature_bytes(self, samples: Samples) -> int:
        one = in_chunks(self.model.preprocess, samples.inputs[:1])
        return len(samples) * one.numel() * one.element_size()

    def watched(self, record: Record) -> Record:
        """Look at the held-out rows; return the record with their loss."""
        self.settling.look(record.values.get("loss", inf))
        if self.held is None:
            return record
        losses = self._losses(self.held)
        parts = torch.stack([part.mean() for part in losses.split(-(-len(losses) // PARTS))])
        self.stopping.look(parts, self.model.network)
        values = {**record.values, "validation_loss": losses.mean().item()}
        return replace(record, values=values)


def start(rung: Rung, signature: Signature, samples: Samples, recipe: Recipe) -> Model:
    """Return a model with seeded weights, its preprocessing and output fitted to `samples`.

    The last layer begins at the log class shares, so that rare classes are not overrated while the
    network finds out what `majority` knows already.
    """
    with _chance(recipe.seed, "initialisation"):
        model = rung.build(signature, {})
        initialise(model.network, recipe.initialisation)
    if isinstance(signature.output, Category):
        _begin_at(torch.bincount(samples.targets, minlength=signature.outputs), model.network)
    model.preprocess.fit(samples.inputs)  # type: ignore[operator]
    model.output.fit(samples.targets)  # type: ignore[operator]
    for part in (model.preprocess, model.output):
        model.extents |= getattr(part, "extents", {})
    return model


@torch.no_grad()
def _begin_at(counts: Tensor, network: nn.Module) -> None:
    """Set the bias of the last layer to the log shares of the classes, each counted once more."""
    layers = [m for m in network.modules() if isinstance(m, nn.Linear) and m.bias is not None]
    if layers:
        layers[-1].bias.copy_(((counts + 1) / (counts + 1).sum()).log())


def _lay_out(network: nn.Module, layout: torch.memory_format) -> None:
    """Put the numbers of kernels into another order in memory; their values stay."""
    for parameter in network.parameters():
        if parameter.dim() == 4:
            # A new tensor: kernels of one channel or one place lie in either order already, and
            # torch would take them for the other one, which is an eighth as fast.
            laid = torch.empty_like(parameter, memory_format=layout, requires_grad=False)
            parameter.data = laid.copy_(parameter.data)


@contextmanager
def _chance(seed: int, purpose: str) -> Iterator[None]:
    """Seed torch's global generator for a block; afterwards it is the caller's again."""
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed_for(seed, purpose))
        yield
