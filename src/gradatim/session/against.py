"""Two models on the same rows: how much better is one, and how sure is that?"""

from pathlib import Path
from typing import Any

from gradatim.core.errors import ConfigError
from gradatim.core.samples import Samples
from gradatim.core.signature import Image, Signature
from gradatim.evaluate.judge import known
from gradatim.ops.intervals import paired_bootstrap
from gradatim.session.load import load

__all__ = ["held_against"]


def held_against(run: Path, other: Path, samples: Samples) -> dict[str, Any]:
    """Return the paired difference of two models on rows that neither has seen.

    Args:
        run: whose model is the candidate, and whose metric decides.
        other: whose model it is held against.
        samples: coded as both signatures say.

    Returns:
        `run, rung, score` of the other model, and `difference, low, high`: positive means that the
        candidate is better; the 95 % interval is the paired bootstrap's over rows or groups.

    Raises:
        ConfigError: the models answer different questions.
    """
    (model, card, task), (rival, its_card, its_task) = load(run), load(other)
    if _meaning(card.signature) != _meaning(its_card.signature) or task.name != its_task.name:
        text = f"{run} and {other} learnt from other columns, classes or sizes"
        raise ConfigError(f"{text}; hold models against each other that learnt from the same data")
    metric = task.metrics[card.metric]
    ours = task.read(task.answers(model, samples), samples)
    theirs = its_task.read(its_task.answers(rival, samples), samples)
    low, high = paired_bootstrap(
        lambda rows: metric.sign * metric(ours[0][rows], ours[1][rows]),
        lambda rows: metric.sign * metric(theirs[0][rows], theirs[1][rows]),
        len(samples),
        None if samples.groups is None else samples.groups.numpy(),
    )
    score = metric(*theirs)
    return {
        "run": str(other),
        "rung": its_card.rung,
        "score": known(score),
        "difference": known(metric.sign * (metric(*ours) - score)),
        "low": known(low),
        "high": known(high),
    }


def _meaning(signature: Signature) -> dict[str, Any]:
    """Return what two models must share to answer the same rows: not how they were taught."""
    canvas = isinstance(signature.input, Image) and signature.input.fit == "pad"
    left_out = {"input": {"height", "width"} if canvas else set(), "output": {"noisy", "sigma"}}
    return signature.model_dump(exclude=left_out)
