"""`read`: whatever the user points at becomes a `Dataset`."""

import os
import re
from dataclasses import replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from gradatim.core.errors import ConfigError, DataError
from gradatim.core.jobs import JOBS
from gradatim.core.samples import Dataset
from gradatim.core.source import ReadOptions, Source
from gradatim.data.files import checked_path
from gradatim.data.naming import listed, shown
from gradatim.data.sources import SOURCES
from gradatim.data.sources.bundled import TARGETS
from gradatim.data.unlabelled import UNLABELLED, as_labelled, without_targets

__all__ = ["read"]

_KIND = re.compile(r"[A-Za-z][A-Za-z0-9_+-]+")
_ARCHIVES = (".zip", ".tar", ".tgz", ".tar.gz", ".7z", ".rar", ".bz2", ".xz", ".zst")


def read(data: Any, options: ReadOptions = ReadOptions()) -> Dataset:  # noqa: B008  (frozen)
    """Return the samples of any data.

    Args:
        data: a path, `kind:path`, a bundled name such as "iris", a DataFrame, (X, y), or the
            inputs alone when `options` has the signature of a fitted model.
        options: which column is what, and how to read.

    Raises:
        DataError: the data is not there or cannot be used.
        ConfigError: no source is called like that, or an option does not fit the data.

    >>> len(read("iris"))
    150
    """
    if isinstance(data, Dataset):
        return data
    _check_options(options)
    if options.job in UNLABELLED:
        found = _read(data, as_labelled(options))
        return without_targets(found, options)
    return _for_the_job(_read(data, options), options)


def _read(data: Any, options: ReadOptions) -> Dataset:
    if isinstance(data, (str, os.PathLike)):
        return _read_location(os.fspath(data), options)
    return _read_object(data, options)


def _check_options(options: ReadOptions) -> None:
    if options.job != "denoise" and (options.sigma is not None or options.noisy_targets):
        raise ConfigError("--sigma and --noisy-targets are for pictures; add --task denoise")
    languages = (options.source_language, options.target_language)
    if any(languages) and options.job not in (None, "translate"):
        text = "--from and --to are languages"
        raise ConfigError(f"{text}; {options.job} needs none: leave them out")


def _for_the_job(dataset: Dataset, options: ReadOptions) -> Dataset:
    """Refuse data that asks for another job than the user does."""
    found = JOBS[dataset.signature.output.kind]
    if options.signature is None and options.task not in (None, found):
        where = shown(dataset.name, 200)
        raise ConfigError(
            f"{where} is no data to {options.task}: it asks to {found}; leave out --task"
        )
    return dataset


def _read_object(data: Any, options: ReadOptions) -> Dataset:
    from gradatim.data.tables.frame import dataset_from_arrays, dataset_from_frame

    if isinstance(data, tuple):
        if len(data) != 2:
            raise ConfigError(f"a tuple of {len(data)} is no data; give (X, y)")
        return dataset_from_arrays(_as_pandas(data[0]), data[1], options)
    data = _as_pandas(data)
    if hasattr(data, "columns") and hasattr(data, "iloc"):
        return dataset_from_frame(data, options)
    if hasattr(data, "__array__") or isinstance(data, list):
        return dataset_from_arrays(data, None, options)
    kind = type(data).__name__
    raise ConfigError(f"a {kind} is no data; give a path, a DataFrame or (X, y)")


def _as_pandas(data: Any) -> Any:
    return data.to_pandas() if hasattr(data, "to_pandas") else data


def _read_location(location: str | bytes, options: ReadOptions) -> Dataset:
    location = os.fsdecode(location)
    if not location.strip():
        raise ConfigError("DATA is empty; give a path, kind:path or a bundled name")
    kind, colon, rest = location.partition(":")
    if colon and kind in SOURCES.names():
        dataset = SOURCES[kind].read(rest, options)
    else:
        if colon and _KIND.fullmatch(kind) and not os.path.lexists(location):
            SOURCES[kind]  # there is none: says which are near
        rest = location
        dataset = _claiming(location, options).read(location, options)
    return replace(dataset, name=_title(rest), source=location)


def _title(location: str) -> str:
    """Return a short name for people: the folder's, or the file's without its endings."""
    name = Path(location).resolve().name
    return name if Path(location).is_dir() else name.partition(".")[0] or name


def _claiming(location: str, options: ReadOptions) -> Source:
    """Return the one source that claims a location for this job."""
    if location in TARGETS:
        if not os.path.lexists(location):
            return SOURCES["bundled"]
        both = f'"{location}" is a bundled set and a path'
        raise ConfigError(f"{both}; say bundled:{location} or .{os.sep}{location}")
    near = get_close_matches(location, TARGETS, n=1)
    if near and not os.path.lexists(location):
        trouble = f"{shown(location)} is no path and no bundled set"
        raise DataError(f'{trouble}; did you mean "{near[0]}"?')
    path = checked_path(location)
    claims = {name: s for name, s in SOURCES.all().items() if s.claims(location, options)}
    if len(claims) == 1:
        return next(iter(claims.values()))
    if claims:
        kinds = " or ".join(f"{name}:" for name in claims)
        raise ConfigError(f"{shown(location, 200)} can be read in two ways; put {kinds} before it")
    raise _unclaimed(path, location)


def _unclaimed(path: Path, location: str) -> DataError:
    where = shown(location, 200)
    if location.lower().endswith(_ARCHIVES):
        return DataError(f"{where} is an archive; unpack it and give the folder or file")
    ending = shown(path.suffix) if path.suffix else "this name"
    kinds = listed([f"{name}:" for name in SOURCES.names()])
    return DataError(f"{where}: no source reads {ending}; say which by a prefix: {kinds}")
