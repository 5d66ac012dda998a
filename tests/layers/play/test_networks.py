"""The network on large pictures against the published one, as it is written there."""

import torch
from torch import nn
from torch.nn import functional as F

from gradatim.core.signature import Game
from gradatim.layers.play.networks import trunk
from gradatim.ops.play.tiles import SIDE, tiled, woven


def published() -> nn.Sequential:
    """Mnih et al. 2015, methods, "Model architecture"."""
    return nn.Sequential(
        *(nn.Conv2d(4, 32, 8, 4), nn.ReLU(), nn.Conv2d(32, 64, 4, 2), nn.ReLU()),
        *(nn.Conv2d(64, 64, 3, 1), nn.ReLU(), nn.Flatten(), nn.Linear(3136, 512), nn.ReLU()),
    )


def test_the_trunk_is_the_published_network():
    """Only the order of its numbers differs: kernels by tiles, the dense layer by places."""
    torch.manual_seed(0)
    ours = trunk(Game(name="ALE/Breakout-v5", shape=(4, 84, 84), levels=255.0), 16, 512)
    theirs = published()
    state = theirs.state_dict()
    state["0.weight"] = F.pixel_unshuffle(state["0.weight"], SIDE)
    by_channel = state["7.weight"].view(512, 64, 49)
    state["7.weight"] = by_channel.transpose(1, 2).reshape(512, 3136)
    ours.load_state_dict(state)
    pictures = torch.randint(0, 256, (3, 4, 84, 84), dtype=torch.uint8)
    said, expected = ours(woven(tiled(pictures)).float() / 255), theirs(pictures / 255.0)
    torch.testing.assert_close(said, expected, rtol=1e-5, atol=1e-5)
