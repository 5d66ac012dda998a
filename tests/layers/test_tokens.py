"""Characters and pieces of words."""

import pytest
import torch

from gradatim.core.errors import CorruptError
from gradatim.layers.text.bpe import Bpe
from gradatim.layers.text.tokens import PAD, UNKNOWN, Characters, Tokens, trimmed
from gradatim.ops.text.characters import STRANGE, coded, written

ROWS = [
    "Un homme avec un chapeau.",
    "Un homme\nregarde  l'herbe, l'eau et l'homme.",
    "",
    "Deux hommes avec deux chapeaux: 12 hommes!",
]
ALPHABET = "".join(sorted(set("".join(ROWS))))
INPUTS = coded(ROWS, ALPHABET)


def tokenizers() -> list[Tokens]:
    return [Characters(ALPHABET).fit(INPUTS), Bpe(ALPHABET, 60).fit(INPUTS)]


@pytest.mark.parametrize("tokens", tokenizers(), ids=["characters", "bpe"])
def test_text_comes_back(tokens: Tokens):
    said = tokens(INPUTS)
    assert tokens.write(said) == ROWS
    assert said.dtype == torch.int64
    assert said.max() < tokens.count
    assert (said[2] == PAD).all()
    assert not (said == UNKNOWN).any()
    assert (said != PAD).any(0).all(), "no column is empty"


@pytest.mark.parametrize("tokens", tokenizers(), ids=["characters", "bpe"])
def test_lengths_add_up_to_the_characters(tokens: Tokens):
    """What a score a character rests on, unknown characters included."""
    asked = coded([*ROWS, "Un zèbre, zut"], ALPHABET)
    assert tokens.lengths()[tokens(asked)].sum(1).tolist() == (asked >= 0).sum(1).tolist()


@pytest.mark.parametrize("tokens", tokenizers(), ids=["characters", "bpe"])
def test_what_was_never_seen_is_unknown(tokens: Tokens):
    assert tokens.write(tokens(coded(["un œrau"], ALPHABET))) == [f"un {STRANGE}rau"]


def test_a_row_depends_on_no_other():
    bpe = Bpe(ALPHABET, 60).fit(INPUTS)
    for row, text in zip(bpe(INPUTS), ROWS, strict=True):
        assert torch.equal(row[row != PAD], bpe(coded([text], ALPHABET))[0])


def test_the_commonest_neighbours_are_joined_first():
    """Sennrich, Haddow & Birch 2016: the first join of their example is e s, the second es t."""
    rows = ["low"] * 5 + ["lower"] * 2 + ["newest"] * 6 + ["widest"] * 3
    alphabet = "".join(sorted(set("".join(rows))))
    bpe = Bpe(alphabet, 4 + len(alphabet) + 2).fit(coded(rows, alphabet))
    assert bpe.pieces()[-2:] == ["es", "est"]


def test_the_size_holds_for_any_rows():
    """Fewer tokens than asked for leave numbers unused, more characters than that are unknown."""
    few, many = Bpe("ab", 50).fit(coded(["ab"], "ab")), Bpe(ALPHABET, 10).fit(INPUTS)
    assert len(few.pieces()) == 50
    assert few.pieces()[-1] == ""
    assert many(INPUTS).max() < 10
    assert (many(INPUTS) == UNKNOWN).any()


def test_equal_rows_give_equal_bytes_and_other_rows_do_not():
    first, second = (Bpe(ALPHABET, 60).fit(INPUTS) for _ in range(2))
    other = Bpe(ALPHABET, 60).fit(INPUTS[:1])
    assert torch.equal(first.vocabulary, second.vocabulary)
    assert not torch.equal(first.vocabulary, other.vocabulary)


def test_state_makes_the_same_tokens_in_an_empty_one():
    fitted = Bpe(ALPHABET, 60, "source").fit(INPUTS)
    with torch.device("meta"):
        empty = Bpe(ALPHABET, 60, "source", fitted.extents["source_bytes"])
    empty.load_state_dict(fitted.state_dict(), assign=True)
    assert torch.equal(empty(INPUTS), fitted(INPUTS))


def test_text_that_spells_a_special_token_is_text():
    rows = ["<end><pad>"] * 3
    alphabet = "".join(sorted(set("".join(rows))))
    bpe = Bpe(alphabet, 40).fit(coded(rows, alphabet))
    assert bpe.write(bpe(coded(rows, alphabet))) == rows


def test_a_damaged_vocabulary_is_refused():
    bpe = Bpe(ALPHABET, 60).fit(INPUTS)
    bpe.vocabulary = bpe.vocabulary[:-5]
    with pytest.raises(CorruptError, match="damaged"):
        bpe(INPUTS)


def test_trimmed_keeps_an_empty_table():
    assert trimmed(torch.zeros(2, 3, dtype=torch.int64)).shape == (2, 0)


def test_characters_beyond_the_first_plane_come_back():
    texts = ["😀a", "é\u0301"]
    alphabet = "".join(sorted(set("".join(texts))))
    assert written(coded(texts, alphabet, 9), alphabet) == texts
