r"""Words of a sentence, which can be joined again: punctuation says where no space was.

A word is a run of letters and digits, with apostrophes and dashes inside of it; every other
character that is no space is a word alone. Where two words touch, the one that is punctuation
gets the mark U+FFED on that side. A French article that was cut short ("l'homme") is a word of its
own where `elided`.

Source: the mark is that of OpenNMT's tokeniser; the splits are those of Moses' for both languages
    of the sentence, as far as a pattern can tell.
"""

import re

__all__ = ["JOINER", "bare", "joined", "words_of"]

JOINER = "\uffed"
_DIGITS = "\u2460-\u2473\u3251-\u325f\u32b1-\u32bf"  # 1 to 50 in circles stand for placeholders
_WORD = rf"[^\W{_DIGITS}]+(?:['\u2019-][^\W{_DIGITS}]+)*"
_PLAIN = re.compile(rf"[{_DIGITS}]|{_WORD}|[^\w\s]")
_ELIDED = re.compile(rf"[{_DIGITS}]|\b[^\W\d_]{{1,2}}['\u2019](?=\w)|{_WORD}|[^\w\s]")


def words_of(text: str, *, elided: bool = False) -> list[str]:
    """Return the words, with marks where no space stands between two.

    Args:
        text: a sentence.
        elided: whether l' and d' are words.

    >>> [word.replace(JOINER, "~") for word in words_of('"Stop," he said.')]
    ['"~', 'Stop', '~,', '~"', 'he', 'said', '~.']
    >>> [bare(word) for word in words_of("l'homme d'un tee-shirt", elided=True)]
    ["l'", 'homme', "d'", 'un', 'tee-shirt']
    """
    found = list((_ELIDED if elided else _PLAIN).finditer(text))
    words = [match.group() for match in found]
    for i in range(1, len(found)):
        if found[i - 1].end() != found[i].start():
            continue
        if _is_word(found[i].group()) and not _is_word(found[i - 1].group()):
            words[i - 1] += JOINER
        else:
            words[i] = JOINER + words[i]
    return words


def joined(words: list[str]) -> str:
    """Return the sentence of words: one space between two that no mark joins.

    >>> text = "A man's dog, 3.5 years (or so)!"
    >>> joined(words_of(text)) == text
    True
    """
    spaced = " ".join(words)
    return spaced.replace(f" {JOINER}", "").replace(f"{JOINER} ", "").replace(JOINER, "")


def bare(word: str) -> str:
    """Return a word without its marks."""
    return word.replace(JOINER, "")


def _is_word(text: str) -> bool:
    return text[-1].isalnum() or text[-1] == "_"
