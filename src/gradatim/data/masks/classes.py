"""What the levels of masks mean: which class each one is, and which are to be ignored.

Ignored are: what a list of classes calls void; in indexed and grey masks 255, when it stands
beside the numbers 0, 1, ... of at least two classes (Pascal VOC); of colours (224, 224, 192),
VOC's border. Black and white alone are background and foreground.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from gradatim.core.errors import DataError
from gradatim.core.samples import Finding
from gradatim.core.signature import IGNORED, Mask
from gradatim.data.masks.levels import Kind, Level, Leveled
from gradatim.data.masks.names import ClassList
from gradatim.data.masks.palette import BORDER
from gradatim.data.naming import listed, shown

__all__ = ["Meaning", "kind_of", "learn_meaning", "meaning_of", "strange_levels"]

MOST_GREY = 64


@dataclass(frozen=True)
class Meaning:
    """The class of each level.

    Args:
        kind: what the masks are read as.
        output: names and levels of the classes.
        void: levels that are ignored.
        findings: remarks.
    """

    kind: Kind
    output: Mask
    void: Collection[Level]
    findings: tuple[Finding, ...] = field(default=())

    def coded(self, mask: Leveled) -> tuple[np.ndarray, dict[Level, int]]:
        """Return the class of each pixel, 255 where none, and how many pixels have odd levels."""
        place = {_key(level): code for code, level in enumerate(self.output.levels)}
        keys = [_key(_as(level, mask.kind, self.kind)) for level in mask.levels]
        table = np.array([place.get(key, IGNORED) for key in keys], np.uint8)
        strange = [i for i, key in enumerate(keys) if key not in place and key not in self.void]
        counts = np.bincount(mask.codes.ravel(), minlength=len(keys)) if strange else ()
        return table[mask.codes], {keys[i]: int(counts[i]) for i in strange}


def kind_of(masks: Sequence[Leveled]) -> Kind:
    """Return what all masks can be read as: a black frame of a colour map looks grey."""
    kinds = {mask.kind for mask in masks}
    if "colour" in kinds:
        return "colour"
    return "grey" if "grey" in kinds else "index"


def meaning_of(output: Mask, listing: ClassList | None) -> Meaning:
    """Return the meaning of levels that a model has learnt."""
    width = len(output.levels[0]) if output.levels else 1
    kind: Kind = "colour" if width == 3 else "index" if width == 4 else "grey"
    if not output.levels:
        levels = tuple((code,) for code in range(len(output.names)))
        output = output.model_copy(update={"levels": levels})
    declared = listing.void if listing else frozenset()
    usual: set[Level] = {BORDER} if kind == "colour" else {(IGNORED,)}
    return Meaning(kind, output, (declared | usual) - {_key(level) for level in output.levels})


def learn_meaning(masks: Sequence[Leveled], listing: ClassList | None, location: str) -> Meaning:
    """Decide what the levels of masks mean.

    Args:
        masks: those to learn from; one at least.
        listing: the list of classes, if there is one.
        location: of the data, for messages.

    Raises:
        DataError: one class only, or more levels than classes, or a list that does not fit.
    """
    kind = kind_of(masks)
    levels = {
        _key(_as(lv, mask.kind, kind)): _as(lv, mask.kind, kind)
        for mask in masks
        for lv in mask.levels
    }
    void = _void(set(levels), kind, listing)
    used = sorted(key for key in levels if key not in void)
    _refuse_counts(used, kind, listing, location)
    names = _names(used, listing, location)
    idle = [name for name in listing.names if name not in names.values()] if listing else []
    known = [key for key in used if key in names]
    if len(known) < 2:
        only = listed([names[key] for key in known])
        trouble = f"{shown(location, 200)}: the masks to learn from have one class only, {only}"
        raise DataError(f"{trouble}; give masks with two classes at least")
    output = Mask(
        names=tuple(names[key] for key in known), levels=tuple(levels[key] for key in known)
    )
    return Meaning(kind, output, void, tuple(_remarks(masks, idle)))


def _key(level: Level) -> Level:
    """Return what tells a level from others: of an indexed one the index alone."""
    return level[:1] if len(level) == 4 else level


def _as(level: Level, found: Kind, wanted: Kind) -> Level:
    """Return a level of one kind as another kind has it."""
    if found == wanted:
        return level
    if wanted == "colour":
        return level[1:] if found == "index" else level * 3
    if found == "colour":  # a model of grey levels cannot know a colour: none of its levels
        return level
    return level[:1]


def _void(levels: set[Level], kind: Kind, listing: ClassList | None) -> set[Level]:
    declared = set(listing.void) if listing else set()
    if kind == "colour":
        return declared | ({BORDER} - set(listing.levels if listing else ()))
    others = sorted(level[0] for level in levels - declared if level != (IGNORED,))
    counted = len(others) >= 2 and (kind == "index" or others == list(range(len(others))))
    if listing and not listing.levels:
        counted = len(listing.names) <= IGNORED and len(listing.names) != len(others) + 1
    if listing and (IGNORED,) in listing.levels:
        counted = False
    return declared | ({(IGNORED,)} if counted else set())


def _refuse_counts(
    used: Sequence[Level], kind: Kind, listing: ClassList | None, location: str
) -> None:
    trouble = ""
    if len(used) > IGNORED:
        what = "colours" if kind == "colour" else "levels"
        trouble = f"the masks hold {len(used)} {what}, at most {IGNORED} classes can be told apart"
    counted = [level[0] for level in used] == list(range(len(used)))
    if kind == "grey" and listing is None and len(used) > MOST_GREY and not counted:
        trouble = f"the masks hold {len(used)} grey levels, as photographs do"
    if trouble:
        raise DataError(f"{shown(location, 200)}: {trouble}; give masks with one level a class")


def _names(used: Sequence[Level], listing: ClassList | None, location: str) -> dict[Level, str]:
    """Return the name of each level; a level that a list of colours lacks has none."""
    if listing is None:
        if len(used) == 2:
            return dict(zip(used, ("background", "foreground"), strict=True))
        return {level: ",".join(map(str, level)) for level in used}
    if listing.levels:
        named = dict(zip(listing.levels, listing.names, strict=True))
        if used and len(used[0]) == len(listing.levels[0]):
            return named
    elif used and len(used[0]) == 1:
        if all(level[0] < len(listing.names) for level in used):
            return {(number,): name for number, name in enumerate(listing.names)}
        if len(used) == len(listing.names):
            return dict(zip(used, listing.names, strict=True))
    trouble = (
        f"{len(listing.names)} classes of {shown(listing.file, 200)} do not fit {len(used)} levels"
    )
    remedy = "give a level or colour with each name: road: 255,0,0"
    raise DataError(
        f"{shown(location, 200)}: {trouble} ({listed([str(u) for u in used], 3)})\n{remedy}"
    )


def _remarks(masks: Sequence[Leveled], idle: Sequence[str]) -> list[Finding]:
    remarks = []
    lossy = sum(mask.lossy for mask in masks)
    if lossy:
        message = f"{lossy} masks are JPEGs, which blurs them: they are cut at level 128"
        remarks.append(Finding("lossy-masks", "warning", message, "save masks as PNG"))
    if idle:
        message = f"{len(idle)} classes have no pixel to learn from and are left out"
        remarks.append(Finding("empty-class", "note", f"{message}: {listed(list(idle), 5)}"))
    return remarks


def strange_levels(odd: Mapping[str, Mapping[Level, int]], known: Sequence[Level]) -> str:
    """Return which file has which level that no class has, in half a sentence."""
    name, levels = next(iter(odd.items()))
    level = max(levels, key=lambda key: levels[key])
    spelled = [",".join(map(str, _key(one))) for one in known]
    trouble = f"{shown(name, 200)} holds level {','.join(map(str, level))}, which no class has"
    return f"{trouble}; known: {listed(spelled, 5)}"
