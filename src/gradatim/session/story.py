"""`story`: a story of the course, computed and drawn."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from gradatim.core.errors import ConfigError
from gradatim.explain.stories import STORIES
from gradatim.report.stories import STORY_PAGES
from gradatim.runs.files import write_bytes

__all__ = ["Story", "story"]


@dataclass(frozen=True)
class Story:
    """What was computed, in a sentence and in numbers, and the page that tells it."""

    facts: dict[str, Any]
    sentence: str
    page: Path


def story(name: str, *, seed: int = 0, out: Path | str | None = None) -> Story:
    """Tell a story of the course with numbers.

    Args:
        name: xor, vanishing, symmetry or memory.
        seed: all chance is a function of it.
        out: the page; by default runs/story-NAME.html.

    Raises:
        ConfigError: there is no such story, or the seed is negative.
    """
    if seed < 0:
        raise ConfigError(f"--seed {seed}: give 0 or more")
    tell = STORIES[name]
    with _one_thread():
        facts = tell(seed)
    page = Path(out) if out is not None else Path("runs") / f"story-{name}.html"
    write_bytes(page, STORY_PAGES[name](facts).encode())
    sentence = SENTENCES[name](facts)
    summary = {"story": name, "seed": seed, "sentence": sentence, "page": str(page)}
    return Story(summary | facts, sentence, page)


@contextmanager
def _one_thread() -> Iterator[None]:
    """Compute with one thread: on small networks several wait for one another."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def _xor(facts: dict[str, Any]) -> str:
    said = [f"{p['problem']} by {p['learner']}: {4 - p['wrong']} of 4" for p in facts["panels"]]
    return f"{'; '.join(said)}. The convex hulls of XOR's classes overlap: no line parts them."


def _vanishing(facts: dict[str, Any]) -> str:
    said = [f"{r['name']}: {r['accuracy']:.1%} right" for r in facts["runs"]]
    gradients = facts["runs"][0]["gradients"]
    smaller = float(f"{gradients[-1] / gradients[0]:.1g}")
    return (
        f"{'; '.join(said)} (guessing: {facts['chance']:.1%}). In the sigmoid network the first "
        f"layer's gradient is {smaller:,.0f} times smaller than the last one's."
    )


def _symmetry(facts: dict[str, Any]) -> str:
    width = facts["width"]
    said = [
        f"{r['name']}: {r['units'][-1]} distinct of {width} units, {r['accuracy']:.1%} right"
        for r in facts["runs"]
    ]
    return f"{'; '.join(said)}. Equal units stay equal because of symmetry, not of weight sharing."


def _memory(facts: dict[str, Any]) -> str:
    said = [f"{r['name']}: {r['error']:.4f}" for r in facts["runs"]]
    half = facts["length"] // 2
    plain, lstm = (r["after"][half - 1] for r in facts["runs"][:2])
    return (
        f"Mean squared error on new sequences of {facts['length']} steps: {'; '.join(said)} "
        f"(answering 1: {facts['constant']:.4f}). The gradient by state {half} is {plain:.0e} "
        f"in the plain RNN, {lstm:.0e} in the LSTM."
    )


SENTENCES = {"xor": _xor, "vanishing": _vanishing, "symmetry": _symmetry, "memory": _memory}
