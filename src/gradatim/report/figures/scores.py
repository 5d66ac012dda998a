"""The axis that all ladder figures share: up is better, and the top of the ladder is legible."""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from gradatim.report.rungs import RungRow
from gradatim.report.svg import Frame, Scale, group, short, tag, write
from gradatim.report.words import plain, score

__all__ = ["Ladder", "score_range"]

ZOOM = 4  # how often the distance from the best to the median rung fits on the axis


def score_range(rows: Sequence[RungRow], higher: bool) -> tuple[float, float]:
    """Return the scores the axis spans; a far weaker rung would squash the others and stays out."""
    sign = 1 if higher else -1
    means = sorted((sign * row.score for row in rows if row.score is not None), reverse=True)
    best, median = means[0], means[len(means) // 2]
    floor = best - ZOOM * (best - median) if best > median else means[-1]
    shown = [value for row in rows for value in _values(row) if _near(row, sign, floor)]
    low, high = min(shown), max(shown)
    margin = 0.06 * (high - low) or 0.05 * abs(high) or 1.0
    return low - margin, high + margin


def _near(row: RungRow, sign: int, floor: float) -> bool:
    return row.score is not None and sign * row.score >= floor


def _values(row: RungRow) -> list[float]:
    return [value for value in (*row.folds, row.score) if value is not None]


@dataclass(frozen=True)
class Ladder:
    """Rungs side by side from left to right, their scores going up."""

    rows: Sequence[RungRow]
    chosen: str
    metric: str
    higher: bool
    width: float = 960
    depth: float = 250

    @property
    def flat(self) -> bool:
        """Tell whether the names are short enough to stand side by side."""
        longest = max(len(row.name) for row in self.rows)
        return longest * 8 + 10 <= (self.width - 76) / len(self.rows)

    @property
    def bottom(self) -> float:
        """Return where the axis ends."""
        return 34 + self.depth

    @property
    def height(self) -> float:
        """Return the height with the names, which may be slanted."""
        return self.bottom + (28 if self.flat else 82)

    @property
    def frame(self) -> Frame:
        """Return the axes."""
        top, bottom = 34.0, self.bottom
        low, high = score_range(self.rows, self.higher)
        start, stop = (bottom, top) if self.higher else (top, bottom)
        return Frame(Scale(0, len(self.rows), 62, self.width - 14), Scale(low, high, start, stop))

    def slot(self, place: int) -> float:
        """Return the middle of a rung's place."""
        return self.frame.x(place + 0.5)

    def hidden(self, row: RungRow) -> bool:
        """Tell whether the rung's mean lies off the axis."""
        scale = self.frame.y
        return row.score is None or not scale.low <= row.score <= scale.high

    def axes(self) -> Markup:
        """Return grid, names and the marks of rungs that lie off the axis."""
        better = "higher" if self.higher else "lower"
        title = f"{self.metric} ({better} is better)"
        return group([self.frame.rows(_tick, title), *map(self._name, range(len(self.rows)))])

    def _name(self, place: int) -> Markup:
        row, x, y = self.rows[place], self.slot(place), self.bottom + 18
        class_ = "name chosen" if row.name == self.chosen else "name"
        name = short(row.name, 20)
        turn = {"text_anchor": "middle" if self.flat else "end"}
        if not self.flat:
            turn["transform"] = f"rotate(-32 {x:.1f} {y:.1f})"
        title = tag("title", f"{short(row.name, 80)}: {score(row.score, self.metric)}")
        return group(
            [tag("text", name, title, x=x, y=y, class_=class_, **turn), *self._arrow(place)]
        )

    def _arrow(self, place: int) -> list[Markup]:
        row, x, bottom = self.rows[place], self.slot(place), self.bottom
        if not self.hidden(row):
            return []
        points = (
            f"{x - 5:.1f},{bottom - 12:.1f} {x + 5:.1f},{bottom - 12:.1f} {x:.1f},{bottom - 4:.1f}"
        )
        value = write(score(row.score, self.metric), x, bottom - 18, "value", text_anchor="middle")
        return [tag("polygon", points=points, class_="quiet-mark"), value]


def _tick(value: float) -> str:
    return f"{value:.10g}" if abs(value) < 1e6 else plain(value, 3)
