"""Which class and which group a recording is of: from its folder, its name, or a table."""

from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from gradatim.core.errors import ConfigError
from gradatim.core.samples import Finding
from gradatim.core.source import ReadOptions
from gradatim.data.naming import listed, plain_name, sorted_names
from gradatim.data.pictures.classes import Layout, layout_by_names, layout_of
from gradatim.data.pictures.listing import Listing
from gradatim.data.sounds.catalogue import find_catalogue, read_catalogue

__all__ = ["Labelled", "labelled", "unlabelled"]


@dataclass(frozen=True)
class Labelled:
    """Recordings in natural order with what is known of each.

    `classes` are those of all parts but the test part; `sealed` tells for each recording whether
    it is of the test part.
    """

    files: tuple[PurePosixPath, ...]
    labels: tuple[str, ...] | None
    groups: tuple[str, ...] | None = None
    sealed: tuple[bool, ...] | None = None
    classes: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()

    @property
    def names(self) -> list[str]:
        """What each recording is called, for people."""
        return [plain_name(str(file)) for file in self.files]


def unlabelled(listing: Listing) -> Labelled:
    """Return all recordings of a listing, with nothing known of them."""
    order = sorted_names(str(file) for file in listing.pictures)
    return Labelled(tuple(PurePosixPath(name) for name in order), None)


def labelled(root: Path, location: str, listing: Listing, options: ReadOptions) -> Labelled:
    """Return the recordings with their classes and groups.

    With `options.names` from the names of the files; else from a table of them, where there is
    one; else the folder is the class.

    Args:
        root: of the listing.
        location: as the user gave it.
        listing: of the folder.
        options: which field or column is what.

    Raises:
        ConfigError: an option that has no meaning here, or a pattern that is none.
        DataError: names do not fit the pattern, or recordings of the table are missing.
    """
    catalogue = None if options.names else find_catalogue(root)
    if catalogue:
        entries = read_catalogue(catalogue, root, location, listing, options)
        known = Labelled(entries.files, entries.labels, entries.groups, findings=entries.findings)
        return replace(known, classes=tuple(sorted_names(set(entries.labels))))
    _refuse_columns(options)
    if options.names:
        return _of(layout_by_names(listing, options.names, options.group, location))
    return _of(layout_of(listing))


def _refuse_columns(options: ReadOptions) -> None:
    asked = [name for name in (options.target, options.time) if name]
    if asked:
        raise ConfigError(f"recordings have no columns; leave out {listed(asked)}")
    if options.group and not options.names:
        pattern = f"{{label}}_{{{options.group}}}_{{index}}.wav"
        raise ConfigError(
            f"--group {options.group}: the folder of a recording is its class, and says no more\n"
            f'give a pattern of the names with that field, such as --names "{pattern}"'
        )


def _of(layout: Layout) -> Labelled:
    files, labels, classes = layout.pictures, layout.labels, layout.classes
    return Labelled(files, labels, layout.groups, layout.sealed, classes, layout.findings)
