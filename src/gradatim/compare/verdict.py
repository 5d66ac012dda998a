"""From scores to words: the simplest rung that is practically as good as the best."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

__all__ = ["SURE", "Standing", "Verdict", "verdict"]

SURE = 0.95
"""Probability at which something counts as shown (Benavoli et al. 2017)."""


@dataclass(frozen=True)
class Standing:
    """One rung's place: its mean score (higher is better here) and how it compares to the best.

    `worse`, `equal`, `better` are the probabilities that it is practically worse than, equal to or
    better than the best rung; they sum to 1.
    """

    rung: str
    deep: bool
    dummy: bool
    goodness: float
    worse: float
    equal: float
    better: float


@dataclass(frozen=True)
class Verdict:
    """The chosen rung and why, in words that a board understands."""

    rung: str
    headline: str
    reason: str
    clear: bool
    deep: Literal["pays", "does not pay", "unclear", "not tried"]

    def as_dict(self) -> dict[str, Any]:
        """Return the verdict under its names."""
        return asdict(self)


def verdict(ladder: Sequence[Standing], rope: float, scores: Mapping[str, str]) -> Verdict:
    """Choose the simplest rung whose mean is within the rope of the best and not shown worse.

    "No clear winner" is said when a simpler rung than the chosen one is not shown to be worse than
    the best, or when the chosen one is neither shown worse nor as good and practical equality is
    not even the likeliest of the three.

    Args:
        ladder: the rungs that were scored, from simple to deep; at least one.
        rope: a difference below this means nothing in practice, in units of the metric.
        scores: each rung's score as text, for the reason.
    """
    best = max(ladder, key=lambda s: s.goodness)
    fit = [s for s in ladder if best.goodness - s.goodness <= rope and s.worse < SURE]
    chosen = fit[0]
    simpler = [s for s in ladder[: ladder.index(chosen)] if s.worse < SURE]
    torn = chosen is not best and chosen.worse > 1 - SURE and chosen.equal < 0.5
    clear = not simpler and not torn
    deep = _deep(ladder, chosen)
    headline = _headline(chosen, best, clear, deep)
    reason = _reason(chosen, best, rope, scores)
    if simpler:
        names = " and ".join(s.rung for s in simpler[-2:])
        reason += f" Not shown to be worse on these folds, and simpler: {names}."
    if deep == "does not pay":
        reason += " Deep networks are not practically better."
    return Verdict(chosen.rung, headline, reason, clear, deep)


def _deep(
    ladder: Sequence[Standing], chosen: Standing
) -> Literal["pays", "does not pay", "unclear", "not tried"]:
    if not any(s.deep for s in ladder):
        return "not tried"
    if not chosen.deep:
        return "does not pay"
    rivals = [s for s in ladder if not s.deep]
    return "pays" if all(s.worse >= SURE for s in rivals) else "unclear"


def _headline(chosen: Standing, best: Standing, clear: bool, deep: str) -> str:
    if chosen.dummy:
        return f"Nothing beats {chosen.rung}, which does not even look at the data"
    if not clear:
        lead = "it leads" if chosen is best else "the simplest of those that lead"
        return f"No clear winner: take {chosen.rung}, {lead}"
    ending = {
        "does not pay": "; deep learning does not pay here",
        "pays": "; deep learning pays here",
        "unclear": "; whether deep learning pays is not yet shown",
    }.get(deep, "")
    if chosen is best:
        return f"Take {chosen.rung}: it scores best{ending}"
    return f"Take {chosen.rung}: practically as good as the best{ending}"


def _reason(chosen: Standing, best: Standing, rope: float, scores: Mapping[str, str]) -> str:
    if chosen is best:
        return (
            f"{chosen.rung} has the best mean score ({scores[chosen.rung]}); "
            f"the mean of every simpler rung is behind by more than {rope:.3g}."
        )
    behind = best.goodness - chosen.goodness
    return (
        f"{chosen.rung} ({scores[chosen.rung]}) is {behind:.2g} behind {best.rung} "
        f"({scores[best.rung]}), less than the {rope:.2g} that matters in practice; "
        f"the probability that it is worse by more than that is {chosen.worse:.2f}."
    )
