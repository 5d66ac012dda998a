"""`ablate`: what each regulariser of a rung bought, on the same folds and seeds."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Unpack

from torch import Tensor

from gradatim.compare.effects import effect_of
from gradatim.compare.job import Work
from gradatim.compare.leaderboard import Ladder
from gradatim.compare.variant import Variant
from gradatim.core.errors import ConfigError, NumericError
from gradatim.core.signature import Game
from gradatim.report.ablation import ablation_page, said_of
from gradatim.session.comparison import Comparison, Telling, Watch, carry_out
from gradatim.session.data_options import Chosen, CompareOptions
from gradatim.session.ground import Ground, ground
from gradatim.session.objects import merged, settings_from, work_for
from gradatim.session.switches import Switch, switches

__all__ = ["ablate"]

BASE = "as it is"
LOOK = 20  # rows that tell what the network reads


def ablate(
    data: Any,
    target: str | None = None,
    *,
    rung: str,
    only: Sequence[str] = (),
    settings: Sequence[str] = (),
    recipe: Path | None = None,
    seed: int = 0,
    out: Path | str | None = None,
    command: str | None = None,
    watch: Watch | None = None,
    **options: Unpack[CompareOptions],
) -> Comparison:
    """Fit a rung without each regulariser that it uses, and with each that it does not use.

    One at a time, on the same folds and from the same seeds; the sealed test part stays closed. An
    ablation that was cut off goes on when the same is asked again.

    Args:
        data: as for `climb`.
        target: the column to predict.
        rung: the name of a trained rung.
        only: regularisers to look at, such as weight_decay and dropout; all by default.
        settings: changes to the recipe that is looked at, such as "epochs=10".
        recipe: a TOML file of settings.
        seed: of splits and fits.
        out: the run folder.
        command: how the user asked, for the report.
        watch: called with everything that happens.
        options: keywords of `CompareOptions`, such as metric, group, drop and folds.

    Raises:
        GradatimError: data, settings or resources do not allow it; the message says what to do.
    """
    chosen = Chosen.of(ablate, target, options)
    place = ground(data, chosen, rung, int(seed))
    changes = settings_from(recipe, settings)
    base = _work(place, BASE, changes)
    found = switches(base, _features(place, base), only)
    works = [base, *(_work(place, s.name, merged(changes, s.changes)) for s in found)]
    variants = [Variant(w.name, k, "one regulariser changed") for k, w in enumerate(works)]

    def board(folder: Path, ladder: Ladder, facts: dict[str, Any]) -> dict[str, Any]:
        return _board(ladder, found, facts)

    telling = Telling("ablate", "ablation", board, ablation_page, BASE)
    return carry_out(place, works, variants, telling, out=out, command=command, watch=watch)


def _board(ladder: Ladder, found: Sequence[Switch], facts: dict[str, Any]) -> dict[str, Any]:
    base, *others = ladder.rows
    if base["status"] != "ok":
        raise NumericError(f"{facts['rung']} {base['status']}: {base['reason']}\n{base['remedy']}")
    effects = [
        _told(switch) | effect_of(row, switch.on) for switch, row in zip(found, others, strict=True)
    ]
    board = facts | {"base": base, "effects": effects}
    for effect in effects:
        effect["sentence"] = said_of(effect, board)
    return board


def _told(switch: Switch) -> dict[str, Any]:
    return asdict(switch) | {"spoken": switch.spoken}


def _work(place: Ground, name: str, changes: Mapping[str, Any]) -> Work:
    rows, seed = len(place.split.training), place.question["seed"]
    work = work_for(place.rung, place.task, place.data.signature, rows, seed, changes)
    return Work(work.rung, work.recipe, work.task, work.signature, name)


def _features(place: Ground, base: Work) -> Tensor:
    """Return some training rows as the network reads them; of games, their seeds."""
    inputs = place.data.samples.inputs[place.split.training[:LOOK]]
    if isinstance(base.signature.input, Game):
        return inputs
    build = getattr(base.rung, "build", None)
    if build is None:
        raise ConfigError(f"{base.rung.name} builds no network")
    preprocess = build(base.signature, {}).preprocess
    return preprocess.fit(inputs)(inputs)
