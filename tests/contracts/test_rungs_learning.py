"""What every rung promises about learning: gradients, honesty, and canaries that must stay dead."""

import numpy as np
import pytest
import torch
from safetensors.torch import save
from scipy.stats import binom

import gradatim.compare.fits as fit_room
from gradatim.compare.climb import arrays
from gradatim.compare.fits import fit_fold
from gradatim.compare.job import Job
from gradatim.core.signature import Category
from gradatim.core.task import Supervised
from gradatim.models import RUNGS
from gradatim.train.fitting import Fitting

from .examples import EIGHT, SIGNATURES, accepted, example, spared, trained

DUMMIES = [name for name, rung in RUNGS.all().items() if rung.dummy]


@pytest.fixture
def in_this_process(monkeypatch):
    """`fit_fold` is made for a worker of its own: here it must not change the test's process."""
    monkeypatch.setattr(fit_room, "behave", lambda: None)


@pytest.mark.parametrize(("name", "signature"), trained())
def test_the_gradient_reaches_every_parameter(name, signature):
    case = example(name, signature)
    fitting = case.fitting()
    network = fitting.model.network.train()
    batch = fitting.draw(0)
    torch.manual_seed(0)
    if type(fitting.trainee).step is not Supervised.step:  # several losses, one after the other
        before = {k: p.detach().clone() for k, p in network.named_parameters()}
        fitting.trainee.step(fitting.learner, batch)
        still = [k for k, p in network.named_parameters() if torch.equal(p, before[k])]
        assert not still
        return
    outputs = fitting.trainee.outputs(network, batch.inputs, batch.targets)
    fitting.trainee.loss(outputs, batch.targets).backward()
    dead = [
        k for k, p in network.named_parameters() if p.grad is None or not p.grad.abs().sum() > 0
    ]
    assert not dead


BY_HEART = [pair for pair in spared(trained()) if not pair[1].endswith(("synthesis", "actions"))]


@pytest.mark.parametrize(("name", "signature"), BY_HEART)
def test_learns_eight_rows_by_heart(name, signature):
    case = example(name, signature, rows=8, shuffled=True)
    fitting = Fitting(case.rung, case.task, case.samples, case.signature, EIGHT)
    records = []
    for record in fitting:
        records.append(record)
        if record.step > 100 and record.values["loss"] < 1e-3:
            break  # known by heart; the running statistics of batch norm have followed
    fitting.model.eval()
    if case.signature.output.kind == "density":
        fall = records[0].values["loss"] - records[-1].values["loss"]
        assert fall > 0.3, "nats a number"
        return
    if case.signature.output.kind not in ("category", "quantity"):
        first, last = records[0].values["loss"], records[-1].values["loss"]
        assert last < 0.5 * first, "what is drawn is learnt too slowly"
        return
    said = case.task.decode(fitting.model(case.samples.inputs))
    if isinstance(case.signature.output, Category):
        assert (said.argmax(1) == case.samples.targets.numpy()).all()
    else:
        truth = case.samples.targets.numpy()[:, 0]
        assert np.mean((said - truth) ** 2) < 0.1 * truth.var()


@pytest.mark.parametrize(("name", "signature"), spared(accepted()))
def test_rows_outside_the_training_fold_change_no_fitted_byte(
    name, signature, tmp_path, monkeypatch, in_this_process
):
    case = example(name, signature)
    states: list[bytes] = []
    honest = fit_room.measure

    def seen(model, samples):
        states.append(save({k: v.contiguous() for k, v in model.state_dict().items()}))
        return honest(model, samples)

    monkeypatch.setattr(fit_room, "measure", seen)
    training, validation = np.arange(60), np.arange(60, 90)
    rows = arrays(case.samples)
    changed = {key: array.copy() for key, array in rows.items()}
    changed["inputs"][60:] = changed["inputs"][60:][::-1] * 2
    changed["targets"][60:] = np.roll(changed["targets"][60:], 1, axis=0)
    for place, content in (("honest", rows), ("changed", changed)):
        job = Job(case.work(), tmp_path / place, 0, 0, training, validation)
        assert "failed" not in fit_fold(job, content)
    assert states[0] == states[1]


CLASSES = [s for s, meant in SIGNATURES.items() if isinstance(meant.output, Category)]
CLASSIFIERS = [(n, s) for n, s in spared(accepted()) if s in CLASSES]


def accuracy(name: str, signature: str, folder, shuffled: bool) -> tuple[float, int]:
    """Accuracy on 150 rows after learning from 150 others."""
    case = example(name, signature, rows=300, shuffled=shuffled)
    order = np.random.default_rng(0).permutation(300)
    work = case.work(epochs=8, optimizer={"lr": 0.01})
    job = Job(work, folder, 0, 0, order[:150], order[150:])
    result = fit_fold(job, arrays(case.samples))
    assert "failed" not in result, result
    return result["scores"]["accuracy"], case.signature.outputs


@pytest.mark.parametrize(("name", "signature"), CLASSIFIERS)
def test_shuffled_labels_score_at_chance(name, signature, tmp_path, in_this_process):
    """A guess that knows nothing is right Binomial(150, 1/classes) times: 1e-4 to either side."""
    score, classes = accuracy(name, signature, tmp_path, shuffled=True)
    low, high = binom.ppf([1e-4, 1 - 1e-4], 150, 1 / classes)
    assert low <= round(score * 150) <= high


@pytest.mark.parametrize(("name", "signature"), [p for p in CLASSIFIERS if p[0] not in DUMMIES])
def test_true_labels_are_learnt(name, signature, tmp_path, in_this_process):
    """The other half of the canary: the data that shuffling spoils can be learnt at all."""
    score, classes = accuracy(name, signature, tmp_path, shuffled=False)
    assert round(score * 150) > binom.ppf(1 - 1e-4, 150, 1 / classes)


QUANTIFIERS = [n for n, s in accepted() if s == "table-quantity" and n not in DUMMIES]


@pytest.mark.parametrize("name", QUANTIFIERS)
def test_quantities_are_learnt(name):
    case = example(name, "table-quantity", rows=200)
    fitting = case.fitting(epochs=20, optimizer={"lr": 0.01})
    list(fitting)
    said = case.task.decode(fitting.model(case.samples.inputs))
    truth = case.samples.targets.numpy()[:, 0]
    assert np.mean((said - truth) ** 2) < 0.6 * truth.var()
