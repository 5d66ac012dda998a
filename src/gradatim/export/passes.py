"""Passes over the calls of a model: each looks at one call and folds it away where it can.

Batch normalisation, additions and activations go into the convolution or the linear layer before
them, the scaling of pixels into the one after it, the scale of logits into the last one.
"""

import operator
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import torch
from torch import fx, nn

from gradatim.export.affine import Affine, Norm
from gradatim.export.bends import bend_of
from gradatim.export.calls import levels, planes, pools
from gradatim.layers.fused import halves, slides
from gradatim.layers.outputs import Logits
from gradatim.layers.pixels import Pixels

if TYPE_CHECKING:
    from gradatim.export.folding import Folding

__all__ = ["ALL"]

ADDITIONS = (operator.add, operator.iadd, torch.add, "add", "add_")
IDLE = (nn.Dropout, nn.Dropout1d, nn.Dropout2d, nn.Identity)


def _idle(folding: "Folding", call: fx.Node) -> None:
    """Leave out what changes no answer."""
    if isinstance(folding.layer(call), IDLE):
        folding.drop(call, call.all_input_nodes[0])


def _norm(folding: "Folding", call: fx.Node) -> None:
    """Fold a normalisation by running statistics into what it normalises."""
    norm, found = folding.layer(call), folding.before(call)
    if found is None or not isinstance(norm, Norm):
        return
    before, affine = found
    # Of three dimensions a normalisation takes the middle one, and a linear layer makes the last.
    if affine.open and norm.running_mean is not None and folding.seen[before].dim() != 3:
        affine.normalised(norm)
        folding.drop(call, before)


def _addition(folding: "Folding", call: fx.Node) -> None:
    """Add to what a convolution made, in place, where nobody else reads that."""
    if call.target not in ADDITIONS or len(call.args) != 2 or call.kwargs:
        return
    pair = {node for node in call.args if isinstance(node, fx.Node) and node in folding.seen}
    if len(pair) < 2:
        return
    order = {node: place for place, node in enumerate(folding.graph.nodes)}
    first, last = min(pair, key=order.__getitem__), max(pair, key=order.__getitem__)
    if _adds(folding, first, last):
        folding.layers[last].adds = True
        last.args = (*last.args, first)
        folding.drop(call, last)


def _adds(folding: "Folding", first: fx.Node, last: fx.Node) -> bool:
    affine, a, b = folding.layers.get(last), folding.seen[first], folding.seen[last]
    alike = a.shape == b.shape and a.dtype == b.dtype and len(last.users) == 1
    return alike and affine is not None and affine.places is not None and affine.open


def _bend(folding: "Folding", call: fx.Node) -> None:
    """Bend as part of the call before."""
    bend, found = bend_of(call, folding.layer(call)), folding.before(call)
    if bend is not None and found is not None and found[1].bend is None:
        found[1].bend = bend
        folding.drop(call, found[0])


def _pooling(folding: "Folding", call: fx.Node) -> None:
    """Pool in the same pass as ReLU and convolution, where there is one for them."""
    pooling, found = folding.layer(call), folding.before(call)
    if found is None or type(pooling) is not nn.MaxPool2d or not halves(pooling):
        return
    before, affine = found
    convolution = folding.layer(before)
    bends = affine.bend is not None and affine.bend.name == "relu" and not affine.adds
    if bends and convolution is not None and slides(convolution) and not affine.pools:
        affine.pools = pools(affine, folding.seen[before.all_input_nodes[0]])
        if affine.pools:
            folding.drop(call, before)


def _scale(folding: "Folding", call: fx.Node) -> None:
    """Scale weights instead of logits."""
    logits, found = folding.layer(call), folding.before(call)
    if not isinstance(logits, Logits):
        return
    if found is not None and found[1].open:
        found[1].scaled(logits.scale)
        folding.drop(call, found[0])
    elif logits.scale == 1:
        folding.drop(call, call.all_input_nodes[0])


def _pixels(folding: "Folding", call: fx.Node) -> None:
    """Scale weights instead of pixels, or pixels in one pass."""
    pixels = folding.layer(call)
    if not isinstance(pixels, Pixels) or pixels.dtype != torch.float32:
        return
    found = [folding.layers.get(reader) for reader in call.users if reader.args[0] is call]
    readers = [affine for affine in found if affine is not None]
    if len(readers) < len(call.users):
        return  # such as edges and trees, which one bit may turn around
    if len(readers) == 1 and _reads_levels(readers[0], pixels):
        readers[0].fed(*pixels.line())
        folding.put(call, levels(pixels))
    else:
        folding.put(call, planes(pixels))


def _reads_levels(affine: Affine, pixels: Pixels) -> bool:
    if affine.places is None:
        return pixels.flat
    return affine.places.padding == (0, 0) and affine.places.groups == 1


ALL: Sequence[Callable[["Folding", fx.Node], None]] = (
    *(_idle, _norm, _addition, _bend, _pooling, _scale, _pixels),
)
"""In the order in which they have to be taken."""
