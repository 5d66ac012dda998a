"""`fit`: one rung on the training rows, with the recipe of the user's choice."""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from os import fsdecode
from pathlib import Path
from time import monotonic
from typing import Any, Unpack

import torch

from gradatim import __version__
from gradatim.compare.costs import measure
from gradatim.compare.gallery import keep_evidence
from gradatim.compare.job import Work
from gradatim.core.errors import ConfigError
from gradatim.core.rung import Model, Solved
from gradatim.data.doctor import inspection
from gradatim.data.splits import partition
from gradatim.runs import disk
from gradatim.runs.files import finish_all, write_json
from gradatim.runs.folder import command_of, open_run
from gradatim.runs.lock import locked
from gradatim.runs.model_folder import load_model, save_model
from gradatim.session.budgets import Budgets, kept
from gradatim.session.data_options import Chosen, DataOptions
from gradatim.session.features import equipped
from gradatim.session.objects import (
    choose_metric,
    choose_rungs,
    settings_from,
    task_for,
    work_for,
)
from gradatim.train.distributed.joining import together
from gradatim.train.distributed.party import Party
from gradatim.train.fitting import Fitting
from gradatim.train.lasting import CHECKPOINTS, RECORDS, Lasting
from gradatim.train.loop import Record

__all__ = ["Fit", "fit"]

REST = 2.0
"""Seconds that are left for measuring and saving the model."""
LATE = "the time was over before the training was: the weights are those of the best epoch so far"

Watch = Callable[[Record], None]


@dataclass(frozen=True)
class Fit:
    """A fitted rung: its folder and what is known of it."""

    folder: Path
    summary: dict[str, Any]

    @cached_property
    def model(self) -> Model:
        """The fitted model."""
        return load_model(self.folder / "model")[0]


def fit(
    data: Any,
    target: str | None = None,
    *,
    rung: str,
    settings: Sequence[str] = (),
    recipe: Path | None = None,
    seed: int = 0,
    out: Path | str | None = None,
    command: str | None = None,
    watch: Watch | None = None,
    shard: bool = False,
    **options: Unpack[DataOptions],
) -> Fit:
    """Fit one rung on the training rows of the data; the sealed test split stays closed.

    Where torchrun has started several processes, they train one model together; the first of them
    writes the folder, and the summary of the others is empty.

    Args:
        data: as for `climb`.
        target: the column to predict.
        rung: its name.
        settings: changes such as "optimizer.lr=0.1" or "model.width=64".
        recipe: a TOML file of settings.
        seed: of the split and the fit.
        out: the run folder.
        command: how the user asked, for the model card.
        watch: called with every record.
        shard: whether each of several processes holds a part of the network only.
        options: keywords of `DataOptions`, such as metric, group and drop.

    Raises:
        GradatimError: data, settings or resources do not allow it; the message says what to do.
    """
    begun, seed = monotonic(), int(seed)
    chosen = Chosen.of(fit, target, options)
    chosen.check(seed)
    with together(shard) as party:
        dataset, split = partition(chosen.open(data), seed=seed)
        job = task_for(dataset.signature)
        judge = choose_metric(job, chosen.metric, dataset)
        choice = choose_rungs([rung])[0]
        refusal = choice.refusal(dataset.signature)
        if refusal is not None:
            raise ConfigError(f"{rung} does not take {dataset.name}: {refusal}")
        if party.size > 1 and isinstance(choice, Solved):
            raise ConfigError(f"{rung} is solved, not trained: leave out torchrun, one is enough")
        changes = settings_from(recipe, settings)
        work = work_for(choice, job, dataset.signature, len(split.training), seed, changes)
        question = chosen.question() | {
            "job": "fit",
            "data": dataset.source,
            "fingerprint": dataset.fingerprint,
            "split_hash": split.hash,
            "metric": judge.name,
            "seed": seed,
            "rung": rung,
            "settings": work.rung.model_dump(mode="json"),
            "recipe": work.recipe.model_dump(mode="json"),
            "gradatim": __version__,
        }
        question |= {"shard": True} if shard else {}
        party.same("data, settings or version", json.dumps(question, sort_keys=True))
        place, name = Path(out) if out is not None else None, f"{dataset.name}-{rung}"
        said = command or "gradatim.fit(...)"
        folder = Path(fsdecode(party.told(lambda: bytes(open_run(place, name, question, said)))))
        with _leading(party, folder, chosen.budgets):
            if party.leads:
                keep_evidence(folder, dataset, split)
                write_json(folder / "inspection.json", inspection(dataset))
                equipped(job, dataset, split, folder, seed)  # for those who will evaluate it
            rows = dataset.samples.take(split.training)
            fitting = Fitting(work.rung, job, rows, dataset.signature, work.recipe, party)
            notes = _train(folder, fitting, question, chosen.deadline(begun) - REST, watch)
            if not party.leads:
                return Fit(folder, {})
            epochs = len((folder / RECORDS).read_bytes().splitlines())
            summary = _summary(work, fitting, dataset.source, judge.name, split.hash)
            summary |= {"seconds": monotonic() - begun, "epochs": epochs, "run": str(folder)}
            summary["note"] = "; ".join(filter(None, [summary["note"], *notes]))
            summary |= {"command": command_of(folder), "train_rows": len(split.training)}
            _save(folder, work, fitting.model, judge.name, summary)
    return Fit(folder, summary)


@contextmanager
def _leading(party: Party, folder: Path, budgets: Budgets) -> Iterator[None]:
    """Hold the folder and watch the budgets while the block runs, on the rank that leads."""
    if not party.leads:
        yield
        return
    with locked(folder), kept(budgets, folder):
        yield


def _train(
    folder: Path, fitting: Fitting, question: dict[str, Any], deadline: float, watch: Watch | None
) -> list[str]:
    """Train to the end, or to the deadline; return what the user should know of it."""
    asked = json.dumps(question, sort_keys=True).encode()
    meaning = {"fit": sha256(asked).hexdigest(), "gradatim": __version__}
    lasting = Lasting(fitting, folder, meaning, deadline)
    with _flushing():
        for _, record in lasting:
            if watch is not None and fitting.party.leads:
                watch(record)
    return [*lasting.store.notes, *([LATE] if lasting.late else [])]


@contextmanager
def _flushing() -> Iterator[None]:
    """Take numbers below 1e-38 for 0, as workers do: they make steps 2.5 times as long.

    This process belongs to the user, who may want them afterwards.
    """
    before = torch.tensor(1e-40).mul(1).item() == 0
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(before)


def _summary(work: Work, fitting: Fitting, data: str, metric: str, split: str) -> dict[str, Any]:
    costs = measure(fitting.model, work.task.asked(fitting.samples))
    return {
        "data": data,
        "task": work.task.name,
        "metric": metric,
        "split_hash": split,
        "rung": work.rung.name,
        "settings": work.rung.model_dump(mode="json"),
        "recipe": work.recipe.model_dump(mode="json"),
        "note": getattr(fitting.model.network, "note", ""),
    } | costs.as_dict()


def _save(folder: Path, work: Work, model: Model, metric: str, summary: dict[str, Any]) -> None:
    card = (
        f"# {work.rung.name}\n\nFitted on {summary['train_rows']} rows; the sealed test split is "
        f"unopened: `gradatim evaluate {folder}` opens it.\n\nMade by `{summary['command']}`\n"
    )
    save_model(folder / "model", model, work.rung, work.signature, work.task.name, metric, card)
    write_json(folder / "fit.json", summary)
    finish_all(folder, without=CHECKPOINTS)  # first: a kill in between must cost no training
    disk.remove_tree(folder / CHECKPOINTS)
