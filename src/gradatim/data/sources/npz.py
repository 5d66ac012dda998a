"""NumPy archives of arrays: X and y, or x_train, y_train, x_test, y_test."""

import io
import zipfile
import zlib
from typing import ClassVar

import numpy as np

from gradatim.core.errors import DataError
from gradatim.core.samples import Dataset
from gradatim.core.source import ReadOptions, Source
from gradatim.data.files import checked_path, content_of, must_fit
from gradatim.data.naming import listed, shown

__all__ = ["SOURCE", "Npz"]

PAIRS = (("X", "y"), ("x", "y"), ("inputs", "targets"))
PARTS = (("x_train", "y_train"), ("x_test", "y_test"))
Arrays = dict[str, np.ndarray]


class Npz(Source):
    """Two axes are a table, three or four of uint8 pictures, three of floats sequences.

    The test arrays are sealed.
    """

    summary: ClassVar[str] = "NumPy arrays (.npz): X and y, or x_train, y_train, x_test, y_test"

    def claims(self, location: str, options: ReadOptions) -> bool:
        return location.lower().endswith(".npz")

    def read(self, location: str, options: ReadOptions) -> Dataset:
        from gradatim.data.tables.frame import dataset_from_arrays

        arrays = _arrays(content_of(checked_path(location, "file")), location)
        x, y, sealed = _chosen(arrays, location, predicting=options.signature is not None)
        return dataset_from_arrays(x, y, options, location, sealed=sealed, source="npz")


def _arrays(content: bytes, location: str) -> Arrays:
    where = shown(location, 200)
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as members:
            must_fit(3 * sum(member.file_size for member in members.infolist()), location)
        with np.load(io.BytesIO(content), allow_pickle=False) as archive:
            return {name: archive[name] for name in archive.files}
    except ValueError as error:
        if "pickle" not in str(error):
            raise DataError(f"{where}: {shown(error)}; write the file again") from error
        trouble = f"{where} holds Python objects, which can run code when they are read"
        raise DataError(f"{trouble}; save arrays of numbers or text") from error
    except (zipfile.BadZipFile, zlib.error, OSError, EOFError, SyntaxError, LookupError) as error:
        raise DataError(f"{where} is no NumPy archive: {shown(error)}; write it again") from error
    except (NotImplementedError, RuntimeError) as error:
        raise DataError(f"{where} cannot be unpacked: {shown(error)}; write it again") from error


def _chosen(
    arrays: Arrays, location: str, *, predicting: bool
) -> tuple[np.ndarray, np.ndarray | None, np.ndarray | None]:
    """Return inputs, targets, and which rows are of the test part."""
    if all(key in arrays for keys in PARTS for key in keys):
        return _joined(arrays, location)
    for inputs, targets in (*PAIRS, *PARTS):
        if inputs in arrays and (targets in arrays or predicting):
            return arrays[inputs], arrays.get(targets), None
    pairs = " or ".join(f"{inputs} and {targets}" for inputs, targets in (*PAIRS, PARTS[0]))
    found = listed(sorted(arrays)) if arrays else "nothing"
    raise DataError(f"{shown(location, 200)} holds {found}; name the arrays {pairs}")


def _joined(arrays: Arrays, location: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    x, y = ([arrays[keys[i]] for keys in PARTS] for i in (0, 1))
    for part, answers in zip(x, y, strict=True):
        if not part.ndim or not answers.ndim or len(part) != len(answers):
            shapes = f"{part.shape} and {answers.shape}"
            trouble = f"{shown(location, 200)}: arrays of shapes {shapes} do not go together"
            raise DataError(f"{trouble}; give one target a row")
    if x[0].shape[1:] != x[1].shape[1:] or x[0].dtype.kind != x[1].dtype.kind:
        trouble = f"{shown(location, 200)}: x_train and x_test are rows of different shape or type"
        raise DataError(f"{trouble}; give both in one form")
    if y[0].shape[1:] != y[1].shape[1:]:
        trouble = f"{shown(location, 200)}: y_train and y_test are of different shape"
        raise DataError(f"{trouble}; give both in one form")
    sealed = np.repeat([False, True], [len(part) for part in x])
    return np.concatenate(x), np.concatenate(y), sealed


SOURCE = Npz()
