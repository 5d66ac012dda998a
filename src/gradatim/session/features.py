"""The features that a run compares drawn rows in: learnt from its training rows, kept with it."""

from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor, nn

from gradatim.core.chunks import in_chunks
from gradatim.core.recipe import Recipe
from gradatim.core.rung import Model, Trained
from gradatim.core.samples import Dataset, Samples
from gradatim.core.signature import Category, Image, Signature, Synthesis
from gradatim.core.task import Task
from gradatim.data.splits import Partition
from gradatim.layers.fused import FusedSequential
from gradatim.layers.generative.features import (
    ClassifierFeatures,
    Features,
    PrincipalFeatures,
)
from gradatim.models import rung_named
from gradatim.runs.files import read_array, write_array, write_arrays
from gradatim.runs.model_folder import CARD, load_model, save_model
from gradatim.tasks import TASKS
from gradatim.tasks.synthesise import Synthesise
from gradatim.train.fitting import Fitting

__all__ = ["FOLDER", "equipped", "loaded_features", "reequipped"]

FOLDER = "features"
"""In a run folder."""
KNOWN, PRINCIPAL = "known.npy", "principal.npz"
CLASSIFIER = "lenet5"
ROWS_SEEN = 150_000
"""Rows, counted as often as they are looked at, from which the classifier learns."""
MOST_KNOWN = 10_000
"""Training rows with which drawn ones are compared."""


def equipped(task: Task, data: Dataset, split: Partition, folder: Path, seed: int = 0) -> Task:
    """Return a task that has features to compare drawn rows in; other tasks as they are.

    With classes they are what LeNet-5 sees below its last layer, after a short training on the
    training rows; without, their principal components. Made once and kept in `folder/features`.

    Args:
        task: of the data.
        data: all rows.
        split: which of them are training rows.
        folder: of the run, which must be open.
        seed: of the run.
    """
    if not isinstance(task, Synthesise):
        return task
    place = folder / FOLDER
    if not ((place / CARD).is_file() or (place / PRINCIPAL).is_file()):
        rows = data.samples.take(split.training)
        if _has_classes(data.signature):
            _keep_classifier(place, rows, data.signature, seed)
        else:
            _keep_principal(place, rows)
    return replace(task, extract=loaded_features(folder))


def reequipped(task: Task, folder: Path) -> Task:
    """Return a task with the features of a finished run; other tasks as they are.

    Raises:
        CorruptError: the run has none.
    """
    if not isinstance(task, Synthesise):
        return task
    return replace(task, extract=loaded_features(folder))


def loaded_features(folder: Path) -> Features:
    """Read the features of a run folder.

    Raises:
        CorruptError: they are not there, or were changed.
    """
    place = folder / FOLDER
    if (place / PRINCIPAL).is_file():
        arrays = read_array(place / PRINCIPAL)
        tensors = [torch.from_numpy(arrays[name]) for name in ("mean", "components", "known")]
        features: Features = PrincipalFeatures(*tensors)
    else:
        model = load_model(place)[0]
        features = _of_classifier(model, torch.from_numpy(read_array(place / KNOWN)))
    return features.requires_grad_(False).eval()


def _has_classes(signature: Signature) -> bool:
    output = signature.output
    assert isinstance(output, Synthesis)
    return isinstance(signature.input, Image) and len(output.names) > 1


def _keep_classifier(place: Path, rows: Samples, signature: Signature, seed: int) -> None:
    """Train the classifier and write its model folder; its card is what makes it whole."""
    assert isinstance(signature.output, Synthesis)
    meant = Signature(input=signature.input, output=Category(names=signature.output.names))
    rung = rung_named(CLASSIFIER)
    assert isinstance(rung, Trained)
    fitting = Fitting(rung, TASKS["classify"], rows, meant, _recipe(rung, rows, meant, seed))
    for _ in fitting:
        pass
    known = in_chunks(_of_classifier(fitting.model), _some(rows.inputs))
    write_array(place / KNOWN, known.numpy())
    text = f"# {CLASSIFIER}\n\nIts last hidden layer is what drawn pictures are compared in.\n"
    save_model(place, fitting.model, rung, meant, "classify", "accuracy", text)


def _recipe(rung: Trained, rows: Samples, signature: Signature, seed: int) -> Recipe:
    """Return a short training: few looks at each of many rows, more looks at few rows."""
    usual = rung.recipe(len(rows), signature)
    epochs = min(usual.epochs, max(2, ROWS_SEEN // len(rows)))
    short = {"epochs": epochs, "validation": 0.0, "seed": seed}
    return usual.model_copy(update=short)


def _keep_principal(place: Path, rows: Samples) -> None:
    features = PrincipalFeatures.of(rows.inputs)
    known = in_chunks(features, _some(rows.inputs))
    arrays = {"mean": features.mean, "components": features.components, "known": known}
    write_arrays(place / PRINCIPAL, {name: array.numpy() for name, array in arrays.items()})


def _of_classifier(model: Model, known: Tensor | None = None) -> ClassifierFeatures:
    """Cut a classifier below its last layer."""
    layers = list(model.network.children())
    below = nn.Sequential(model.preprocess, FusedSequential(*layers[:-1]))
    return ClassifierFeatures(below, layers[-1], known)


def _some(rows: Tensor) -> Tensor:
    """Return at most so many rows, spread evenly."""
    step = -(-len(rows) // MOST_KNOWN)
    return rows[::step]
