"""WGAN-GP: a critic that measures how far drawn rows are to be moved."""

from collections.abc import Mapping
from functools import partial
from typing import Annotated, ClassVar

import torch
from jaxtyping import Float
from pydantic import Field
from torch import Tensor, nn

from gradatim.core.learner import Learner
from gradatim.core.recipe import Recipe
from gradatim.core.rung import Model
from gradatim.core.samples import Samples
from gradatim.core.signature import Image, Signature
from gradatim.core.task import Task
from gradatim.layers.generative.adversaries import Adversaries, standing_still
from gradatim.layers.generative.dense import dense
from gradatim.models.generative._adversarial import Game, recipe_of_players
from gradatim.models.generative._on_pictures import DrawsPictures

__all__ = ["RUNG", "WganGp", "gradient_penalty"]


class WganGp(DrawsPictures):
    """min over G, max over 1-Lipschitz D of E D(x) - E D(G(z)): the distance to move a crowd.

    Idea: the critic's loss is a distance, which says how far to go where nothing fools anybody.
    Cost: 1.9 million parameters at width 512; critic steps differentiate twice.
    Fails when: time is short: several steps of the critic for one of the generator.
    """

    place: ClassVar[int] = 130
    idea: ClassVar[str] = "moves drawn pictures along the slope of a distance that never fades"
    source: ClassVar[str] = (
        "Arjovsky, Chintala & Bottou 2017; Gulrajani, Ahmed, Arjovsky, Dumoulin & Courville 2017, "
        "algorithm 1"
    )
    deviations: ClassVar[tuple[str, ...]] = (
        "dense layers, which a CPU is fast at",
        "three steps of the critic for one of the generator, not five",
        "RMSProp with rho = 0.9, which is Adam with b1 = 0, b2 = 0.9 but for the start",
        "a rate that falls along a cosine in place of 1e-4",
    )
    sizes: ClassVar[Mapping[str, Mapping[str, object]]] = {"tiny": {"noise": 4, "width": 16}}

    noise: Annotated[int, Field(ge=1, le=4096)] = 64
    """Numbers that a picture is drawn from."""
    width: Annotated[int, Field(ge=1, le=65536)] = 512
    """Units of each hidden layer."""
    critic: Annotated[int, Field(ge=1, le=100)] = 3
    """Steps of the critic for one of the generator; a batch is shared out among them."""
    penalty: Annotated[float, Field(ge=0, le=1e6)] = 10.0
    """Weight of the gradient penalty."""

    def recipe(self, rows: int, signature: Signature) -> Recipe:
        """Return six thousand steps of the generator for thousands of rows, fewer for hundreds."""
        return recipe_of_players(rows, 300, 64 * self.critic, rho=0.9)

    def network(self, image: Image, classes: int) -> Adversaries:
        """Return both players."""
        pixels, w = image.channels * image.height * image.width, self.width
        generator = nn.Sequential(dense([self.noise, w, w, w, pixels]), nn.Sigmoid())
        bent = partial(nn.LeakyReLU, 0.2)
        # No bias at the end: it cancels in the difference of means.
        last = nn.Linear(w, 1, bias=False)
        critic = nn.Sequential(dense([pixels, w, w], bent), bent(), last, nn.Flatten(0))
        return Adversaries(generator, critic, self.noise)

    def taught(self, task: Task, model: Model) -> Task:
        """Return the game."""
        return WassersteinGame(task, self.critic, self.penalty)


class WassersteinGame(Game):
    """Algorithm 1: n_critic steps of the critic, then one of the generator.

    Args:
        task: whose job it is.
        critic: n_critic.
        penalty: lambda.
    """

    def __init__(self, task: Task, critic: int, penalty: float) -> None:
        super().__init__(task)
        self.critic, self.penalty = critic, penalty

    def step(self, learner: Learner, batch: Samples) -> Mapping[str, Tensor]:
        """Let the critic learn from each share of the batch, then the generator from the critic."""
        network = learner.model
        assert isinstance(network, Adversaries)
        network.train()
        for real in batch.inputs.chunk(self.critic):
            fake = network.draw(len(real)).detach()
            seen, norm = learner.descend(
                partial(self.critic_loss, network, real, fake), "discriminator"
            )
        with standing_still(network.discriminator):
            drawn, _ = learner.descend(
                partial(self.generator_loss, network, len(real)), "generator"
            )
        return {"loss": seen, "generator_loss": drawn, "gradient_norm": norm}

    def critic_loss(self, network: Adversaries, real: Tensor, fake: Tensor) -> Tensor:
        """Return D(G(z)) - D(x) + lambda (|grad D| - 1)^2, a mean over the rows."""
        critic = network.discriminator
        apart = critic(fake).mean() - critic(real).mean()
        return apart + self.penalty * gradient_penalty(critic, real, fake)

    def generator_loss(self, network: Adversaries, rows: int) -> Tensor:
        """Return -D(G(z))."""
        return -network.discriminator(network.draw(rows)).mean()


def gradient_penalty(
    critic: nn.Module, real: Float[Tensor, "rows features"], fake: Float[Tensor, "rows features"]
) -> Float[Tensor, ""]:
    """Return the mean of (|grad D(x^)| - 1)^2 at x^ = e x + (1 - e) G(z), e ~ U[0, 1] a row.

    The gradient is of D in x^, row by row, and can itself be differentiated.

    Source: Gulrajani et al. 2017, equation (3).
    """
    share = torch.rand(len(real), 1)
    between = (share * real + (1 - share) * fake).requires_grad_()
    (slopes,) = torch.autograd.grad(critic(between).sum(), between, create_graph=True)
    return (slopes.norm(dim=1) - 1).square().mean()


RUNG = WganGp
