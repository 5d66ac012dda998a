"""Which bundle comes when: cheapest first, and enough left for the end to keep all workers busy."""

import pytest

from gradatim.compare.bundles import Bundle, filling


class Named(Bundle):
    """A bundle of one rung, without the jobs."""

    @property
    def names(self) -> set[str]:
        return {self.jobs}  # type: ignore[arg-type]


def bundle(name: str, seconds: float) -> Bundle:
    return Named(name, seconds, 0.0)  # type: ignore[arg-type]


def ladder(*rungs: tuple[str, float, int]) -> list[Bundle]:
    return [bundle(name, seconds) for name, seconds, folds in rungs for _ in range(folds)]


def length(bundles: list[Bundle], workers: int) -> float:
    """How long a climb takes in which each worker takes the next bundle when it is free."""
    free = [0.0] * workers
    for each in bundles:
        free[free.index(min(free))] += each.seconds
    return max(free)


def test_shorter_work_fills_the_end():
    plain = ladder(("quick", 0.1, 5), ("trees", 0.7, 5), ("lenet", 1.4, 5), ("resnet", 6.0, 5))
    filled = filling(plain, 2)
    assert sorted(map(id, filled)) == sorted(map(id, plain))
    assert filled[:5] == plain[:5], "what is quick comes first all the same"
    at = max(i for i, each in enumerate(filled) if "resnet" in each.names)
    late = [each.seconds for each in filled[at + 1 :]]
    assert late == sorted(late, reverse=True)
    assert 6.0 <= sum(late) < 6.0 + 1.4
    best = sum(each.seconds for each in plain) / 2
    assert length(plain, 2) > best + 2.5
    assert length(filled, 2) < best + 1.0


@pytest.mark.parametrize("workers", [1, 2, 7])
def test_nothing_is_moved_that_would_not_help(workers):
    few = ladder(("majority", 0.001, 5), ("linear", 0.01, 5), ("vit", 60.0, 5))
    assert filling(few, workers) == few
    assert filling([], workers) == []
    alone = ladder(("vit", 60.0, 5))
    assert filling(alone, workers) == alone
