"""`gradatim story`."""

import sys
from pathlib import Path
from typing import Literal

from gradatim.cli.options import Json, Whole, print_json

__all__ = ["story"]


def story(
    name: Literal["xor", "vanishing", "symmetry", "memory"],
    /,
    *,
    seed: Whole = 0,
    out: Path | None = None,
    json: Json = False,
) -> None:
    """Tell a story of the course with numbers: xor, vanishing, symmetry or memory.

    Parameters
    ----------
    name
        xor: what one neuron cannot learn. vanishing: why ten sigmoid layers learn nothing.
        symmetry: why weights must not begin equal. memory: what an LSTM keeps and a plain RNN
        does not; half a minute of computing.
    seed
        All chance is a function of it.
    out
        The page; runs/story-NAME.html by default.
    json
        Print one JSON object.
    """
    from gradatim.session.story import story as tell

    told = tell(name, seed=seed, out=out)
    if json:
        print_json(told.facts)
        return
    sys.stdout.write(f"{told.sentence}\nPage: {told.page}\n")
