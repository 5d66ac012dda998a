"""`Bpe`: pieces of words, the commonest ones whole."""

import json
import os
from collections.abc import Iterable
from functools import lru_cache
from typing import TYPE_CHECKING

import torch
from jaxtyping import Int32, Int64
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from gradatim.core.errors import ConfigError, CorruptError
from gradatim.layers.text.tokens import PAD, SPECIAL, UNKNOWN, Tokens
from gradatim.ops.text.characters import STRANGE, written

if TYPE_CHECKING:
    from tokenizers import Tokenizer

__all__ = ["Bpe"]

NAMES = ("<pad>", "<begin>", "<end>", "<unknown>")
"""Of PAD, BEGIN, END and UNKNOWN; text is never read as one of them."""
PARTS = r" ?[\p{L}\p{M}'’]+| ?\p{N}+| ?[^\s\p{L}\p{M}\p{N}'’]+|\s+(?!\S)|\s+"
"""Words with the space before them, numbers, marks, white space; no token goes beyond one part."""


class Bpe(Tokens):
    """Byte pair encoding on characters: join the commonest neighbours, again and again.

    All white space is kept, so that the tokens of a text written one after the other are the text,
    save for characters that the training rows do not have.

    Args:
        alphabet: of the signature.
        size: different tokens, the four special ones among them; tokens that the rows do not
            fill are never used, and of characters only the commonest have one.
        name: begins the name of its extent, where a model has two.
        bytes: of the fitted vocabulary as JSON, 0 before it is fitted.

    Raises:
        ConfigError: the package is not installed.

    Source: Sennrich, Haddow & Birch 2016, "Neural machine translation of rare words with subword
        units"; parts of words as in Radford et al. 2019 (GPT-2).

    Deviations: characters, where GPT-2 has bytes, so that a token is always some characters; an
        apostrophe belongs to its word.
    """

    vocabulary: Tensor

    def __init__(self, alphabet: str, size: int, name: str = "bpe", bytes: int = 0) -> None:  # noqa: A002
        super().__init__()
        _package()
        self.alphabet, self.count, self.name = alphabet, size, name
        self.register_buffer("vocabulary", torch.zeros(bytes, dtype=torch.uint8))

    @property
    def extents(self) -> dict[str, int]:  # type: ignore[override]
        """How many bytes the vocabulary has."""
        return {f"{self.name}_bytes": len(self.vocabulary)}

    def fit(self, inputs: Int32[Tensor, "rows length"]) -> "Bpe":
        """Learn which neighbours to join."""
        known = (row.replace(STRANGE, "") for row in written(inputs, self.alphabet))
        vocabulary = bytearray(_trained(known, self.count))
        self.vocabulary = torch.frombuffer(vocabulary, dtype=torch.uint8)
        return self

    def forward(self, inputs: Int32[Tensor, "rows length"]) -> Int64[Tensor, "rows longest"]:
        """Return the tokens of each row."""
        if not len(inputs):
            return torch.zeros(0, 0, dtype=torch.int64)
        rows = self._words().encode_batch(written(inputs, self.alphabet))
        ids = [torch.tensor(row.ids, dtype=torch.int64) for row in rows]
        return pad_sequence(ids, batch_first=True, padding_value=PAD)

    def pieces(self) -> list[str]:
        """Return the pieces of words behind the special tokens."""
        tokenizer = self._words()
        known = [tokenizer.id_to_token(token) or "" for token in range(self.count)]
        known[:SPECIAL] = [""] * SPECIAL
        known[UNKNOWN] = STRANGE
        return known

    def _words(self) -> "Tokenizer":
        assert len(self.vocabulary), "fit() comes first"
        return _read(self.vocabulary.numpy().tobytes())


def _package() -> None:
    """Refuse where the package is missing; one thread is enough, and folds run side by side."""
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    try:
        import tokenizers  # noqa: F401
    except ImportError as error:
        what = "pieces of words need the package tokenizers, which is not installed"
        remedy = 'pip install "gradatim[text]"'
        raise ConfigError(f"{what}; install it: {remedy}") from error


def _trained(texts: Iterable[str], count: int) -> bytes:
    """Return a vocabulary as JSON: its tokens in order, and which two of them to join, in order."""
    from tokenizers import trainers

    tokenizer = _tokenizer({}, [])
    trainer = trainers.BpeTrainer(
        vocab_size=count,
        limit_alphabet=count - SPECIAL,
        special_tokens=list(NAMES),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    learnt = json.loads(tokenizer.to_str())["model"]
    tokens = sorted(learnt["vocab"], key=learnt["vocab"].__getitem__)
    facts = {"tokens": tokens, "merges": learnt["merges"]}
    return json.dumps(facts, ensure_ascii=False, separators=(",", ":")).encode()


@lru_cache(maxsize=8)
def _read(vocabulary: bytes) -> "Tokenizer":
    try:
        facts = json.loads(vocabulary)
        merges = [(first, second) for first, second in facts["merges"]]
        return _tokenizer({token: i for i, token in enumerate(facts["tokens"])}, merges)
    except Exception as error:  # the package raises nothing more special
        raise CorruptError(f"the model's vocabulary is damaged: {error}") from error


def _tokenizer(vocabulary: dict[str, int], merges: list[tuple[str, str]]) -> "Tokenizer":
    from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers

    rules = models.BPE(vocabulary, merges, unk_token=NAMES[UNKNOWN], fuse_unk=False)
    tokenizer = Tokenizer(rules)
    tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex(PARTS), behavior="isolated")
    tokenizer.decoder = decoders.Fuse()
    return tokenizer
