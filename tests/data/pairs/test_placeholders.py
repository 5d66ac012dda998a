"""Placeholders survive whatever a model does with them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gradatim.data.pairs.placeholders import CIRCLED, fits, hidden, restored

MESSAGES = [
    "Open %s",
    "%(name)d files in %(folder)s",
    "{name} has {0} of {}",
    "100% of %d%% sure",
    "%1$s before %2$-5.3ld",
    "<b>bold</b> and ${HOME}",
    "nothing at all",
    "%s%s%s",
    "a literal \u2460 stays",
]


@pytest.mark.parametrize("message", MESSAGES)
def test_hidden_and_restored_is_the_message(message):
    text, kept = hidden(message)
    assert restored(text, kept) == message
    for one in kept:
        assert one not in text or one in CIRCLED


def test_what_is_hidden():
    assert hidden("%(name)d files in {folder}, %5.2f%% <br/>")[1] == (
        "%(name)d",
        "{folder}",
        "%5.2f",
        "%%",
        "<br/>",
    )
    assert hidden("100% off, {not a name}")[1] == ()


def test_a_translation_is_hidden_by_the_numbers_of_its_message():
    _, kept = hidden("%s is in {folder}")
    assert hidden("In {folder} liegt %s und %d", kept)[0] == "In \u2461 liegt \u2460 und %d"


@given(st.sampled_from(MESSAGES), st.text(st.sampled_from(CIRCLED[:5] + "ab %"), max_size=12))
def test_whatever_a_model_answers_has_the_placeholders_of_the_message(message, answer):
    _, kept = hidden(message)
    if "%" not in answer:  # a per cent sign of the model's own may make a placeholder
        assert fits(message, restored(answer, kept))


def test_values_filled_in_by_order_keep_it():
    """`printf` gives the first value to the first %, whatever the model would like."""
    _, kept = hidden("%s costs %d")
    assert restored("\u2461 kostet \u2460", kept) == "%s kostet %d"
    _, kept = hidden("%1$s costs %2$d")
    assert restored("\u2461 kostet \u2460", kept) == "%2$d kostet %1$s"


def test_too_many_are_left_where_they_are():
    message = "%s " * 51
    assert hidden(message) == (message, ())


@pytest.mark.parametrize(
    ("message", "translation", "good"),
    [
        ("%s of %d", "%s von %d", True),
        ("%s of %d", "%d von %s", False),
        ("%(a)s of %(b)d", "%(b)d von %(a)s", True),
        ("%s", "nichts", False),
        ("%s", "%s %s", False),
        ("{} {x}", "{x} {}", True),
    ],
)
def test_fits_as_gettext_checks(message, translation, good):
    assert fits(message, translation) is good
