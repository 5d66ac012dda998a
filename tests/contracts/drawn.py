"""Pictures with things drawn into them, recordings of tones and passages, for the contracts.

Dark pictures hold one bright thing each: a disc (class 0) or a tall block (class 1). It is what is
to be freed from noise, marked, or surrounded. A tone's pitch is its class. A text says three words
again and again.
"""

import numpy as np
import torch

from gradatim.core.samples import Samples
from gradatim.core.signature import (
    IGNORED,
    Boxes,
    Category,
    Continuation,
    Image,
    Mask,
    Picture,
    Signature,
    Sound,
    Text,
)

__all__ = ["DRAWN", "drawn"]

HEIGHT, WIDTH = 24, 28
PITCHES = (300, 600, 1200)  # Hz
WORDS = ("abba ", "cab ", "dada. ")


def _pictures(channels: int, fit: str = "pad") -> Image:
    return Image(channels=channels, height=HEIGHT, width=WIDTH, fit=fit)


DRAWN = {
    "grey-picture": Signature(input=_pictures(1), output=Picture(channels=1, sigma=25.0)),
    "colour-picture": Signature(input=_pictures(3), output=Picture(channels=3)),
    "grey-mask": Signature(input=_pictures(1), output=Mask(names=("nothing", "thing"))),
    "colour-mask": Signature(input=_pictures(3), output=Mask(names=("nothing", "disc", "block"))),
    "grey-boxes": Signature(input=_pictures(1, "squeeze"), output=Boxes(names=("thing",))),
    "colour-boxes": Signature(input=_pictures(3, "squeeze"), output=Boxes(names=("disc", "block"))),
    "sound-three": Signature(
        input=Sound(rate=8000, length=3200), output=Category(names=("low", "middle", "high"))
    ),
    "text-continuation": Signature(input=Text(length=24, alphabet=" .abcd"), output=Continuation()),
}


def drawn(
    signature: Signature, rows: int, chance: np.random.Generator, shuffled: bool = False
) -> Samples:
    """Rows that fit a signature; shuffled targets cannot be learnt."""
    if isinstance(signature.input, Sound):
        return _tones(signature.input, rows, chance, shuffled)
    if isinstance(signature.input, Text):
        return _passages(signature.input, rows, chance)
    label = np.arange(rows) % 2
    masks, boxes = zip(*(_thing(kind, chance) for kind in label), strict=True)
    shown = np.stack(masks)[:, None].repeat(signature.input.channels, 1)
    levels = np.where(shown, 190.0, 60.0)
    noisy = torch.from_numpy(levels + chance.normal(0, 25, levels.shape)).float()
    order = chance.permutation(rows) if shuffled else np.arange(rows)
    output = signature.output
    if isinstance(output, Picture):
        clean = torch.from_numpy(levels[order]).float()
        return _cornered(Samples(noisy, clean, sizes=_sizes(rows)), 0)
    pictures = noisy.round().clamp(0, 255).to(torch.uint8)
    if isinstance(output, Mask):
        classes = np.stack(masks) * (label[:, None, None] + 1 if len(output.names) == 3 else 1)
        targets = torch.from_numpy(classes[order].astype(np.uint8))
        return _cornered(Samples(pictures, targets, sizes=_sizes(rows)), IGNORED)
    found = torch.full((rows, 2, 5), -1.0)
    found[:, 0, :4] = torch.from_numpy(np.stack(boxes)[order]).float()
    found[:, 0, 4] = torch.from_numpy(label[order] if len(output.names) == 2 else 0 * label)
    return Samples(pictures, found)


def _thing(kind: int, chance: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return where a thing is, and the box around it."""
    high, wide = (10, 10) if kind == 0 else (14, 6)
    top, left = chance.integers(0, HEIGHT - 4 - high), chance.integers(0, WIDTH - 4 - wide)
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    if kind == 0:
        mask = (y - top - 4.5) ** 2 + (x - left - 4.5) ** 2 < 27
    else:
        mask = (y >= top) & (y < top + high) & (x >= left) & (x < left + wide)
    return mask, np.array([left, top, left + wide, top + high]) / [WIDTH, HEIGHT, WIDTH, HEIGHT]


def _sizes(rows: int) -> torch.Tensor:
    """Every third picture is smaller than its canvas."""
    sizes = torch.tensor([[HEIGHT, WIDTH]]).repeat(rows, 1)
    sizes[::3] -= 4
    return sizes


def _cornered(samples: Samples, outside: int) -> Samples:
    """Empty the canvas outside of each picture."""
    assert samples.sizes is not None
    for row, (height, width) in enumerate(samples.sizes.tolist()):
        for planes, value in ((samples.inputs, 0), (samples.targets, outside)):
            planes[row, ..., height:, :] = value
            planes[row, ..., width:] = value
    return samples


def _tones(sound: Sound, rows: int, chance: np.random.Generator, shuffled: bool) -> Samples:
    label = np.arange(rows) % len(PITCHES)
    pitch = np.array(PITCHES)[label] * chance.uniform(0.9, 1.1, rows)
    time = np.arange(sound.length) / sound.rate
    waves = np.sin(2 * np.pi * pitch[:, None] * time + chance.uniform(0, 6, (rows, 1)))
    waves = (8000 * waves + chance.normal(0, 400, waves.shape)).astype(np.int16)
    lengths = np.where(np.arange(rows) % 3 == 0, sound.length - 800, sound.length)
    waves[np.arange(sound.length) >= lengths[:, None]] = 0
    if shuffled:
        label = chance.permutation(label)
    sizes = torch.from_numpy(lengths[:, None])
    return Samples(torch.from_numpy(waves), torch.from_numpy(label), sizes=sizes)


def _passages(text: Text, rows: int, chance: np.random.Generator) -> Samples:
    """Words in any order, cut into passages: what comes inside of a word is known."""
    written = "".join(chance.choice(WORDS, rows * text.length // 4))
    numbers = [text.alphabet.index(letter) for letter in written[: rows * text.length]]
    inputs = torch.tensor(numbers, dtype=torch.int32).view(rows, text.length)
    return Samples(inputs, inputs)
