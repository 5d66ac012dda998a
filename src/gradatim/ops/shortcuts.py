"""When a faster way past torch's own operations may be taken, and when nobody would notice.

A shortcut computes what torch computes, up to rounding. It is for float32 in this machine's memory,
and for nobody who looks at single operations. GRADATIM_FUSED=0 in the environment closes them all.
"""

import os

import torch
from torch import Tensor, nn
from torch.autograd import forward_ad

__all__ = ["closed", "usual", "watched"]


def closed() -> bool:
    """Tell whether the user wants torch's own operations alone."""
    return os.environ.get("GRADATIM_FUSED") == "0"


def usual(tensor: Tensor) -> bool:
    """Tell whether a tensor is one of float32 in this machine's memory and nothing else."""
    return (
        type(tensor) in (Tensor, nn.Parameter)
        and tensor.dtype == torch.float32
        and tensor.device.type == "cpu"
        and tensor.layout == torch.strided
        and not tensor.is_neg()
    )


def watched() -> bool:
    """Tell whether somebody wants to see single operations.

    Those who count, trace, compile or vectorise do, and so do forward-mode derivatives and mixed
    precision.
    """
    return (
        torch.compiler.is_compiling()
        or torch._C._is_tracing()
        or torch._C._len_torch_dispatch_stack() > 0
        or torch._C._functorch.peek_interpreter_stack() is not None
        or forward_ad._current_level >= 0
        or torch.is_autocast_enabled("cpu")
    )
