"""What one rank does in test_distributed.py: `ranks_at_work.py SCENE,SCENE FOLDER`.

The leader leaves what was seen in FOLDER/SCENE.json.
"""

import json
import os
import signal
import sys
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import Any

import torch
from sklearn.datasets import load_digits
from torch import Tensor, nn

from gradatim.core.errors import ConfigError, DataError, NumericError
from gradatim.core.recipe import OptimizerChoice, Recipe
from gradatim.core.samples import Samples
from gradatim.core.signature import Category, Column, Signature, Table
from gradatim.models import RUNGS
from gradatim.tasks import TASKS
from gradatim.train.distributed.joining import together
from gradatim.train.distributed.party import ALONE, Party
from gradatim.train.fitting import Fitting
from gradatim.train.interrupts import asked, listening, patiently

STEPS = 60
UNEVEN = 51  # rows a batch, which neither two ranks nor four can share evenly


def fitting(
    party: Party = ALONE, *, rows: int = 600, dropout: float = 0.0, **changes: Any
) -> Fitting:
    """A fit on digits, with clipping and a penalty, so that all of the loss is there."""
    data = load_digits()
    inputs, targets = torch.from_numpy(data.data[:rows]), torch.from_numpy(data.target[:rows])
    columns = tuple(Column(name=f"p{i}", kind="numeric") for i in range(64))
    signature = Signature(input=Table(columns=columns), output=Category(names=tuple("0123456789")))
    optimizer = OptimizerChoice(name=changes.pop("optimizer", "adamw"), lr=2e-3)
    choices = {"epochs": 30, "batch": UNEVEN, "clip": 0.5, "l2": 1e-3} | changes
    rung = RUNGS["mlp"].parse({"width": 32, "dropout": dropout})
    recipe = Recipe(optimizer=optimizer, **choices)
    return Fitting(
        rung, TASKS["classify"], Samples(inputs, targets.long()), signature, recipe, party
    )


def curve(fit: Fitting, steps: int = STEPS) -> dict[str, list[float]]:
    """Loss and gradient of every step, the held-out loss of every epoch, the weights at the end."""
    seen: dict[str, list[float]] = {"loss": [], "norm": [], "held": []}
    descend = fit.learner.descend

    def watched(*terms: Any) -> tuple[Tensor, Tensor]:
        loss, norm = descend(*terms)
        seen["loss"].append(loss.item())
        seen["norm"].append(norm.item())
        return loss, norm

    fit.learner.descend = watched  # type: ignore[method-assign]
    for record in fit:
        seen["held"].append(record.values["validation_loss"])
        if len(seen["loss"]) >= steps:
            break
    fit.finish()
    network = fit.model.network
    return seen | {"weights": torch.cat([p.flatten() for p in network.parameters()]).tolist()}


def curves(party: Party, folder: Path) -> dict[str, Any]:
    """Fits with and without --shard, and with fewer rows a batch than ranks."""
    return {
        "uneven": curve(fitting(party)),
        "empty": curve(fitting(party, rows=50, batch=1), 1),
        "dropout": curve(fitting(party, dropout=0.5), 1)["loss"],
    }


def meetings(party: Party, folder: Path) -> dict[str, Any]:
    """Pauses, and a request to stop that one rank hears alone."""
    fit, pauses = fitting(party, epochs=10_000, patience=10_000), []
    with listening(), patiently(), party.watching():
        for said in fit.run(0.02):
            if not said:
                pauses.append(fit.step)
                if len(pauses) == 3 and party.rank == 1:
                    os.kill(os.getpid(), signal.SIGTERM)
            if heard := asked():
                break
    party.same("pauses", json.dumps([*pauses, fit.step]))
    return {"pauses": pauses, "stopped": fit.step, "heard": heard}


def words(party: Party, folder: Path) -> dict[str, Any]:
    """Agreement, and what the leader tells."""
    seen: dict[str, Any] = {
        "any": party.agree(party.rank == 1),
        "none": party.agree(False),
        "told": party.told(lambda: b"said by %d" % party.rank).decode(),
        "nothing": party.told(lambda: b"").decode(),
    }
    party.same("text", "equal")
    seen["differ"] = _raised(DataError, lambda: party.same("data", str(party.rank)))
    return seen


def nan(party: Party, folder: Path) -> dict[str, Any]:
    """One answer of one rank is NaN at step 3: all stop there, and no parameter moves."""
    fit = fitting(party)
    network = fit.model.network
    forward, before = network.forward, [p.clone() for p in network.parameters()]

    def broken(inputs: Tensor) -> Tensor:
        bad = fit.step == 3 and party.rank == 1
        if fit.step == 3:
            before[:] = [p.detach().clone() for p in network.parameters()]
        return forward(inputs) * float("nan") if bad else forward(inputs)

    network.forward = broken  # type: ignore[method-assign]
    said = _raised(NumericError, lambda: list(fit))
    after = list(network.parameters())
    same = all(torch.equal(a, b) for a, b in zip(before, after, strict=True))
    party.same("error", f"{said} {fit.step}")
    return {"error": said, "step": fit.step, "unmoved": not party.agree(not same)}


def parts(party: Party, folder: Path) -> dict[str, Any]:
    """Checkpoints in parts: the newest is found; a damaged one is passed over."""
    fit = fitting(party)
    store = party.checkpoints(folder / "checkpoints", {"fit": "x"}, fit.state_dict)
    seen: dict[str, Any] = {"nothing": store.restore() is None, "sums": []}
    for record in islice(fit, 3):
        store.save(record.step, fit.state_dict())
        seen["sums"].append(_sums(fit))
    again = fitting(party)
    step, state = store.restore() or (0, {})
    again.load_state_dict(state)
    seen |= {"step": step, "again": _sums(again), "kept": _kept(folder)}
    if party.leads:
        newest = max(
            (folder / "checkpoints").glob("parts-*"), key=lambda p: int(p.name.split("-")[1])
        )
        shard = sorted(newest.iterdir())[-1]
        content = bytearray(shard.read_bytes())
        content[-1] ^= 1
        shard.write_bytes(content)
    older, state = store.restore() or (0, {})
    again.load_state_dict(state)
    seen |= {"older": older, "before": _sums(again), "rest": curve(again, 10)["loss"]}
    return seen


def reread(party: Party, folder: Path) -> dict[str, Any]:
    """What another number of ranks finds, and how it goes on from there."""
    fit = fitting(party)
    found = party.checkpoints(folder / "checkpoints", {"fit": "x"}, fit.state_dict).restore()
    step, state = found or (0, {})
    fit.load_state_dict(state)
    return {"step": step, "sums": _sums(fit), "rest": curve(fit, 10)}


def refusals(party: Party, folder: Path) -> dict[str, Any]:
    """Optimizers and layers that ranks cannot take part in."""
    return {
        name: _raised(ConfigError, lambda name=name: fitting(party, optimizer=name))
        for name in ("lbfgs", "newton", "evolution", "muon", "sgd")
    }


def norm(party: Party, folder: Path) -> dict[str, Any]:
    """Two layers with batch normalisation between them, on 7 rows; and the same in one process."""
    chance = torch.Generator().manual_seed(0)
    rows = torch.randn(7, 4, 3, 3, dtype=torch.float64, generator=chance)
    seen = []
    for spread in (ALONE.spread, party.spread):
        torch.manual_seed(0)
        layers = nn.Conv2d(4, 5, 3), nn.BatchNorm2d(5), nn.Flatten(), nn.Linear(5, 2), nn.Tanh()
        network = nn.Sequential(*layers).double()
        trained = spread(network)
        for _ in range(2):
            network.zero_grad()
            trained(rows).square().mean().backward()
        slopes = [p.grad for p in network.parameters() if p.grad is not None]
        seen.append([_full(t).flatten() for t in (*slopes, *network.state_dict().values())])
    return {"largest": max((a - b).abs().max().item() for a, b in zip(*seen, strict=True))}


def raises(party: Party, folder: Path) -> dict[str, Any]:
    """One rank has no memory left, in the middle of a step: it may not cut its batch alone."""
    fit = fitting(party)
    if party.rank == 1:
        fit.learner.model.register_forward_pre_hook(_trouble)
    list(fit)
    return {}


def _trouble(*arguments: Any) -> None:
    raise torch.OutOfMemoryError("no room left")


def _raised(kind: type[Exception], call: Callable[[], Any]) -> str:
    try:
        call()
    except kind as error:
        return str(error)
    return ""


def _sums(fit: Fitting) -> list[float]:
    """A sum of every tensor of the state: equal for equal states, however they are divided."""
    state = {name: _full(tensor) for name, tensor in fit.state_dict().items()}
    return [state[name].double().sum().item() for name in sorted(state)]


def _full(tensor: Any) -> Tensor:
    return tensor.full_tensor() if hasattr(tensor, "full_tensor") else tensor


def _kept(folder: Path) -> dict[str, int]:
    home = folder / "checkpoints"
    return {kind: len(list(home.glob(f"{kind}-*"))) for kind in ("parts", "step")}


def main() -> None:
    """Play scenes, one after the other; one that ends in + with every parameter divided."""
    from gradatim.train.distributed.ranks import Ranks

    scenes, folder = sys.argv[1].split(","), Path(sys.argv[2])
    with together(shard=scenes[-1].endswith("+")) as party:
        for scene in scenes:
            shard = scene.endswith("+")
            again = Ranks(party.device, shard, party.watch) if isinstance(party, Ranks) else party
            seen = globals()[scene.strip("+")](again, folder)
            if party.leads:
                (folder / f"{scene}.json").write_text(json.dumps(seen))


if __name__ == "__main__":
    try:
        main()
    except Exception as error:
        sys.stderr.write(f"{type(error).__name__}: {error}\n")
        sys.exit(getattr(error, "exit_code", 70))
