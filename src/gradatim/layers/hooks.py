"""Whether somebody listens to a layer, who would miss it when it is done together with others."""

from torch import nn
from torch.nn.modules import module as modules

__all__ = ["heard"]


def heard(layer: nn.Module) -> bool:
    """Tell whether a layer, or all of them, has a hook.

    >>> heard(nn.ReLU())
    False
    """
    return bool(
        layer._forward_hooks
        or layer._forward_pre_hooks
        or layer._backward_hooks
        or layer._backward_pre_hooks
        or modules._has_any_global_hook()
    )
