"""Patterns of file names: what they take out, and what they refuse."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gradatim.core.errors import ConfigError, DataError
from gradatim.data.file_names import compiled, fields_of, group_codes

WORDS = st.text(st.sampled_from("abcxyz0189-. "), min_size=1, max_size=8)


@pytest.mark.parametrize(
    ("pattern", "name", "fields"),
    [
        ("{label}_{speaker}_{index}.wav", "7_theo_32.wav", ("7", "theo", "32")),
        ("{label}_{speaker}_{index}.wav", "recordings/7_theo_32.wav", ("7", "theo", "32")),
        ("{label}/{index}.wav", "a/dog/1.wav", ("dog", "1")),
        ("{speaker}/{label}/{index}.wav", "anna/yes/1.wav", ("anna", "yes", "1")),
        ("{label}-{rest}", "yes-no-maybe.wav", ("yes", "no-maybe.wav")),  # the first takes little
        ("a.{label}", "x/a.b", ("b",)),
        ("{label}.(1)", "b.(1)", ("b",)),  # what stands between fields stands for itself
    ],
)
def test_takes_the_fields_out(pattern, name, fields):
    found = compiled(pattern).search(name)
    assert found is not None
    assert found.groups() == fields


@pytest.mark.parametrize(
    ("pattern", "name"),
    [
        ("{label}_{index}.wav", "7.wav"),
        ("{label}_{index}.wav", "7_1.wav.bak"),
        ("{label}/{index}.wav", "1.wav"),
        ("{label}.wav", ".wav"),  # a field has one character at least
        ("a.{label}", "axb"),
        ("a_{label}.wav", "extra_a_7.wav"),  # a pattern begins where a name does
    ],
)
def test_fits_whole_names_alone(pattern, name):
    assert compiled(pattern).search(name) is None


@given(WORDS, WORDS, WORDS)
def test_whatever_was_put_in_comes_out(folder, label, rest):
    found = compiled("{label}_{rest}").search(f"{folder}/{label}_{rest}")
    assert found is not None
    assert (found["label"], found["rest"]) == (label, rest)


@pytest.mark.parametrize(
    ("pattern", "said"),
    [
        ("{speaker}_{index}.wav", "has no field {label}"),
        ("{label}{speaker}.wav", "nothing stands between two fields"),
        ("{label}_{label}.wav", '"label" stands there twice'),
        ("{label}_{1st}.wav", '"1st" is no name of a field'),
        ("{label}_{}.wav", '"" is no name of a field'),
        ("{label}_{speaker.wav", "a brace stands alone"),
        ("", "has no field {label}"),
    ],
)
def test_refuses_what_is_no_pattern(pattern, said):
    with pytest.raises(ConfigError) as error:
        compiled(pattern)
    assert said in str(error.value)
    assert len(str(error.value).splitlines()) <= 3


def test_few_names_may_not_fit():
    names = [f"{i}_theo.wav" for i in range(8)] + ["notes.wav", "more.wav"]
    fields = fields_of("{label}_{speaker}.wav", names, "digits")
    assert fields.fits == (True,) * 8 + (False,) * 2
    assert fields.values["label"][7:] == ["7", "", ""]
    assert fields.chosen("speaker", "--group")[0] == "theo"
    with pytest.raises(ConfigError, match='no field "speakers"; did you mean "speaker"'):
        fields.chosen("speakers", "--group")


def test_many_names_that_do_not_fit_are_a_wrong_pattern():
    names = [f"{i}_theo.wav" for i in range(7)] + ["a.wav", "b.wav"]
    with pytest.raises(DataError) as error:
        fields_of("{label}_{speaker}.wav", names, "digits")
    assert '"digits": 2 of 9 names do not fit' in str(error.value)
    assert 'the first: "a.wav"' in str(error.value)


def test_groups_are_numbered_in_natural_order():
    codes, names = group_codes(["10", "9", "10", "2"])
    assert names == ("2", "9", "10")
    assert codes.tolist() == [2, 1, 2, 0]
