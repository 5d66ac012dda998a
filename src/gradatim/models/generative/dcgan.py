"""DCGAN: a forger and a detective, both convolutional."""

from collections.abc import Mapping
from functools import partial
from typing import Annotated, ClassVar

from pydantic import Field
from torch import Tensor
from torch.nn import functional as F

from gradatim.core.learner import Learner
from gradatim.core.recipe import Recipe
from gradatim.core.rung import Model
from gradatim.core.samples import Samples
from gradatim.core.signature import Image, Signature
from gradatim.core.task import Task
from gradatim.layers.generative.adversaries import Adversaries, standing_still
from gradatim.layers.generative.convolutional_players import (
    ConvolutionalDiscriminator,
    ConvolutionalGenerator,
)
from gradatim.models.generative._adversarial import Game, recipe_of_players
from gradatim.models.generative._on_pictures import DrawsPictures

__all__ = ["RUNG", "DcGan"]


class DcGan(DrawsPictures):
    """min over G, max over D of E log D(x) + E log(1 - D(G(z))), with convolutions.

    Idea: nobody says how a picture differs from real ones; a second network finds it out.
    Cost: 0.3 million parameters at width 32; a step looks at three batches.
    Fails when: the generator finds one picture that always passes, and draws no other.
    """

    place: ClassVar[int] = 120
    idea: ClassVar[str] = "draws what a second network cannot tell from real pictures"
    source: ClassVar[str] = "Goodfellow et al. 2014, algorithm 1; Radford, Metz & Chintala 2016"
    deviations: ClassVar[tuple[str, ...]] = (
        "two enlargements of small pictures, not four from 4 x 4",
        "normal noise in place of uniform; weights begin as torch's own",
        "RMSProp, which is Adam with b1 = 0 but for the start, in place of Adam with b1 = 0.5",
    )
    sizes: ClassVar[Mapping[str, Mapping[str, object]]] = {"tiny": {"noise": 4, "width": 4}}

    noise: Annotated[int, Field(ge=1, le=4096)] = 64
    """Numbers that a picture is drawn from."""
    width: Annotated[int, Field(ge=1, le=4096)] = 32
    """Maps at half of the side; twice as many at a quarter."""

    def recipe(self, rows: int, signature: Signature) -> Recipe:
        """Return four thousand steps of both players."""
        return recipe_of_players(rows, 200, 64, rho=0.99)

    def network(self, image: Image, classes: int) -> Adversaries:
        """Return both players."""
        generator = ConvolutionalGenerator(image, self.noise, self.width)
        return Adversaries(generator, ConvolutionalDiscriminator(image, self.width), self.noise)

    def taught(self, task: Task, model: Model) -> Task:
        """Return the game."""
        return DcGame(task)


class DcGame(Game):
    """Algorithm 1 with k = 1, and the generator's loss that does not fade (section 3)."""

    def step(self, learner: Learner, batch: Samples) -> Mapping[str, Tensor]:
        """Let the discriminator learn from a batch, then the generator from the discriminator."""
        network, rows = learner.model, len(batch)
        assert isinstance(network, Adversaries)
        network.train()
        fake = network.draw(rows).detach()
        seen, norm = learner.descend(
            partial(self.discriminator_loss, network, batch.inputs, fake), "discriminator"
        )
        with standing_still(network.discriminator):
            drawn, _ = learner.descend(partial(self.generator_loss, network, rows), "generator")
        return {"loss": seen, "generator_loss": drawn, "gradient_norm": norm}

    def discriminator_loss(self, network: Adversaries, real: Tensor, fake: Tensor) -> Tensor:
        """Return -E log D(x) - E log(1 - D(G(z))).

        Real and drawn rows go through D one batch after the other: in one, batch normalisation
        would mix their means, and D would be asked of crowds that do not occur.
        """
        of_real, of_fake = network.discriminator(real), network.discriminator(fake)
        return F.softplus(-of_real).mean() + F.softplus(of_fake).mean()

    def generator_loss(self, network: Adversaries, rows: int) -> Tensor:
        """Return -E log D(G(z))."""
        return F.softplus(-network.discriminator(network.draw(rows))).mean()


RUNG = DcGan
