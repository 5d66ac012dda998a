"""`gradatim attend`."""

import sys
from pathlib import Path

from gradatim.cli.options import Json, inert, print_json

__all__ = ["attend"]


def attend(
    run: Path,
    sentence: str,
    /,
    *,
    translation: str | None = None,
    out: Path | None = None,
    json: Json = False,
) -> None:
    """Translate a sentence and draw where the model looks as it writes each word.

    Parameters
    ----------
    run
        Folder of a climb or a fit of attention_seq2seq or translator.
    sentence
        In the language that the run reads, in quotes.
    translation
        What it is shown in place of its own translation.
    out
        The page; runs/attend-RUNG.html by default.
    json
        Print one JSON object.
    """
    from gradatim.session.attend import attend as look

    result = look(run, sentence, translation=translation, out=out)
    if json:
        print_json(result.facts)
        return
    facts = result.facts
    for word, weights in zip(facts["target"], facts["weights"], strict=True):
        best = sorted(zip(weights, facts["source"], strict=True), reverse=True)[:3]
        looks = ", ".join(f"{inert(seen)} {weight:.0%}" for weight, seen in best)
        sys.stdout.write(f"{inert(word):18} {looks}\n")
    sys.stdout.write(f"Page: {result.page}\n")
