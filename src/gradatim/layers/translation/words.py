"""`Words`: the output of a translator, between characters of the data and tokens of a network."""

from jaxtyping import Int32, Int64
from torch import Tensor, nn
from torch.nn import functional as F

from gradatim.layers.text.tokens import BEGIN, END, PAD, Tokens
from gradatim.ops.text.characters import coded

__all__ = ["Words"]


class Words(nn.Module):
    """Sentences as a network is shown them, and what it wrote as sentences.

    Args:
        alphabet: of the target language.
        tokens: of that language, over the same alphabet.
    """

    def __init__(self, alphabet: str, tokens: Tokens) -> None:
        super().__init__()
        self.alphabet, self.tokens = alphabet, tokens

    @property
    def extents(self) -> dict[str, int]:
        """Sizes that the tokens took from the data."""
        return self.tokens.extents

    def fit(self, targets: Int32[Tensor, "rows length"]) -> "Words":
        """Learn the vocabulary of these sentences."""
        self.tokens.fit(targets)
        return self

    def encode(self, targets: Int32[Tensor, "rows length"]) -> Int64[Tensor, "rows longest"]:
        """Return BEGIN, the tokens, END and PAD of each sentence."""
        tokens = self.tokens(targets)
        shown = F.pad(tokens, (1, 1), value=PAD)
        shown[:, 0] = BEGIN
        ends = 1 + (tokens != PAD).sum(1, keepdim=True)
        return shown.scatter_(1, ends, END)

    def forward(self, tokens: Int64[Tensor, "rows longest"]) -> Int32[Tensor, "rows length"]:
        """Return the characters of what was written, -1 after the end."""
        return coded(self.tokens.write(tokens), self.alphabet).to(tokens.device)

    def pieces(self, tokens: Int64[Tensor, " count"]) -> list[str]:
        """Return what each token of one sentence stands for."""
        known = self.tokens.pieces()
        return [known[token] for token in tokens.tolist()]
