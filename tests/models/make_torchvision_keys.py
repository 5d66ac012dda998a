"""Write torchvision_keys.json: a hash of the names and shapes in torchvision's state dicts.

Run it where torchvision imports; gradatim itself does not need it:

    python tests/models/make_torchvision_keys.py > tests/models/torchvision_keys.json

The file in the repository was made with torchvision 0.28.0.
"""

import hashlib
import json

import torch
from torch import nn

NAMES = [
    *("alexnet", "googlenet", "mobilenet_v2"),
    *("vgg11", "vgg11_bn", "vgg13", "vgg13_bn", "vgg16", "vgg16_bn", "vgg19", "vgg19_bn"),
    *("resnet18", "resnet34", "resnet50", "resnet101", "resnet152"),
]


def described(network: nn.Module) -> dict[str, object]:
    """The number of tensors and the hash of the sorted lines `name shape`."""
    state = network.state_dict()
    lines = sorted(f"{name} {list(tensor.shape)}" for name, tensor in state.items())
    return {"tensors": len(lines), "sha256": hashlib.sha256("\n".join(lines).encode()).hexdigest()}


def made(name: str) -> nn.Module:
    """A network of torchvision; GoogLeNet with its two auxiliary heads."""
    import torchvision  # where it is not installed, this file still can be read

    options = {"init_weights": False} if name == "googlenet" else {}
    with torch.device("meta"):
        return torchvision.models.get_model(name, weights=None, **options)


if __name__ == "__main__":
    print(json.dumps({name: described(made(name)) for name in NAMES}, indent=1))
