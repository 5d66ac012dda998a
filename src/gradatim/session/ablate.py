"""`ablate`: what each regulariser of a rung bought, on the same folds and seeds."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from time import monotonic
from typing import Any, Unpack

from torch import Tensor

from gradatim.compare.effects import effect_of
from gradatim.compare.job import Work
from gradatim.compare.variant import Variant
from gradatim.core.errors import ConfigError, NumericError
from gradatim.report.ablation import ablation_page, said_of
from gradatim.runs.files import finish_all, write_bytes, write_json
from gradatim.runs.folder import command_of, open_run
from gradatim.runs.lock import locked
from gradatim.session.data_options import Chosen, CompareOptions
from gradatim.session.ground import Ground, Watch, compare_on, ground
from gradatim.session.objects import settings_from, work_for
from gradatim.session.switches import Switch, switches

__all__ = ["Ablation", "ablate"]

BASE = "as it is"
LOOK = 20  # rows that tell what the network reads


@dataclass(frozen=True)
class Ablation:
    """A finished ablation: its folder, and what each regulariser bought."""

    folder: Path
    board: dict[str, Any]

    @property
    def report(self) -> Path:
        """The HTML page."""
        return self.folder / "report.html"


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
) -> Ablation:
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
    begun, seed = monotonic(), int(seed)
    chosen = Chosen.of(ablate, target, options)
    place = ground(data, chosen, rung, seed)
    changes = settings_from(recipe, settings)
    base = _work(place, BASE, changes)
    found = switches(base, _features(place, base), only)
    works = [base, *(_work(place, s.name, _merged(changes, s.changes)) for s in found)]
    question = {**place.question, "job": "ablate", "rope": chosen.rope, "works": _asked(works)}
    where = Path(out) if out is not None else None
    name = f"{place.data.name}-{rung}-ablation"
    folder = open_run(where, name, question, command or "gradatim.ablate(...)")
    deadline = chosen.deadline(begun)
    with locked(folder):
        board = _compare(place, works, found, folder, deadline, chosen.rope, watch)
        board |= {"command": command_of(folder), "seconds": monotonic() - begun}
        board |= {"run": str(folder), "report": str(folder / "report.html")}
        write_json(folder / "ablation.json", board)
        write_bytes(folder / "report.html", ablation_page(board).encode())
        finish_all(folder)
    return Ablation(folder, board)


def _compare(
    place: Ground,
    works: Sequence[Work],
    found: Sequence[Switch],
    folder: Path,
    deadline: float,
    rope: float | None,
    watch: Watch | None,
) -> dict[str, Any]:
    variants = [Variant(w.name, k, "one regulariser changed") for k, w in enumerate(works)]
    ladder = compare_on(
        place,
        works,
        variants,
        folder,
        deadline=deadline,
        rope=rope,
        reference=BASE,
        watch=watch,
    )
    base, *others = ladder.rows
    if base["status"] != "ok":
        raise NumericError(
            f"{place.rung.name} {base['status']}: {base['reason']}\n{base['remedy']}"
        )
    effects = [
        _told(switch) | effect_of(row, switch.on) for switch, row in zip(found, others, strict=True)
    ]
    board = place.facts() | {"rope": ladder.rope, "base": base, "effects": effects}
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
    """Return some training rows as the network reads them."""
    inputs = place.data.samples.inputs[place.split.training[:LOOK]]
    build = getattr(base.rung, "build", None)
    if build is None:
        raise ConfigError(f"{base.rung.name} builds no network")
    preprocess = build(base.signature, {}).preprocess
    return preprocess.fit(inputs)(inputs)


def _merged(base: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for key, value in changes.items():
        old = merged.get(key, {})
        merged[key] = _merged(old, value) if isinstance(value, dict) else value
    return merged


def _asked(works: Sequence[Work]) -> dict[str, Any]:
    return {
        w.name: {"rung": w.rung.model_dump(mode="json"), "recipe": w.recipe.model_dump(mode="json")}
        for w in works
    }
