"""The networks of the ladder by hand, in skorch: AdamW, cosine, clipping, early stopping."""

from typing import Any

import torch
from skorch import NeuralNetClassifier
from skorch.callbacks import EarlyStopping, GradientNormClipping, LRScheduler
from skorch.dataset import ValidSplit
from torch import Tensor, nn
from torch.nn import functional as F

from peers.torch_networks import network

__all__ = ["lenet", "mlp", "resnet"]


def mlp(seed: int) -> Any:
    """Return 64-256-256-10 with dropout, for rows of pixels."""
    layers: list[nn.Module] = []
    for before in (64, 256):
        layers += [nn.Linear(before, 256), nn.ReLU(), nn.Dropout(0.1)]
    layers.append(nn.Linear(256, 10))
    return _net(nn.Sequential(*layers), seed, rate=2e-3, epochs=100, batch=32, patience=15)


def lenet(seed: int) -> Any:
    """Return LeNet-5 for 32 x 32."""
    module = Moving(network({"network": "lenet", "seed": seed}), 2)
    return _net(module, seed, rate=2e-3, epochs=30, batch=32, patience=8)


def resnet(seed: int) -> Any:
    """Return ResNet-8 for 16 x 16."""
    module = Moving(network({"network": "resnet8", "seed": seed}), 1)
    return _net(module, seed, rate=4e-3, epochs=25, batch=64, patience=8)


class Moving(nn.Module):
    """A network whose pictures are moved by up to `most` pixels in training, a batch at once."""

    def __init__(self, inner: nn.Module, most: int) -> None:
        super().__init__()
        self.inner, self.most = inner, most

    def forward(self, x: Tensor) -> Tensor:
        return self.inner(self._moved(x) if self.training else x)

    def _moved(self, x: Tensor) -> Tensor:
        count, _, height, width = x.shape
        down, right = torch.randint(2 * self.most + 1, (2, count, 1))
        padded = F.pad(x[:, 0], [self.most] * 4)
        y, z = down + torch.arange(height), right + torch.arange(width)
        picture = torch.arange(count)[:, None, None]
        return padded[picture, y[:, :, None], z[:, None]][:, None]


def _net(
    module: nn.Module, seed: int, *, rate: float, epochs: int, batch: int, patience: int
) -> Any:
    cosine = torch.optim.lr_scheduler.CosineAnnealingLR
    return NeuralNetClassifier(
        module,
        criterion=nn.CrossEntropyLoss,
        optimizer=torch.optim.AdamW,
        lr=rate,
        max_epochs=epochs,
        batch_size=batch,
        iterator_train__shuffle=True,
        iterator_train__drop_last=True,
        iterator_valid__batch_size=1024,
        train_split=ValidSplit(0.1, stratified=True, random_state=seed),
        callbacks=[
            EarlyStopping(patience=patience, load_best=True, sink=_silent),
            LRScheduler(cosine, T_max=epochs),
            GradientNormClipping(1.0),
        ],
        verbose=0,
    )


def _silent(_: str) -> None:
    """Take what a callback would print."""
