"""Copy: say again what was said, in the letters of the other language."""

from collections.abc import Mapping
from typing import ClassVar

from gradatim.core.rung import Model
from gradatim.core.samples import Samples
from gradatim.core.signature import Signature
from gradatim.layers.translation.by_sentence import Copying
from gradatim.models.translation._by_sentence import OnSentences, alphabets

__all__ = ["RUNG", "CopySource"]


class CopySource(OnSentences):
    """Answer with the sentence itself.

    Idea: names, numbers and full stops are the same in many languages.
    Cost: no parameter, no training.
    Fails when: a single word has to be translated.
    """

    place: ClassVar[int] = 0
    idea: ClassVar[str] = "says again what was said: what has no translation is right already"
    source: ClassVar[str] = "Khayrallah & Koehn 2018, on what copies do to translators"
    deviations: ClassVar[tuple[str, ...]] = (
        "letters that the target does not have lose their marks, or are left out",
    )

    def build(self, signature: Signature, extents: Mapping[str, int]) -> Model:
        """Return the model, which has nothing to be filled in."""
        return self.model(Copying(*alphabets(signature)), extents)

    def solve(self, samples: Samples, signature: Signature, seed: int) -> Model:
        """Learn nothing."""
        return self.build(signature, {})


RUNG = CopySource
