"""Whatever stands in a file of sentence pairs, it is read or refused in a few lines."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gradatim.core.errors import GradatimError
from gradatim.core.source import ReadOptions
from gradatim.data.pairs.messages import po_bytes, read_po
from gradatim.data.pairs.placeholders import fits, hidden, restored
from gradatim.data.pairs.po import filled, parse_po
from gradatim.data.read import read

ANY = settings(
    max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
WAY = ReadOptions(source_language="fr", target_language="en")
PIECES = st.sampled_from(
    ["a", "\t", "\n", "\r", "fr", "en", '"', "é", "%s", "{x}", "\\", "\0", "\u2028", " ", "<", "①"]
)
MESSAGES = st.sampled_from(
    [
        *('msgid "a %s"\n', 'msgstr "b %s"\n', 'msgstr ""\n', 'msgctxt "c"\n', 'msgid ""\n'),
        *('msgid_plural "as"\n', 'msgstr[0] ""\n', 'msgstr[1] "x"\n', '"more\\n"\n', "#, fuzzy\n"),
        *("# said\n", "\n", '#~ msgid "old"\n', "odd\n", 'msgid "d\\n  e"\n'),
    ]
)
SEGMENTS = st.sampled_from(
    [
        *("<tmx>", "</tmx>", "<tu>", "</tu>", '<tuv xml:lang="fr">', '<tuv lang="en">', "</tuv>"),
        *("<seg>", "</seg>", "text", "&amp;", "&odd;", "<!DOCTYPE tmx>", "<ph>x</ph>", "<?x?>"),
    ]
)


def reads_or_refuses(content: bytes, path) -> None:
    path.write_bytes(content)
    message = ""
    try:
        read(str(path), WAY)
    except GradatimError as error:
        message = str(error)
    assert message.count("\n") < 3


@ANY
@given(content=st.one_of(st.binary(max_size=120), st.lists(PIECES).map("".join).map(str.encode)))
def test_a_table_of_pairs(content, tmp_path):
    reads_or_refuses(content, tmp_path / "t.tsv")


@ANY
@given(pieces=st.lists(PIECES), beside=st.lists(PIECES))
def test_line_aligned_files(pieces, beside, tmp_path):
    (tmp_path / "train.en").write_bytes("".join(beside).encode())
    reads_or_refuses("".join(pieces).encode(), tmp_path / "train.fr")


@ANY
@given(content=st.lists(SEGMENTS).map("".join).map(str.encode))
def test_a_memory(content, tmp_path):
    reads_or_refuses(content, tmp_path / "t.tmx")


@ANY
@given(content=st.lists(MESSAGES).map("".join))
def test_a_catalogue_is_refused_or_can_be_filled_in(content, tmp_path):
    reads_or_refuses(content.encode(), tmp_path / "t.po")
    try:
        entries = parse_po(content, "t.po").entries
    except GradatimError:
        return
    answers = {
        place: [f"{form} {entry.message}" for form in range(2 if entry.plural else 1)]
        for place, entry in enumerate(entries)
        if not entry.done
    }
    again = parse_po(filled(content, answers, "t.po"), "t.po").entries
    assert [entry.message for entry in again] == [entry.message for entry in entries]
    for place, (old, new) in enumerate(zip(entries, again, strict=True)):
        expected = dict(enumerate(answers[place])) if place in answers else old.said
        assert new.said == expected
        assert new.fuzzy == (old.fuzzy or place in answers)


@ANY
@given(text=st.lists(PIECES).map("".join), answer=st.lists(PIECES).map("".join))
def test_placeholders_come_back(text, answer):
    shown, kept = hidden(text)
    assert restored(shown, kept).split() == text.split()
    if "%" not in answer and "{" not in answer and "<" not in answer:
        assert fits(text, restored(answer, kept)) or "<" in text


def test_an_asked_catalogue_takes_as_many_answers_as_it_asked(tmp_path):
    path = tmp_path / "t.po"
    path.write_text(
        'msgid "a\\n\\n b %s"\nmsgstr ""\n\nmsgid "c"\nmsgid_plural "cs"\nmsgstr[0] ""\n'
    )
    from .test_po import asked

    corpus = read_po(path, "t.po", asked())
    assert len(corpus.pairs) == 4
    entries = parse_po(po_bytes(path, "t.po", ["A", "B", "C", "CS"]).decode(), "t.po").entries
    assert entries[0].said == {0: "A\n\n B %s"}
    assert entries[1].said == {0: "C", 1: "CS"}
