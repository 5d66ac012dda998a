"""Conditional GAN: the class is told, and the slope of the detective bounded."""

from collections.abc import Mapping
from functools import partial
from typing import Annotated, ClassVar

from pydantic import Field
from torch import Tensor
from torch.nn import functional as F

from gradatim.core.learner import Learner
from gradatim.core.recipe import Recipe
from gradatim.core.refusal import Refusal
from gradatim.core.rung import Model
from gradatim.core.samples import Samples
from gradatim.core.signature import Image, Signature, Synthesis
from gradatim.core.task import Task
from gradatim.layers.generative.adversaries import Adversaries, standing_still
from gradatim.layers.generative.convolutional_players import (
    ConvolutionalGenerator,
    ProjectionDiscriminator,
)
from gradatim.models.generative._adversarial import Game, recipe_of_players
from gradatim.models.generative._on_pictures import DrawsPictures

__all__ = ["RUNG", "ConditionalGan"]


class ConditionalGan(DrawsPictures):
    """Hinge loss, spectral norm 1 of every weight of D, and the class as a projection in D.

    Idea: drawing one class at a time is easier, and no class can be forgotten.
    Cost: 0.6 million parameters at width 32; a step looks at three batches.
    Fails when: classes have few rows each: D learns them by heart.
    """

    place: ClassVar[int] = 140
    idea: ClassVar[str] = "is told the class, so that it forgets none"
    source: ClassVar[str] = (
        "Mirza & Osindero 2014; Miyato, Kataoka, Koyama & Yoshida 2018, equations (16) and (17); "
        "Miyato & Koyama 2018"
    )
    deviations: ClassVar[tuple[str, ...]] = (
        "plain convolutions in place of residual blocks",
        "the class stands beside the noise, not in the gains of batch normalisation",
        "RMSProp with rho = 0.9, which is Adam with b1 = 0, b2 = 0.9 but for the start",
        "one step of D for one of G, not five",
    )
    sizes: ClassVar[Mapping[str, Mapping[str, object]]] = {"tiny": {"noise": 4, "width": 4}}

    noise: Annotated[int, Field(ge=1, le=4096)] = 64
    """Numbers that a picture is drawn from, and numbers that stand for a class."""
    width: Annotated[int, Field(ge=1, le=4096)] = 32
    """Maps at half of the side; twice as many at a quarter."""

    def accepts(self, signature: Signature) -> Refusal | None:
        """Take pictures of classes."""
        assert isinstance(signature.output, Synthesis)
        if not signature.output.names:
            return Refusal("no classes are known of these pictures", "use dcgan")
        return super().accepts(signature)

    def recipe(self, rows: int, signature: Signature) -> Recipe:
        """Return four thousand steps of both players for thousands of rows, fewer for hundreds."""
        return recipe_of_players(rows, 200, 64, rho=0.9)

    def network(self, image: Image, classes: int) -> Adversaries:
        """Return both players."""
        generator = ConvolutionalGenerator(image, self.noise, self.width, classes)
        judge = ProjectionDiscriminator(image, self.width, classes)
        return Adversaries(generator, judge, self.noise, classes)

    def taught(self, task: Task, model: Model) -> Task:
        """Return the game."""
        return HingeGame(task)


class HingeGame(Game):
    """One step of the discriminator, one of the generator, both told the classes of a batch."""

    def step(self, learner: Learner, batch: Samples) -> Mapping[str, Tensor]:
        """Let the discriminator learn from a batch, then the generator from the discriminator."""
        network, labels = learner.model, batch.targets
        assert isinstance(network, Adversaries)
        network.train()
        network.count(labels)
        fake = network.draw(len(labels), labels).detach()
        seen, norm = learner.descend(
            partial(self.discriminator_loss, network, batch.inputs, fake, labels), "discriminator"
        )
        with standing_still(network.discriminator):
            drawn, _ = learner.descend(partial(self.generator_loss, network, labels), "generator")
        return {"loss": seen, "generator_loss": drawn, "gradient_norm": norm}

    def discriminator_loss(
        self, network: Adversaries, real: Tensor, fake: Tensor, labels: Tensor
    ) -> Tensor:
        """Return E max(0, 1 - D(x, y)) + E max(0, 1 + D(G(z, y), y))."""
        of_real = network.discriminator(real, labels)
        of_fake = network.discriminator(fake, labels)
        return F.relu(1 - of_real).mean() + F.relu(1 + of_fake).mean()

    def generator_loss(self, network: Adversaries, labels: Tensor) -> Tensor:
        """Return -E D(G(z, y), y)."""
        return -network.discriminator(network.draw(len(labels), labels), labels).mean()


RUNG = ConditionalGan
