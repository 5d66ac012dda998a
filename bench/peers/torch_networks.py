"""The networks of the contest as anyone would write them in PyTorch."""

from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

__all__ = ["network"]


def network(job: dict[str, Any]) -> nn.Module:
    """Return the network that a job names, with 10 outputs."""
    torch.manual_seed(job.get("seed", 0))
    if "widths" in job:
        return _dense([job["inputs"], *job["widths"], 10])
    known = {"lenet": _lenet, "resnet8": _resnet8, "resnet18": _resnet18, "vit": ViT}
    return known[job["network"]]()


def _dense(widths: list[int]) -> nn.Sequential:
    layers: list[nn.Module] = []
    for before, after in pairwise(widths):
        layers += [nn.Linear(before, after), nn.ReLU()]
    return nn.Sequential(*layers[:-1])


def _lenet() -> nn.Sequential:
    """LeNet-5 on one channel of 32 x 32, with ReLU and max-pooling."""
    return nn.Sequential(
        nn.Conv2d(1, 6, 5), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(400, 120), nn.ReLU(),
        nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10),
    )  # fmt: skip


class Block(nn.Module):
    """Two 3 x 3 convolutions and a shortcut."""

    def __init__(self, before: int, after: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(before, after, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(after)
        self.conv2 = nn.Conv2d(after, after, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(after)
        self.shortcut = nn.Sequential()
        if stride != 1 or before != after:
            convolution = nn.Conv2d(before, after, 1, stride, bias=False)
            self.shortcut = nn.Sequential(convolution, nn.BatchNorm2d(after))

    def forward(self, x: Tensor) -> Tensor:
        y = F.relu(self.bn1(self.conv1(x)))
        return F.relu(self.shortcut(x) + self.bn2(self.conv2(y)))


def _residual(channels: int, widths: list[int], blocks: int) -> nn.Sequential:
    before = widths[0]
    stem = nn.Conv2d(channels, before, 3, 1, 1, bias=False)
    layers: list[nn.Module] = [stem, nn.BatchNorm2d(before), nn.ReLU()]
    for stage, after in enumerate(widths):
        for block in range(blocks):
            layers.append(Block(before, after, 2 if stage and not block else 1))
            before = after
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(before, 10))


def _resnet8() -> nn.Sequential:
    return _residual(1, [16, 32, 64], 1)


def _resnet18() -> nn.Sequential:
    return _residual(3, [64, 128, 256, 512], 2)


class ViT(nn.Module):
    """Patches of 4 x 4 from 3 x 32 x 32, width 192, six pre-norm blocks of four heads."""

    def __init__(self, width: int = 192, depth: int = 6, heads: int = 4) -> None:
        super().__init__()
        self.patches = nn.Conv2d(3, width, 4, 4)
        self.token = nn.Parameter(torch.zeros(1, 1, width))
        self.positions = nn.Parameter(torch.randn(1, 65, width) * 0.02)
        block = nn.TransformerEncoderLayer(
            width, heads, 4 * width, 0.0, "gelu", batch_first=True, norm_first=True
        )
        norm = nn.LayerNorm(width)
        self.encoder = nn.TransformerEncoder(block, depth, norm, enable_nested_tensor=False)
        self.head = nn.Linear(width, 10)

    def forward(self, x: Tensor) -> Tensor:
        z = self.patches(x).flatten(2).mT
        z = torch.cat([self.token.expand(len(z), -1, -1), z], 1) + self.positions
        return self.head(self.encoder(z)[:, 0])
