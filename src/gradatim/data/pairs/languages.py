"""Which language is meant, by its code."""

from collections.abc import Collection
from typing import NamedTuple

from gradatim.core.errors import ConfigError, nearest
from gradatim.core.signature import Text, Translation
from gradatim.core.source import ReadOptions
from gradatim.data.naming import listed, shown

__all__ = ["CODES", "Way", "asks_to_translate", "matching", "way_among", "way_told"]

_TWO_LETTERS = (
    "aa ab ae af ak am an ar as av ay az ba be bg bh bi bm bn bo br bs ca ce ch co cr cs cu cv cy "
    "da de dv dz ee el en eo es et eu fa ff fi fj fo fr fy ga gd gl gn gu gv ha he hi ho hr ht hu "
    "hy hz ia id ie ig ii ik io is it iu ja jv ka kg ki kj kk kl km kn ko kr ks ku kv kw ky la lb "
    "lg li ln lo lt lu lv mg mh mi mk ml mn mr ms mt my na nb nd ne ng nl nn no nr nv ny oc oj om "
    "or os pa pi pl ps pt qu rm rn ro ru rw sa sc sd se sg si sk sl sm sn so sq sr ss st su sv sw "
    "ta te tg th ti tk tl tn to tr ts tt tw ty ug uk ur uz ve vi vo wa wo xh yi yo za zh zu"
)
CODES = frozenset(_TWO_LETTERS.split())
"""ISO 639-1; in others' files .gz, .py and .js are no languages."""


class Way(NamedTuple):
    """From one language to another; an empty code for one that is not known."""

    source: str
    target: str


def asks_to_translate(options: ReadOptions) -> bool:
    """Tell whether the user wants a translation, by its name or by its languages."""
    languages = options.source_language or options.target_language
    return options.job == "translate" or (options.job is None and bool(languages))


def way_told(options: ReadOptions) -> Way:
    """Return the languages that the options name, or those that a model has learnt."""
    if options.signature is not None:
        field, output = options.signature.input, options.signature.output
        assert isinstance(field, Text)
        assert isinstance(output, Translation)
        return Way(field.language, output.language)
    return Way(options.source_language or "", options.target_language or "")


def way_among(languages: Collection[str], options: ReadOptions, location: str) -> Way:
    """Return the languages that are meant, of those that are there.

    One of two is enough. To ask a model, its own languages are meant, and the target may lack.

    Raises:
        ConfigError: nobody said which way, or a language is not there.
    """
    told, known = way_told(options), sorted(languages)
    asked = options.signature is not None
    if asked and not told.source:
        raise ConfigError(f"the model was not told its languages; give one file of {listed(known)}")
    source, target = (matching(code, known) if code else None for code in told)
    for code, found in zip(told, (source, target), strict=True):
        if code and not found and (code == told.source or not asked or options.judged):
            holds = f"{shown(location, 200)} holds no {shown(code)}"
            hint = nearest(code, known) if known else "it names no language at all"
            raise ConfigError(f"{holds}; {hint}")
    if source and source == target:
        raise ConfigError(f"--from {source} --to {target} is one language; known: {listed(known)}")
    others = [code for code in known if code not in (source, target)]
    if asked or (source and target):
        return Way(source or "", target or "")
    if (source or target) and len(others) == 1:
        return Way(source or others[0], target or others[0])
    first, second = (*known, "en", "fr")[:2]
    holds = f"{shown(location, 200)} holds the languages {listed(known)}"
    raise ConfigError(f"{holds}; say which way: --from {second} --to {first}")


def matching(code: str, known: Collection[str]) -> str | None:
    """Return the language that a code means: itself, or the only one of its kind.

    >>> matching("FR", ["en", "fr"]), matching("pt", ["en", "pt-BR"]), matching("de", ["fr"])
    ('fr', 'pt-BR', None)
    """
    folded = {one.casefold().replace("_", "-"): one for one in known}
    wanted = code.casefold().replace("_", "-")
    if wanted in folded:
        return folded[wanted]
    kin = [one for key, one in folded.items() if key.partition("-")[0] == wanted.partition("-")[0]]
    return kin[0] if len(kin) == 1 else None
