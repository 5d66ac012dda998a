"""`attend`: where a translator looks as it writes each word."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from gradatim.core.errors import ConfigError
from gradatim.core.signature import Translation
from gradatim.explain.alignments import Alignment, alignment
from gradatim.report.figures.alignment import alignment_figure
from gradatim.report.sheet import Part, sheet
from gradatim.runs.files import write_bytes
from gradatim.session.load import load

__all__ = ["Attended", "attend"]


@dataclass(frozen=True)
class Attended:
    """The words of both sides with their weights, and the page that draws them."""

    facts: dict[str, Any]
    page: Path


def attend(
    run: Path | str,
    sentence: str,
    *,
    translation: str | None = None,
    out: Path | str | None = None,
) -> Attended:
    """Translate a sentence and draw where the model looks at each word that it writes.

    Args:
        run: of attention_seq2seq or translator.
        sentence: in the language that the run reads.
        translation: shown in place of what the model would write itself.
        out: the page; by default runs/attend-RUNG.html.

    Raises:
        ConfigError: the model does not translate, or does not look at words.
        DataError: there is nothing to translate.
    """
    model, card, _ = load(run)
    if not isinstance(card.signature.output, Translation):
        raise ConfigError(f"{run} holds {card.rung}, which does not translate; name a translator")
    found = alignment(model, card.signature, sentence, translation)
    shown = translation is not None
    page = Path(out) if out is not None else Path("runs") / f"attend-{card.rung}.html"
    write_bytes(page, _page(card.rung, sentence, found, shown).encode())
    facts = {"rung": card.rung, "sentence": sentence, "shown": shown}
    return Attended(facts | asdict(found) | {"page": str(page)}, page)


def _page(rung: str, sentence: str, found: Alignment, shown: bool) -> str:
    who = "a translation that it was shown" if shown else "its own translation"
    figure = alignment_figure(found.source, found.target, found.weights)
    return sheet(
        f"Where {rung} looks",
        f"“{sentence}” became “{found.translation}”, {who}.",
        [
            Part("Attention", MEANING, figure),
            Part(
                "In numbers",
                columns=["written", *found.source],
                rows=[
                    [word, *(f"{100 * weight:.1f}" for weight in row)]
                    for word, row in zip(found.target, found.weights, strict=True)
                ],
            ),
        ],
    )


MEANING = (
    "Each row is a word that was written, in percent of its attention to the words that were read, "
    "just before it was written. Of several heads and blocks it is the mean; a word of several "
    "pieces counts once. Attention says where a network looked, not why it chose a word."
)
