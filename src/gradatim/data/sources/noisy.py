"""Pictures to denoise: clean ones under noise that is added here, or noisy ones with partners."""

from pathlib import Path, PurePosixPath
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from gradatim.core.errors import ConfigError, DataError
from gradatim.core.randomness import generator
from gradatim.core.samples import Dataset, Finding, Samples
from gradatim.core.signature import Image, Picture, Signature
from gradatim.core.source import ReadOptions, Source
from gradatim.data.files import checked_path
from gradatim.data.naming import listed, plain_name, shown
from gradatim.data.origin import Origin
from gradatim.data.pictures.listing import ENDINGS, Listing, list_pictures
from gradatim.data.pictures.noisy_layout import CLEAN, TWICE, NoisyLayout, noisy_layout
from gradatim.data.pictures.partners import Partners, decode_partners
from gradatim.data.tables.targets import no_targets

__all__ = ["SOURCE", "Noisy"]


class Noisy(Source):
    """Clean pictures and `sigma`, or pairs in the folders noisy/ and clean/ (or noisy2/).

    The noise that is added is white, Gaussian and never clipped; it depends on the name of the
    picture alone, so a score does not change when other pictures join. Training draws its own.
    """

    summary: ClassVar[str] = "pictures to denoise: clean ones with --sigma, or noisy/ and clean/"

    def claims(self, location: str, options: ReadOptions) -> bool:
        """Claim pictures and folders, when they are to be denoised."""
        path = Path(location)
        pictures = path.suffix.lower() in ENDINGS or path.is_dir()
        return options.job == "denoise" and pictures

    def read(self, location: str, options: ReadOptions) -> Dataset:
        path = checked_path(location)
        _check(options)
        if path.is_file():
            listing, path = Listing([PurePosixPath(path.name)]), path.parent
        else:
            listing = list_pictures(path)
        if not listing.pictures:
            kinds = ", ".join(sorted(ENDINGS))
            raise DataError(f"{shown(location, 200)} holds no pictures; known endings: {kinds}")
        layout = _layout(listing, options, location)
        pixels = decode_partners(path, layout, _channels(options.signature), location)
        signature = options.signature or _signature(pixels, options)
        return _dataset(pixels, layout, signature, options, location, listing.findings())


def _check(options: ReadOptions) -> None:
    asked = [name for name in (options.target, options.group, options.time) if name]
    if asked and options.signature is None:
        raise ConfigError(f"pictures have no columns; leave out {listed(asked)}")
    if options.sigma is not None and not 0 < options.sigma <= 255:
        raise ConfigError(f"--sigma {options.sigma:g} is outside of (0, 255], the range of levels")


def _layout(listing: Listing, options: ReadOptions, location: str) -> NoisyLayout:
    """Return the pairs or single pictures that the options ask for."""
    either = (*CLEAN, *TWICE)
    if options.signature is not None:
        layout = noisy_layout(listing.pictures, either, either, location)
        output = options.signature.output
        assert isinstance(output, Picture)
        if options.judged and layout.second is None and output.sigma is None:
            raise DataError(
                f"{shown(location, 200)} has nothing to compare with: the model learnt from pairs\n"
                "put noisy pictures into noisy/ and the same ones without noise into clean/"
            )
        return layout
    learnt = TWICE if options.noisy_targets else CLEAN
    layout = noisy_layout(listing.pictures, learnt, either, location)
    if layout.second is None and options.sigma is None:
        raise ConfigError(_unpaired(listing, options, location))
    if layout.second is not None and options.sigma is not None:
        first = plain_name(str(layout.first[0].parent))
        raise ConfigError(f"the pictures of {shown(first)} are noisy already; leave out --sigma")
    return layout


def _unpaired(listing: Listing, options: ReadOptions, location: str) -> str:
    """Return what is missing: how strong the noise is, or where the other pictures are."""
    other = CLEAN if options.noisy_targets else TWICE
    pairs = noisy_layout(listing.pictures, other, other, location).second is not None
    where = shown(location, 200)
    if pairs and options.noisy_targets:
        return f"{where}: --noisy-targets wants noisy/ and noisy2/; leave it out for clean/"
    if pairs:
        return f"{where}: noisy/ and noisy2/ are both noisy; add --noisy-targets"
    return (
        f"{where} holds no noisy/ and clean/; say how strong the noise is that is added to these "
        "pictures: --sigma 25"
    )


def _channels(signature: Signature | None) -> int | None:
    if signature is None:
        return None
    assert isinstance(signature.input, Image)
    return signature.input.channels


def _signature(pixels: Partners, options: ReadOptions) -> Signature:
    _, channels, height, width = pixels.first.shape
    image = Image(channels=channels, height=height, width=width, fit="pad")
    noise = Picture(channels=channels, sigma=options.sigma, noisy=options.noisy_targets)
    return Signature(input=image, output=noise)


def _dataset(
    pixels: Partners,
    layout: NoisyLayout,
    signature: Signature,
    options: ReadOptions,
    location: str,
    findings: list[Finding],
) -> Dataset:
    assert isinstance(signature.output, Picture)
    sealed = None if layout.sealed is None else np.array(layout.sealed, bool)[pixels.good]
    origin = Origin(location, pixels.names, "noisy", pixels.fingerprint, sealed)
    if options.signature is None and len(pixels.names) < 2:
        raise origin.error("one picture is no data to learn from", "add pictures")
    inputs, sizes = _levels(pixels.first), torch.from_numpy(pixels.sizes)
    targets = inputs if pixels.second is None else _levels(pixels.second)
    if options.signature is not None and not options.judged:
        targets = no_targets(signature.output)
    elif pixels.second is None:
        assert signature.output.sigma is not None, "without pairs, the noise is known"
        inputs = _noisy(inputs, pixels, signature.output.sigma)
    samples = Samples(inputs, targets, sizes=sizes)
    return origin.dataset(samples, signature, [*findings, *pixels.findings])


def _noisy(clean: Tensor, pixels: Partners, sigma: float) -> Tensor:
    """Add noise to what is real of each canvas."""
    noisy = clean.clone()
    for row, (height, width) in enumerate(pixels.sizes.tolist()):
        real = noisy[row, :, :height, :width]
        chance = generator(0, f"noise of {pixels.names[row]}")
        real += sigma * torch.randn(real.shape, generator=chance)
    return noisy


def _levels(planes: np.ndarray) -> Tensor:
    return torch.from_numpy(planes.astype(np.float32))


SOURCE = Noisy()
