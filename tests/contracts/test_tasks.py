"""What every task promises: a step moves, a score does not, a fit that was cut off goes on."""

from dataclasses import asdict

import numpy as np
import pytest
import torch

from gradatim.evaluate.judge import judge
from gradatim.tasks import TASKS
from gradatim.train.fitting import Fitting

from .examples import SIGNATURES, Example, example, trained

PAIRS = [(name, s) for name, s in trained() if s in ("table-three", "table-quantity", "grey-two")]
PAIRS += [("dncnn", "grey-picture"), ("unet", "grey-mask"), ("centernet", "colour-boxes")]
PAIRS += [("mel_cnn", "sound-three"), ("lstm", "text-continuation")]
PAIRS += [("attention_seq2seq", "text-translation"), ("translator", "text-translation")]
PAIRS += [("glow", "grey-density"), ("realnvp", "numbers-density"), ("spline_flow", "grey-density")]
DATA = {
    "classify": ("mlp", "table-three"),
    "denoise": ("dncnn", "grey-picture"),
    "density": ("glow", "grey-density"),
    "detect": ("centernet", "colour-boxes"),
    "model_text": ("lstm", "text-continuation"),
    "play": ("dqn", "breakout-actions"),
    "regress": ("mlp", "table-quantity"),
    "segment": ("unet", "colour-mask"),
    "synthesise": ("vae", "grey-synthesis"),
    "translate": ("translator", "text-translation"),
}
"""A rung and data of each task."""


def copies(module: torch.nn.Module) -> dict[str, torch.Tensor]:
    return {k: v.clone() for k, v in module.state_dict().items()}


def same(a: dict[str, torch.Tensor], b: dict[str, torch.Tensor]) -> bool:
    return a.keys() == b.keys() and all(torch.equal(a[k], b[k]) for k in a)


def timeless(records) -> list[dict]:
    return [{k: v for k, v in asdict(r).items() if k != "seconds"} for r in records]


def test_every_task_is_tested_here():
    assert sorted(DATA) == TASKS.names()


@pytest.mark.parametrize("task", DATA)
def test_a_task_takes_its_data_alone(task):
    suited = {name for name, meant in SIGNATURES.items() if TASKS[task].suits(meant)}
    others = [TASKS[name] for name in TASKS.names() if name != task]
    assert DATA[task][1] in suited
    assert not any(other.suits(SIGNATURES[name]) for name in suited for other in others)


@pytest.mark.parametrize("task", DATA)
def test_default_metric_exists(task):
    case = example(*DATA[task])
    assert TASKS[task].default_metric(case.samples) in TASKS[task].metrics
    for name, metric in TASKS[task].metrics.items():
        assert metric.name == name


@pytest.mark.parametrize(("name", "signature"), PAIRS)
def test_one_step_moves_every_parameter_and_reports_the_loss(name, signature):
    fitting = example(name, signature).fitting()
    network, learner = fitting.model.network, fitting.learner
    before = {k: p.detach().clone() for k, p in network.named_parameters()}
    batch = fitting.draw(0)
    network.train()
    torch.manual_seed(0)
    outputs = fitting.trainee.outputs(network, batch.inputs, batch.targets)
    expected = fitting.trainee.loss(outputs, batch.targets)
    fresh = example(name, signature).fitting()
    torch.manual_seed(0)
    said = fresh.trainee.step(fresh.learner, batch)
    torch.testing.assert_close(said["loss"], expected.detach())
    fitting.trainee.step(learner, batch)
    still = [k for k, p in network.named_parameters() if torch.equal(p, before[k])]
    assert not still


@pytest.mark.parametrize(("name", "signature"), PAIRS)
def test_scoring_leaves_the_model_untouched(name, signature):
    case = example(name, signature)
    fitting = case.fitting()
    list(fitting)
    model = fitting.model.train()
    before, chance = copies(model), torch.get_rng_state()
    metric = case.task.metrics[case.task.default_metric(case.samples)]
    first = judge(model, case.task, metric, case.samples)
    again = judge(model, case.task, metric, case.samples)
    assert same(copies(model), before)
    assert torch.equal(torch.get_rng_state(), chance)
    assert all(child.training for child in model.modules())
    np.testing.assert_array_equal(first.predictions, again.predictions)


def interrupted(case: Example, after: int, **changes: object) -> tuple[list, Fitting]:
    """Fit for some records, put the state into another fitting, go on there."""
    first = case.fitting(**changes)
    records, state = [], {}
    for record in first:
        records.append(record)
        if len(records) == after:
            state = first.state_dict()
            break
    torch.manual_seed(71)  # another process has another past
    fresh = case.fitting(**changes)
    with torch.no_grad():
        for parameter in fresh.model.network.parameters():
            parameter.add_(1.0)  # whatever it held before, it must go
    fresh.load_state_dict(state)
    return records + list(fresh), fresh


@pytest.mark.parametrize("validation", [0.0, 0.2], ids=["to the end", "stopped early"])
@pytest.mark.parametrize("after", [1, 3, 5])
@pytest.mark.parametrize(("name", "signature"), PAIRS)
def test_a_fit_that_was_cut_off_ends_with_the_same_bits(name, signature, after, validation):
    case = example(name, signature)
    # A rate that is too high makes the held-out loss rise, so that patience ends.
    lr = 0.003 if validation == 0 else 0.3
    changes = {"epochs": 8, "validation": validation, "patience": 4, "optimizer": {"lr": lr}}
    torch.manual_seed(1)
    whole = case.fitting(**changes)
    records = list(whole)
    assert len(records) >= after
    continued, fresh = interrupted(case, after, **changes)
    assert timeless(continued) == timeless(records)
    assert same(copies(fresh.model), copies(whole.model))


def test_patience_ends_a_fit_and_restores_the_weights_before_it():
    case = example("mlp", "table-three", shuffled=True)
    changes = {"epochs": 60, "validation": 0.3, "patience": 3, "optimizer": {"lr": 0.1}}
    fitting = case.fitting(**changes)
    losses = [record.values["validation_loss"] for record in fitting]
    assert len(losses) < 60
    kept = len(losses) - 1 - 3  # three looks in a row were worse than one standard error
    assert kept >= int(np.argmin(losses))
    outputs = fitting.model.network(fitting.held.inputs)
    loss = case.task.loss(outputs, fitting.held.targets).item()
    assert loss == pytest.approx(losses[kept], rel=1e-6)
    assert loss < min(losses[-3:])


def test_a_fit_cut_off_at_its_last_record_does_not_train_on():
    case = example("mlp", "table-three", shuffled=True)
    changes = {"epochs": 60, "validation": 0.3, "patience": 3, "optimizer": {"lr": 0.1}}
    torch.manual_seed(1)
    whole = case.fitting(**changes)
    records = list(whole)
    continued, fresh = interrupted(case, len(records), **changes)
    assert timeless(continued) == timeless(records)
    assert same(copies(fresh.model), copies(whole.model))


@pytest.mark.parametrize("signature", ["table-three", "table-quantity"])
def test_rows_held_out_to_stop_by_teach_nothing(signature):
    """Their values enter neither the preprocessing nor the weights of a given number of steps."""
    case = example("mlp", signature)
    fitting = case.fitting(validation=0.2)
    held = {tuple(row) for row in fitting.held.inputs.nan_to_num().tolist()}
    taught = {tuple(row) for row in fitting.draw.samples.inputs.nan_to_num().tolist()}
    assert len(fitting.held) == round(0.2 * len(case.samples))
    assert not held & taught
    features = fitting.draw.samples.inputs[:, :2]
    torch.testing.assert_close(features.mean(0), torch.zeros(2), atol=1e-5, rtol=0)
