"""A network with auxiliary heads answers with all of them in training; each counts 0.3."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from gradatim.core.learner import Learner
from gradatim.core.recipe import OptimizerChoice, Recipe
from gradatim.core.samples import Samples
from gradatim.core.signature import Category, Image, Signature
from gradatim.models import rung_named
from gradatim.optim import OPTIMIZERS
from gradatim.tasks import TASKS
from gradatim.train.fitting import Fitting

TASK = TASKS["classify"]


class ThreeHeads(nn.Module):
    """Three linear heads side by side; the first alone when predicting."""

    def __init__(self) -> None:
        super().__init__()
        self.heads = nn.ModuleList(nn.Linear(4, 3) for _ in range(3))

    def forward(self, x):
        outputs = tuple(head(x) for head in self.heads)
        return outputs if self.training else outputs[0]


def test_the_loss_is_the_main_one_and_0_3_of_each_other():
    torch.manual_seed(0)
    network, x, t = ThreeHeads(), torch.randn(5, 4), torch.tensor([0, 1, 2, 0, 1])
    main, first, second = (F.cross_entropy(y, t).item() for y in network(x))
    optimizer = OPTIMIZERS["sgd"](list(network.parameters()), OptimizerChoice(weight_decay=0.0))
    learner = Learner(network, {"model": optimizer}, lambda step: 0.1)
    said = TASK.step(learner, Samples(x, t))
    assert said["loss"].item() == pytest.approx(main + 0.3 * (first + second), rel=1e-6)
    assert all(head.weight.grad.abs().sum() > 0 for head in network.heads)


def test_googlenet_trains_with_its_heads_and_answers_with_one():
    rung = rung_named("googlenet").model_copy(
        update={"auxiliary": True, "width": 0.0625, "dropout": 0.0}
    )
    image = Image(channels=1, height=16, width=16)
    signature = Signature(input=image, output=Category(name="x", names=("a", "b", "c")))
    chance = torch.Generator().manual_seed(0)
    pictures = torch.randint(0, 256, (24, 1, 16, 16), generator=chance, dtype=torch.uint8)
    samples = Samples(pictures, torch.arange(24) % 3)
    recipe = Recipe.parse({"epochs": 2, "batch": 8, "validation": 0.0})
    fitting = Fitting(rung, TASK, samples, signature, recipe)
    before = fitting.model.network.aux1.fc2.weight.detach().clone()
    list(fitting)
    assert not torch.equal(fitting.model.network.aux1.fc2.weight, before)
    assert fitting.model(pictures).shape == (24, 3)
