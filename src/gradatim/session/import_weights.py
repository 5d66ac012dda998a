"""`import_weights`: published weights become a model folder that predicts and is saved like any."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from gradatim.core.errors import ConfigError, DataError, ResourceError
from gradatim.core.rung import Rung
from gradatim.core.signature import Category, Image, Signature
from gradatim.models import RUNGS, rung_named
from gradatim.models._pictures import OnPictures
from gradatim.runs import disk
from gradatim.runs.files import finish_all, sha256
from gradatim.runs.foreign import Normalisation, imagenet_names, imported
from gradatim.runs.model_folder import save_model

__all__ = ["Imported", "import_weights"]

SIDE = 224
TASK, METRIC = "classify", "accuracy"


@dataclass(frozen=True)
class Imported:
    """An imported model: where it is and what it has."""

    folder: Path
    rung: str
    parameters: int
    classes: int
    left_out: tuple[str, ...]


def import_weights(
    file: Path | str,
    model: str,
    *,
    names: Path | None = None,
    mean: Sequence[float] | None = None,
    deviation: Sequence[float] | None = None,
    out: Path | str | None = None,
) -> Imported:
    """Turn a published state dict into a model folder; nothing in the file is run.

    The shorter side of a picture is resized to 256 pixels and the middle 224 x 224 are taken, as
    when such weights are evaluated.

    Args:
        file: a .pth of `torch.save(model.state_dict())`, or .safetensors.
        model: a network, such as resnet18.
        names: a text file with the name of each class on a line; ImageNet's 1000 by default.
        mean: of the channels of pictures in [0, 1]; what the network was published with by default.
        deviation: likewise.
        out: the model folder; by default runs/MODEL-imported.

    Raises:
        CorruptError: the file is refused or does not fit; nothing is left behind.
        ConfigError: a name or a number does not fit.
        DataError: a file is not there or is none of names or weights.
    """
    rung = _rung(model)
    folder = _free(Path(out) if out is not None else Path("runs") / f"{model}-imported")
    image = Image(channels=3, height=SIDE, width=SIDE, fit="crop")
    signature = Signature(input=image, output=Category(name="class", names=_names(names)))
    scale = Normalisation(tuple(mean or rung.pixels[0]), tuple(deviation or rung.pixels[1]))
    built, left_out = imported(Path(file), rung, signature, scale)
    part = disk.passing(folder)
    try:
        save_model(part, built, rung, signature, TASK, METRIC, _card(Path(file), model, rung))
        finish_all(part)
        disk.rename(part, folder)
    finally:
        with suppress(ResourceError):
            disk.remove_tree(part)
    parameters = sum(p.numel() for p in built.network.parameters())
    return Imported(folder, model, parameters, signature.outputs, left_out)


def _rung(model: str) -> OnPictures:
    rung = rung_named(model)
    if not isinstance(rung, OnPictures) or not rung.published:
        homes = [n for other in RUNGS.all().values() for n in other.published]
        raise ConfigError(
            f"{model} is no network with published weights; these are: {', '.join(homes)}"
        )
    return rung


def _free(folder: Path) -> Path:
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ConfigError(f"--out {folder} is there already; name another folder")
    return folder


def _names(path: Path | None) -> tuple[str, ...]:
    if path is None:
        return imagenet_names()
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(
            f"cannot read --names {path}: {error}; write a name on each line"
        ) from error
    names = tuple(line.strip() for line in lines if line.strip())
    if len(names) < 2 or len(set(names)) < len(names):
        raise DataError(f"--names {path}: expected two or more names, each on a line of its own")
    return names


def _card(file: Path, model: str, rung: Rung) -> str:
    return (
        f"# {model}\n\nPublished weights, imported from `{file.name}` (SHA-256 {sha256(file)}). "
        "They were not trained here, and what they were trained on is not known here.\n\n"
        f"Source of the network: {rung.source}\n\n    gradatim predict RUN PICTURE\n"
    )
