"""`story`: a story of the course, computed and drawn."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

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
        name: xor, vanishing or symmetry.
        seed: all chance is a function of it.
        out: the page; by default runs/story-NAME.html.

    Raises:
        ConfigError: there is no such story, or the seed is negative.
    """
    if seed < 0:
        raise ConfigError(f"--seed {seed}: give 0 or more")
    facts = STORIES[name](seed)
    page = Path(out) if out is not None else Path("runs") / f"story-{name}.html"
    write_bytes(page, STORY_PAGES[name](facts).encode())
    sentence = SENTENCES[name](facts)
    summary = {"story": name, "seed": seed, "sentence": sentence, "page": str(page)}
    return Story(summary | facts, sentence, page)


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


SENTENCES = {"xor": _xor, "vanishing": _vanishing, "symmetry": _symmetry}
