"""Words can be joined to the sentence they came from."""

from hypothesis import given
from hypothesis import strategies as st

from gradatim.ops.translation.words import JOINER, joined, words_of

SENTENCE = st.text(st.sampled_from("ab9.,-'\u2019\"()! \u00e9\u4e00\u2460\u2461_$%"), max_size=30)


@given(SENTENCE, st.booleans())
def test_words_join_to_their_sentence(text, elided):
    """Up to space at the ends and runs of it."""
    assert joined(words_of(text, elided=elided)) == " ".join(text.split())


def test_placeholders_are_words_alone():
    assert [w.replace(JOINER, "") for w in words_of("a\u2460\u2461b")] == [
        "a",
        "\u2460",
        "\u2461",
        "b",
    ]
