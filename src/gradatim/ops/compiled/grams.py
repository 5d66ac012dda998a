"""Grams in float32 by machine code: rows are gathered, centred and multiplied while in the cache.

The same sums by torch's own operations are in `gradatim.ops.grams`, which chooses.
"""

import ctypes
from pathlib import Path

import torch
from jaxtyping import Float64, Int64
from torch import Tensor

from gradatim.ops.compiled.library import WRONG, MachineCode

__all__ = ["moments", "obstacle"]

SOURCE = Path(__file__).with_name("grams.c")


class _Table(ctypes.Structure):
    """What the machine code is told of x, t and their origin; as in `grams.c`."""

    _fields_ = (
        *((name, ctypes.c_int64) for name in ("features", "outputs", "x_row", "t_row")),
        *((name, ctypes.c_void_p) for name in ("x", "t", "origin")),
    )


def obstacle(x: Tensor, t: Tensor) -> str | None:
    """Return why the machine code cannot take these, or None; the first call compiles it."""
    for given in (x, t):
        if given.dtype != torch.float64 or given.device.type != "cpu" or given.stride(1) != 1:
            return "rows must be float64, side by side in this machine's memory"
    return CODE.obstacle()


def moments(
    x: Float64[Tensor, "rows features"],
    t: Float64[Tensor, "rows outputs"],
    rows: Int64[Tensor, " chosen"],
    origin: Float64[Tensor, " columns"],
) -> Float64[Tensor, "size size"]:
    """Return Z'Z of the chosen rows z = (x, t, 1), where `obstacle` knows of none.

    Products are made in float32 and added up in it 256 rows at a time, these sums in float64.

    Args:
        x: features.
        t: targets.
        rows: which to take.
        origin: of x and t, in this order.

    Raises:
        IndexError: there is no such row.
        MemoryError: there is no room for a block of rows.
    """
    return _moments(CODE.code, x, t, rows, origin)


def _moments(code: ctypes.CDLL, x: Tensor, t: Tensor, rows: Tensor, origin: Tensor) -> Tensor:
    if len(rows) and not 0 <= int(rows.min()) <= int(rows.max()) < len(x):
        raise IndexError(f"rows from {int(rows.min())} to {int(rows.max())} of {len(x)}")
    size = x.shape[1] + t.shape[1] + 1
    total = torch.zeros(size, size, dtype=torch.float64)
    rows, origin = rows.contiguous(), origin.contiguous()
    extents = (x.shape[1], t.shape[1], x.stride(0), t.stride(0))
    table = _Table(*extents, x.data_ptr(), t.data_ptr(), origin.data_ptr())
    if code.add_moments(ctypes.byref(table), rows.data_ptr(), len(rows), total.data_ptr()):
        raise MemoryError(f"no memory for a block of rows of {size} numbers")
    return total.triu() + total.triu(1).T


def _declare(code: ctypes.CDLL) -> None:
    code.add_moments.argtypes = [ctypes.c_void_p] * 2 + [ctypes.c_int64, ctypes.c_void_p]


def _fault(code: ctypes.CDLL) -> str | None:
    return None if _agrees(code) else WRONG


def _agrees(code: ctypes.CDLL) -> bool:
    """Compare with torch, on small whole numbers: a compiler may have its faults."""
    x = (torch.arange(300 * 41, dtype=torch.float64) * 7 % 11 - 5).view(300, 41)
    t, rows = x[:, :2] - x[:, 5:7], torch.arange(299, 0, -1)
    z = torch.cat([x, t, x.new_ones(300, 1)], dim=1)[rows]
    return torch.equal(_moments(code, x, t, rows, x.new_zeros(43)), z.T @ z)


CODE = MachineCode(SOURCE, _declare, _fault)
