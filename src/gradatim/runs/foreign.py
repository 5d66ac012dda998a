"""Published weights: a state dict of torch or safetensors becomes a model, and nothing is run.

This is the one file that reads what `torch.save` wrote. A pickle can name any code; torch's
restricted reader (`weights_only=True`) knows tensors and plain containers and refuses everything
else, and there is no way round it here. It stands beside `model_folder`, which writes what comes
out: both turn files of strangers into models.
"""

import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

import safetensors
import torch
from safetensors.torch import load_file
from torch import Tensor

from gradatim.core.errors import ConfigError, CorruptError, DataError
from gradatim.core.rung import Model
from gradatim.core.signature import Signature
from gradatim.models._pictures import OnPictures

__all__ = ["Normalisation", "imagenet_names", "imported", "read_state"]

COUNTER = "num_batches_tracked"


@dataclass(frozen=True)
class Normalisation:
    """What is subtracted from the channels of pictures in [0, 1], and what they are divided by."""

    mean: tuple[float, ...]
    deviation: tuple[float, ...]


def imagenet_names() -> tuple[str, ...]:
    """Return the 1000 classes of ImageNet in the order of published weights.

    Source: torchvision 0.28 (BSD 3-clause), `models/_meta.py`. Two cranes and two maillots are
    told apart by a word in brackets, since the classes of a model have names of their own.
    """
    text = (files("gradatim.runs") / "imagenet.txt").read_text(encoding="utf-8")
    return tuple(text.splitlines())


def read_state(path: Path) -> dict[str, Tensor]:
    """Return the tensors of a file by name.

    Raises:
        DataError: there is no such file, or it is no state dict.
        CorruptError: it is broken, or asks for code to be run.
    """
    if not path.is_file():
        raise DataError(f"{path} is no file; name the .pth or .safetensors file of the weights")
    state = _safe(path) if path.suffix == ".safetensors" else _torch(path)
    if not isinstance(state, dict) or not state:
        raise DataError(f"{path} holds no state dict; expected tensors by name; save it as one")
    strange = [k for k, v in state.items() if not (isinstance(k, str) and _is_plain(v))]
    if strange:
        raise DataError(
            f"{path}: {strange[0]!r:.80} is no tensor; expected a flat state dict; "
            "save model.state_dict() alone"
        )
    return dict(state)


def imported(
    path: Path, rung: OnPictures, signature: Signature, normalisation: Normalisation
) -> tuple[Model, tuple[str, ...]]:
    """Return the model of a rung with the weights of a file, and the keys that were left out.

    Names and shapes are compared before the model gets any memory. Left out are parts that the
    rung says are for training alone (`training_only`); added are counters of batch normalisation,
    which files from before torch 0.4.1 lack and which prediction does not use.

    Args:
        path: of the file.
        rung: with its settings.
        signature: of the pictures and classes.
        normalisation: of the channels.

    Raises:
        CorruptError: up to ten names or shapes that differ are listed; or a number is NaN.
        DataError: no state dict.
        ConfigError: the normalisation does not fit the channels.
    """
    with torch.device("meta"):
        model = rung.build(signature, {}).eval()
    wanted = model.network.state_dict()
    state = read_state(path)
    spare = rung.training_only
    left_out = tuple(k for k in state if k not in wanted and k.startswith(spare))
    found = {k: v for k, v in state.items() if k not in left_out}
    found |= {k: torch.zeros((), dtype=v.dtype) for k, v in wanted.items() if _counts(k, found)}
    _check_fits(path, wanted, found)
    _check_finite(path, found)
    # Copies: the file may change later, and half precision becomes what the network computes in.
    whole = {f"network.{k}": v.to(wanted[k].dtype, copy=True) for k, v in found.items()}
    whole |= _other_parts(model, normalisation)
    model.load_state_dict(whole, strict=True, assign=True)
    return model.requires_grad_(False), left_out


def _counts(key: str, found: Mapping[str, Tensor]) -> bool:
    return key.endswith(COUNTER) and key not in found


def _is_plain(value: object) -> bool:
    return isinstance(value, Tensor) and value.layout == torch.strided and not value.is_quantized


def _safe(path: Path) -> dict[str, Tensor]:
    try:
        return load_file(path)
    except (safetensors.SafetensorError, OSError, ValueError) as error:
        raise _refusal(path, str(error)) from error


def _torch(path: Path) -> Any:
    """Read what torch.save wrote, in its present form (a zip) or its old one (pickles in a row)."""
    zipped = zipfile.is_zipfile(path)
    if zipped:
        _refuse_code(path)
    try:
        return torch.load(path, map_location="cpu", weights_only=True, mmap=zipped)
    except Exception as error:  # the bytes are a stranger's: whatever they break is their fault
        raise _refusal(path, str(error)) from error


def _refuse_code(path: Path) -> None:
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except (zipfile.BadZipFile, OSError, ValueError) as error:
        raise _refusal(path, str(error)) from error
    if any("/code/" in name or name.endswith("constants.pkl") for name in names):
        raise CorruptError(
            f"{path} is a TorchScript archive, which is code; expected a state dict; "
            "save model.state_dict() instead"
        )


def _refusal(path: Path, reason: str) -> CorruptError:
    first = (reason or "it ends too early").splitlines()[0]
    if "eights_only" in first or "nsupported" in first:
        first = "it holds more than tensors, such as code; nothing of it was run"
    return CorruptError(f"{path} is refused: {first:.200}\nexpected tensors by name; get it anew")


def _check_fits(path: Path, wanted: Mapping[str, Tensor], found: Mapping[str, Tensor]) -> None:
    """Compare names, shapes and kinds of number; list up to ten that differ."""
    wrong = list(_differences(wanted, found))
    if wrong:
        more = f" and {len(wrong) - 10} more" if len(wrong) > 10 else ""
        raise CorruptError(
            f"{path} does not fit the model: {len(wrong)} differences in {len(wanted)} tensors\n"
            f"{'; '.join(wrong[:10])}{more}\nname another --model, or --names with its classes"
        )


def _differences(wanted: Mapping[str, Tensor], found: Mapping[str, Tensor]) -> Iterator[str]:
    for key in sorted(wanted.keys() | found.keys()):
        if key not in found:
            yield f"{key} is missing"
        elif key not in wanted:
            yield f"{key[:80]!r} is unexpected"
        elif wanted[key].shape != found[key].shape:
            yield f"{key} is {_sized(found[key])} in the file, {_sized(wanted[key])} in the model"
        elif wanted[key].is_floating_point() != found[key].is_floating_point():
            yield f"{key} holds {found[key].dtype} in the file, {wanted[key].dtype} in the model"


def _sized(tensor: Tensor) -> str:
    return " x ".join(map(str, tensor.shape)) or "one number"


def _check_finite(path: Path, found: Mapping[str, Tensor]) -> None:
    for key, tensor in found.items():
        if tensor.is_floating_point() and not bool(torch.isfinite(tensor).all()):
            raise CorruptError(f"{path}: {key} holds NaN or infinite numbers; get the file anew")


def _other_parts(model: Model, normalisation: Normalisation) -> dict[str, Tensor]:
    """Return the state of preprocessing and output."""
    state = {f"preprocess.{k}": v for k, v in model.preprocess.state_dict().items()}
    state |= {f"output.{k}": v for k, v in model.output.state_dict().items()}
    filled = {k: torch.ones(v.shape, dtype=v.dtype) for k, v in state.items()}
    given: dict[str, Sequence[float]] = {
        "preprocess.mean": normalisation.mean,
        "preprocess.deviation": normalisation.deviation,
    }
    for key, values in given.items():
        numbers = torch.tensor(values, dtype=torch.float32)
        if key not in filled or numbers.numel() != filled[key].numel():
            raise ConfigError(f"{len(values)} numbers of {key[11:]} do not fit the channels")
        if not bool(torch.isfinite(numbers).all()) or (key[11:] != "mean" and numbers.min() <= 0):
            raise ConfigError(f"{key[11:]} {list(values)} cannot be; expected positive deviations")
        filled[key] = numbers.reshape(filled[key].shape)
    return filled
