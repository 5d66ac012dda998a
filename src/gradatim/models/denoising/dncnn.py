"""DnCNN: convolutions that learn the noise, not the picture."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, ClassVar, Literal

import torch
from pydantic import Field
from torch import nn

from gradatim.core.rung import Model
from gradatim.core.samples import Samples
from gradatim.core.task import Supervised, Task, Taught
from gradatim.layers.denoising.levels import OnLevels
from gradatim.layers.normalisation import normalisation
from gradatim.models.denoising._network import Denoiser

__all__ = ["RUNG", "AllLevels", "DnCNN"]

MOST = 2.2
"""Blind training draws noise of up to so many times the given deviation: 0 to 55 for 25."""


class DnCNN(Denoiser):
    """3 x 3 convolutions, each but the last followed by ReLU, answer with the noise.

    y = x - f(x), f = conv, ReLU, (conv, norm, ReLU) x (depth - 2), conv.

    Idea: the noise is simpler than the picture, and all layers see the picture at full detail.
    Cost: 56,097 parameters for grey pictures at depth 8 and width 32, and as many multiply-adds a
        pixel; 556,097 as published.
    Fails when: noise is not what it was trained on; then `blind` loses less.
    """

    place: ClassVar[int] = 18
    idea: ClassVar[str] = "learns to tell noise from picture by many layers, and subtracts it"
    source: ClassVar[str] = (
        "Zhang, Zuo, Chen, Meng & Zhang 2017 (DnCNN); Zhang, Zuo & Zhang 2018 (FFDNet)"
    )
    deviations: ClassVar[tuple[str, ...]] = (
        "8 layers of 32 channels in place of 17 of 64",
        "published: --set model.depth=17 --set model.width=64 --set model.norm=batch",
        "no batch normalisation: a short training of 8 layers did worse with it",
        "the last layer begins small, so that training begins at the noisy picture",
        "AdamW and a cosine schedule in place of SGD with steps; squares of 48 pixels, not of 40",
        "blind: noise of 0 to 2.2 times the given deviation, and a plane that holds its estimate",
        "FFDNet is told the true deviation, DnCNN-B none",
    )
    sizes: ClassVar[Mapping[str, Mapping[str, object]]] = {"tiny": {"depth": 3, "width": 8}}

    epochs: ClassVar[int] = 60

    depth: Annotated[int, Field(ge=2, le=100)] = 8
    width: Annotated[int, Field(ge=1, le=1024)] = 32
    fold: Annotated[int, Field(ge=1, le=8)] = 1
    """Squares of fold x fold pixels become channels, as in FFDNet: a quarter of the work at 2."""
    norm: Literal["batch", "none"] = "none"
    blind: bool = False
    """Train on noise of many strengths, and give the network an estimate of it."""

    def network(self, channels: int) -> OnLevels:
        """Return the layers between folding and unfolding."""
        given = (channels + self.blind) * self.fold**2
        layers: list[nn.Module] = [nn.Conv2d(given, self.width, 3, padding=1), nn.ReLU()]
        for _ in range(self.depth - 2):
            bias = self.norm == "none"
            layers.append(nn.Conv2d(self.width, self.width, 3, padding=1, bias=bias))
            layers += [normalisation(self.norm, self.width), nn.ReLU()]
        layers.append(nn.Conv2d(self.width, channels * self.fold**2, 3, padding=1))
        _begin(layers)
        folded = nn.Sequential(nn.PixelUnshuffle(self.fold), *layers, nn.PixelShuffle(self.fold))
        reach = self.depth * self.fold
        return OnLevels(folded, self.fold, mapped=self.blind, reach=reach)

    def taught(self, task: Task, model: Model) -> Task:
        """Return the task with noise of all strengths, when the network is to be blind."""
        assert isinstance(task, Supervised), "pictures have right answers"
        return AllLevels(task, task.losses) if self.blind else task


class AllLevels(Taught):
    """A task whose noise, where it is drawn anew, is 0 to 2.2 times as strong, row by row."""

    def renewed(self, batch: Samples, chance: torch.Generator) -> Samples:
        """Return the pictures under noise of many strengths; what was measured stays."""
        drawn = self.task.renewed(batch, chance)
        if drawn is batch:
            return batch
        times = MOST * torch.rand(len(batch), 1, 1, 1, generator=chance)
        clean = batch.targets
        return replace(drawn, inputs=clean + times * (drawn.inputs - clean))


@torch.no_grad()
def _begin(layers: list[nn.Module]) -> None:
    """Draw weights as He et al. 2015, so that signals keep their size through many ReLUs."""
    convolutions = [layer for layer in layers if isinstance(layer, nn.Conv2d)]
    for layer in convolutions:
        nn.init.kaiming_normal_(layer.weight)
        if layer.bias is not None:
            nn.init.zeros_(layer.bias)
    convolutions[-1].weight.mul_(0.02)


RUNG = DnCNN
