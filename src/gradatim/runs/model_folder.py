"""A model folder: model.safetensors, model.json, README.md. Nothing in it is ever executed."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import safetensors
import torch
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from safetensors.torch import load_file, save
from torch import Tensor

from gradatim import __version__
from gradatim.core.errors import ConfigError, CorruptError
from gradatim.core.rung import Model, Rung
from gradatim.core.signature import Signature
from gradatim.models import RUNGS
from gradatim.runs.files import read_json, sha256, write_bytes, write_json

__all__ = ["ModelCard", "load_model", "save_model"]

SCHEMA = 1
WEIGHTS, CARD = "model.safetensors", "model.json"


class ModelCard(BaseModel):
    """What model.json says. The architecture is a name of the catalog, never a path to code."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format_version: Annotated[int, Field(strict=True, ge=1, le=SCHEMA)] = SCHEMA
    rung: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=64)]
    settings: dict[str, Any] = {}
    extents: dict[str, Annotated[int, Field(ge=0, le=1_000_000_000)]] = {}
    signature: Signature
    task: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=64)]
    metric: str
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")] = "0" * 64
    gradatim: str = __version__


def save_model(
    folder: Path, model: Model, rung: Rung, signature: Signature, task: str, metric: str, text: str
) -> None:
    """Write a model folder.

    Args:
        folder: made when it is not there.
        model: fitted.
        rung: that made it, with its settings.
        signature: of the data.
        task: its name.
        metric: that it was chosen by.
        text: the model card for people, as Markdown.

    Raises:
        CorruptError: a parameter is NaN or infinite; nothing is written.
    """
    state = {k: v.detach().contiguous() for k, v in model.state_dict().items()}
    _check_finite(state, "the model was not saved")
    card = ModelCard(
        rung=rung.file,
        settings=rung.model_dump(mode="json"),
        extents=model.extents,
        signature=signature,
        task=task,
        metric=metric,
    )
    # One entry only: safetensors writes several in any order, and equal models are equal bytes.
    write_bytes(folder / WEIGHTS, save(state, {"meaning": _meaning(card)}))
    write_bytes(folder / "README.md", text.encode())
    facts = card.model_dump(mode="json") | {"sha256": sha256(folder / WEIGHTS)}
    write_json(folder / CARD, facts)


def load_model(folder: Path) -> tuple[Model, ModelCard]:
    """Read a model folder, trusting nothing in it.

    The empty model is built without memory, then every shape is compared before a number is read.

    Raises:
        CorruptError: a file is missing, was changed, or does not fit; up to ten keys are listed.
    """
    card = _read_card(folder / CARD)
    path = folder / WEIGHTS
    if not path.is_file():
        raise CorruptError(f"{path} is missing; a model folder holds {WEIGHTS} and {CARD}")
    if sha256(path) != card.sha256:
        raise CorruptError(f"{path} is not the file that {CARD} describes; copy both again")
    try:
        rung = RUNGS[card.rung].parse(card.settings, "settings.")
        with torch.device("meta"):
            model = rung.build(card.signature, card.extents)
    except (ConfigError, KeyError, RuntimeError, ValueError, AssertionError) as error:
        raise CorruptError(f"{folder / CARD} describes no model: {error}") from error
    state = _read_weights(path, model.state_dict(), _meaning(card))
    _check_finite(state, f"{path} is refused")
    model.load_state_dict(state, strict=True, assign=True)
    return model.requires_grad_(False).eval(), card


def _read_card(path: Path) -> ModelCard:
    raw = read_json(path)
    version = raw.get("format_version") if isinstance(raw, dict) else None
    if isinstance(version, int) and version > SCHEMA:
        raise CorruptError(f"{path} was written by a newer gradatim; upgrade to read it")
    try:
        return ModelCard.model_validate(raw)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise CorruptError(f"{path}: {where}: {first['msg']}; copy the folder again") from error


def _meaning(card: ModelCard) -> str:
    """Return a hash of what the numbers mean: another class name would not show in them."""
    facts = card.model_dump(
        mode="json", include={"rung", "settings", "extents", "signature", "task"}
    )
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


def _read_weights(path: Path, expected: Mapping[str, Tensor], meaning: str) -> dict[str, Tensor]:
    try:
        with safetensors.safe_open(path, "pt") as file:
            found = {key: tuple(file.get_slice(key).get_shape()) for key in file.keys()}  # noqa: SIM118  a safe_open is no mapping
            written = (file.metadata() or {}).get("meaning")
        shapes = {key: tuple(tensor.shape) for key, tensor in expected.items()}
        _check_same(path, shapes, found)
        # Copies: the file may change later, and numbers at other addresses may round otherwise.
        state = {key: tensor.clone() for key, tensor in load_file(path).items()}
    except (safetensors.SafetensorError, OSError) as error:
        raise CorruptError(f"cannot read {path}: {error}; copy the model folder again") from error
    types = {key: tensor.dtype for key, tensor in expected.items()}
    _check_same(path, types, {key: tensor.dtype for key, tensor in state.items()})
    if written != meaning:
        raise CorruptError(f"{path} was written with another {CARD}; copy both again")
    return state


def _check_same(path: Path, expected: Mapping[str, Any], found: Mapping[str, Any]) -> None:
    """Compare keys, and shapes or types; list up to ten that differ."""
    keys = sorted(expected.keys() | found.keys())
    wrong = [key for key in keys if expected.get(key) != found.get(key)]
    if wrong:
        listed = ", ".join(wrong[:10]) + (" ..." if len(wrong) > 10 else "")
        raise CorruptError(f"{path} does not fit the model that {CARD} describes: {listed}")


def _check_finite(state: Mapping[str, Tensor], otherwise: str) -> None:
    for name, tensor in state.items():
        if tensor.is_floating_point() and not bool(torch.isfinite(tensor).all()):
            raise CorruptError(f"{name} holds NaN or infinite numbers; {otherwise}")
