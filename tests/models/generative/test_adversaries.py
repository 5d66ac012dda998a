"""Adversaries: what each step moves, what it must not mix, and when it stops."""

import pytest
import torch
from torch import nn

from gradatim.core.errors import NumericError
from gradatim.core.randomness import generator
from gradatim.models.generative.wgan_gp import gradient_penalty

from .crowds import bars, fitting

NAMES = ("dcgan", "wgan_gp", "conditional_gan")


def copies(module: nn.Module) -> dict[str, torch.Tensor]:
    return {name: tensor.detach().clone() for name, tensor in module.state_dict().items()}


def moved(module: nn.Module, before: dict[str, torch.Tensor]) -> list[str]:
    return [k for k, p in module.named_parameters() if not torch.equal(p, before[k])]


@pytest.mark.parametrize("name", NAMES)
def test_a_step_moves_every_parameter_of_both_players(name):
    fit = fitting(name)
    before = copies(fit.model.network)
    for step in range(2):
        fit.trainee.step(fit.learner, fit.draw(step))
    names = {k for k, _ in fit.model.network.named_parameters()}
    assert names <= set(moved(fit.model.network, before))


@pytest.mark.parametrize("name", NAMES)
def test_each_loss_moves_its_own_player_alone(name):
    fit = fitting(name)
    network = fit.model.network
    seen = []
    descend = fit.learner.descend

    def watched(terms, player="model"):
        before = copies(network)
        result = descend(terms, player)
        seen.append((player, {k.split(".")[0] for k in moved(network, before)}))
        return result

    fit.learner.descend = watched
    fit.trainee.step(fit.learner, fit.draw(0))
    assert {player for player, _ in seen} == {"discriminator", "generator"}
    assert all(parts == {player} for player, parts in seen)
    assert all(p.requires_grad for p in network.parameters()), "nobody stands still for ever"


@pytest.mark.parametrize("name", NAMES)
def test_a_player_left_in_evaluation_mode_is_put_back_to_work(name):
    """After pictures were drawn in between; batch norm and spectral norm would stand still."""
    fit, again = fitting(name), fitting(name)
    fit.model.network.eval()
    for case in (fit, again):
        torch.manual_seed(0)
        case.trainee.step(case.learner, case.draw(0))
        assert all(part.training for part in case.model.network.modules())
    one, other = copies(fit.model.network), copies(again.model.network)
    assert all(torch.equal(one[k], other[k]) for k in one)


def test_batch_norm_of_the_discriminator_sees_real_and_drawn_rows_apart():
    """Each batch is all real or all drawn: mixed in one, its mean would lie between the two."""
    fit = fitting("dcgan")
    network, batch = fit.model.network, fit.draw(0)
    crowds = []
    network.discriminator.register_forward_pre_hook(lambda _, rows: crowds.append(rows[0].detach()))
    fit.trainee.step(fit.learner, batch)
    assert [len(crowd) for crowd in crowds] == [len(batch)] * 3
    real = [torch.equal(crowd, batch.inputs) for crowd in crowds]
    assert real == [True, False, False]
    mixing = {tuple(row) for row in batch.inputs.tolist()}
    assert not any(tuple(row) in mixing for crowd in crowds[1:] for row in crowd.tolist())


def test_the_loss_of_real_rows_does_not_depend_on_drawn_ones():
    fit = fitting("dcgan")
    network = fit.model.network.train()
    real = fit.draw(0).inputs
    dark, bright = torch.zeros_like(real), torch.ones_like(real)
    torch.manual_seed(0)
    apart = [
        fit.trainee.discriminator_loss(network, real, fake)
        - nn.functional.softplus(network.discriminator(fake)).mean()
        for fake in (dark, bright)
    ]
    torch.testing.assert_close(apart[0], apart[1])


def test_the_penalty_of_a_linear_critic_is_known():
    """D(x) = w'x has the gradient w everywhere: the penalty is (|w| - 1)^2."""
    critic = nn.Sequential(nn.Linear(5, 1), nn.Flatten(0)).double()
    real, fake = torch.randn(2, 7, 5, dtype=torch.float64)
    norm = critic[0].weight.norm()
    said = gradient_penalty(critic, real, fake)
    torch.testing.assert_close(said, (norm - 1).square())
    said.backward()
    slope = 2 * (norm - 1) * critic[0].weight / norm
    torch.testing.assert_close(critic[0].weight.grad, slope.detach())


def test_the_penalty_is_differentiated_twice():
    """Its gradient in the weights of a bent critic is that of finite differences."""
    torch.manual_seed(0)
    critic = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 1), nn.Flatten(0)).double()
    real, fake = torch.randn(2, 6, 3, dtype=torch.float64)

    def penalty() -> torch.Tensor:
        torch.manual_seed(1)
        return gradient_penalty(critic, real, fake)

    penalty().backward()
    weight, told = critic[0].weight, critic[0].weight.grad[1, 2].item()
    with torch.no_grad():
        weight[1, 2] += 1e-6
    high = penalty().item()
    with torch.no_grad():
        weight[1, 2] -= 2e-6
    low = penalty().item()
    assert told == pytest.approx((high - low) / 2e-6, rel=1e-5)


def test_the_critic_takes_several_steps_on_rows_of_its_own():
    fit = fitting("wgan_gp", settings={"critic": 3})
    players, descend = [], fit.learner.descend
    fit.learner.descend = lambda terms, player="model": (
        players.append(player) or descend(terms, player)
    )
    seen = []
    fit.model.network.discriminator.register_forward_pre_hook(lambda _, x: seen.append(x[0]))
    batch = fit.draw(0)
    fit.trainee.step(fit.learner, batch)
    assert players == ["discriminator"] * 3 + ["generator"]
    rows = {tuple(row) for row in batch.inputs.tolist()}
    real = [tuple(row) for x in seen for row in x.tolist() if tuple(row) in rows]
    assert sorted(real) == sorted(rows), "every row of the batch, and each once"


def test_every_weight_of_the_conditional_discriminator_has_spectral_norm_1():
    """Power iterations of 40 steps: the largest singular value is 1 to a few percent."""
    fit = fitting("conditional_gan", epochs=10)
    list(fit)
    judge = fit.model.network.discriminator
    layers = [m for m in judge.modules() if isinstance(m, nn.Conv2d | nn.Linear | nn.Embedding)]
    assert len(layers) == 5
    for layer in layers:
        largest = torch.linalg.svdvals(layer.weight.flatten(1))[0].item()
        assert largest == pytest.approx(1, abs=0.1)


def test_classes_come_as_often_as_they_were_seen_and_can_be_asked_for():
    fit = fitting("conditional_gan")
    list(fit)
    network = fit.model.network
    assert network.counts.tolist() == [192, 96], "three epochs of all rows"
    labels = network.labels(30_000, generator(0, "classes"))
    assert labels.double().mean().item() == pytest.approx(1 / 3, abs=0.01)
    asked = [torch.full((6,), label) for label in (0, 1)]
    zero, one = (network.sample(6, generator(0, "noise"), own) for own in asked)
    assert not torch.equal(zero, one)


@pytest.mark.parametrize("name", NAMES)
def test_training_stops_when_a_loss_is_not_finite(name):
    """What comes out of the second player is NaN; nothing of the discriminator has moved."""
    fit = fitting(name)
    network = fit.model.network
    with torch.no_grad():
        next(network.generator.parameters()).fill_(float("nan"))
    before = {k: p.detach().clone() for k, p in network.discriminator.named_parameters()}
    with pytest.raises(NumericError, match="step 0"):
        list(fit)
    after = dict(network.discriminator.named_parameters())
    assert all(torch.equal(after[k], p) for k, p in before.items())


@pytest.mark.parametrize("name", [*NAMES, "vae", "autoencoder_synthesis", "denoising_autoencoder"])
def test_a_fit_that_was_cut_off_ends_with_the_same_bits(name):
    torch.manual_seed(5)
    whole = fitting(name)
    list(whole)
    first = fitting(name)
    next(iter(first))
    state = first.state_dict()
    torch.manual_seed(71)
    fresh = fitting(name)
    with torch.no_grad():
        for parameter in fresh.model.network.parameters():
            parameter.add_(1.0)
    fresh.load_state_dict(state)
    list(fresh)
    expected, said = copies(whole.model), copies(fresh.model)
    assert all(torch.equal(said[k], expected[k]) for k in expected)


@pytest.mark.parametrize("name", [*NAMES, "vae", "autoencoder_synthesis", "denoising_autoencoder"])
def test_draws_are_numbers_from_0_to_1_of_the_right_shape(name):
    fit = fitting(name)
    list(fit)
    drawn = fit.model.network.sample(7, generator(0, "some"))
    assert drawn.shape == (7, 90)
    assert 0 <= drawn.min() <= drawn.max() <= 1
    assert not hasattr(fit.model.network, "log_prob"), "it cannot say how likely a row is"
    assert fit.model(bars(5).inputs).shape == (5, 1, 10, 9)
