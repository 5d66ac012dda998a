"""Files of running text: what is claimed, how it is cut, what is refused."""

import gzip
from pathlib import Path

import numpy as np
import pytest
import torch

from gradatim.core.errors import ConfigError, DataError, GradatimError
from gradatim.core.signature import Continuation, Text
from gradatim.core.source import ReadOptions
from gradatim.data.doctor import examine
from gradatim.data.read import read
from gradatim.data.sources import SOURCES
from gradatim.data.splits import partition
from gradatim.data.text.passages import cut
from gradatim.ops.text.characters import written

TABLE = "x,y\n" + "".join(f"{i},{'ab'[i % 2]}\n" for i in range(30))
WORDS = ("the", "cat", "sat", "on", "a", "mat", "and", "saw", "it", "go")


def prose(characters: int = 20_000, seed: int = 0) -> str:
    """Lines of words that have no meaning, of different lengths."""
    chance = np.random.default_rng(seed)
    lines: list[str] = []
    while sum(len(line) + 1 for line in lines) < characters:
        lines.append(" ".join(chance.choice(WORDS, chance.integers(1, 14))))
    return ("\n".join(lines) + "\n")[:characters]


def save(path: Path, text: str, encoding: str = "utf-8") -> Path:
    path.write_bytes(text.encode(encoding))
    return path


def claiming(location: Path, options: ReadOptions | None = None) -> list[str]:
    asked = options or ReadOptions()
    return [name for name, s in SOURCES.all().items() if s.claims(str(location), asked)]


def test_a_text_is_cut_into_passages_that_give_it_back(tmp_path):
    text = prose(20_001)
    data = read(save(tmp_path / "a.txt", text))
    assert data.signature.input == Text(length=256, alphabet="".join(sorted(set(text))))
    assert data.signature.output == Continuation()
    assert data.samples.targets is data.samples.inputs
    assert "".join(written(data.samples.inputs, data.signature.input.alphabet)) == text


def test_the_last_tenth_is_sealed_to_the_character(tmp_path):
    text = prose(20_001)
    data = read(save(tmp_path / "a.txt", text))
    part = data.samples.inputs[data.sealed]
    assert "".join(written(part, data.signature.input.alphabet)) == text[18_000:]


def test_rows_are_called_by_their_lines(tmp_path):
    text = prose() + "z" * 1000
    data = read(save(tmp_path / "a.txt", text))
    starts = [256 * row for row in range(30)]
    for name, start in zip(data.row_names, starts, strict=False):
        line = int(name.removeprefix("line ").partition(":")[0])
        assert line == text.count("\n", 0, start) + 1
    assert len(set(data.row_names)) == len(data)
    # 21,000 characters: the last passage has what is over of the sealed 2,100.
    column = 21_000 - 2100 % 256 - text.rindex("\n")
    assert data.row_names[-1] == f"line {text.count(chr(10)) + 1}:{column}"


def test_sections_go_to_one_side_of_every_split(tmp_path):
    data = read(save(tmp_path / "a.txt", prose(120_000)))
    groups = data.samples.groups.numpy()
    assert len(set(groups[~data.sealed.numpy()])) == 39  # of 11 passages of 422
    assert (np.diff(groups) >= 0).all()
    assert not set(groups[data.sealed.numpy()]) & set(groups[~data.sealed.numpy()])
    _, split = partition(examine(data))
    for fold in split.folds:
        assert not set(groups[fold.training]) & set(groups[fold.validation])
        # Folds cut the text in few places: most rows go on from the one above.
        assert (np.diff(fold.validation) > 1).sum() <= len(set(groups[fold.validation]))


def test_a_passage_keeps_to_its_file_and_its_part():
    parts = cut([600, 0, 300, 100], length=256, share=0.1)
    assert parts.starts.tolist() == [0, 256, 512, 600, 856, 900]
    assert parts.ends.tolist() == [256, 512, 600, 856, 900, 1000]
    assert parts.sealed.tolist() == [False] * 5 + [True]
    assert len(set(parts.sections)) == 6


@pytest.mark.parametrize("name", ["a.txt", "a.text", "a.md", "A.TXT", "a.txt.gz", "a.md.gz"])
def test_running_text_is_claimed_by_its_name(tmp_path, name):
    path = tmp_path / name
    path.write_bytes(gzip.compress(prose().encode()) if name.endswith("gz") else prose().encode())
    assert claiming(path) == ["text"]
    assert len(read(path)) == 79


def test_a_table_is_no_running_text(tmp_path):
    table = save(tmp_path / "t.txt", TABLE)
    assert claiming(table) == ["csv"]
    assert claiming(table, ReadOptions(task="model_text")) == ["text"]
    assert claiming(save(tmp_path / "t.csv", TABLE)) == ["csv"]
    save(tmp_path / "p.txt", prose())
    assert claiming(tmp_path / "p.txt", ReadOptions(target="y")) == ["csv"]
    assert claiming(tmp_path / "p.txt", ReadOptions(task="classify")) == ["csv"]


def test_a_folder_of_texts_is_one_text_file_after_file(tmp_path):
    parts = {"b10.txt": prose(3000, 1), "b9.txt": prose(2000, 2), "a.md": prose(1000, 3)}
    for name, text in parts.items():
        save(tmp_path / name, text)
    (tmp_path / "empty.txt").touch()
    (tmp_path / ".hidden.txt").write_text("no")
    assert claiming(tmp_path) == ["text"]
    data = read(tmp_path)
    whole = "".join(written(data.samples.inputs, data.signature.input.alphabet))
    assert whole == parts["a.md"] + parts["b9.txt"] + parts["b10.txt"]
    assert data.row_names[0] == "a.md line 1"
    assert data.row_names[4] == "b9.txt line 1"


def test_a_folder_with_anything_else_asks_for_the_job(tmp_path):
    save(tmp_path / "a.txt", prose())
    (tmp_path / "b.png").write_bytes(b"")
    assert "text" not in claiming(tmp_path)
    assert claiming(tmp_path, ReadOptions(task="model_text")) == ["text"]
    assert len(read(tmp_path, ReadOptions(task="model_text"))) == 79


def test_a_fitted_alphabet_codes_what_it_knows_and_counts_what_it_does_not(tmp_path):
    learnt = read(save(tmp_path / "a.txt", prose()))
    save(tmp_path / "b.txt", "the cat äß sat\n")
    data = read(tmp_path / "b.txt", ReadOptions(signature=learnt.signature))
    assert data.signature == learnt.signature
    assert data.sealed is None
    assert data.samples.inputs.shape == (1, 256)
    codes = data.samples.inputs[0]
    assert (codes == len(learnt.signature.input.alphabet)).sum() == 2
    assert (codes == -1).sum() == 256 - 15
    (finding,) = [f for f in data.findings if f.code == "unknown-characters"]
    assert finding.message.startswith("2 characters")


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32"])
def test_byte_order_marks_and_line_ends_are_no_characters(tmp_path, encoding):
    text = prose()
    expected = read(save(tmp_path / "a.txt", text)).samples.inputs
    save(tmp_path / "b.md", text.replace("\n", "\r\n"), encoding)
    assert torch.equal(read(tmp_path / "b.md").samples.inputs, expected)


def test_a_declared_encoding_is_used(tmp_path):
    save(tmp_path / "a.txt", "é" + prose(), "cp1252")
    data = read(tmp_path / "a.txt", ReadOptions(encoding="cp1252"))
    assert data.signature.input.alphabet.endswith("é")


REFUSED = {
    "empty": (b"", "is empty"),
    "blank": (b" \n" * 3000, "white space only"),
    "short": (prose(3999).encode(), "3,999 characters"),
    "one character": (b"a" * 5000, "again and again"),
    "no utf-8": (prose().encode() + b"\xff\xfe", "is no utf-8"),
    "binary": (b"\x7fELF\x01\x01\x00" + prose().encode(), "which no text has"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_no_text_is_refused_in_three_lines(tmp_path, case):
    content, said = REFUSED[case]
    (tmp_path / "a.md").write_bytes(content)
    with pytest.raises(DataError, match=said) as refused:
        read(tmp_path / "a.md")
    assert str(refused.value).count("\n") < 3
    assert "a.md" in str(refused.value)


def test_empty_folders_and_columns_are_refused(tmp_path):
    with pytest.raises(DataError, match="holds no text"):
        read(tmp_path, ReadOptions(task="model_text"))
    (tmp_path / "a.txt").touch()
    with pytest.raises(DataError, match="empty"):
        read(tmp_path, ReadOptions(task="model_text"))
    save(tmp_path / "b.md", prose())
    with pytest.raises(ConfigError, match="no columns"):
        read(tmp_path / "b.md", ReadOptions(target="y"))
    with pytest.raises(GradatimError, match="classify"):
        read(f"text:{tmp_path / 'b.md'}", ReadOptions(task="classify"))


def test_a_model_of_tables_does_not_read_texts(tmp_path):
    table = read(save(tmp_path / "t.csv", TABLE), ReadOptions(target="y"))
    save(tmp_path / "a.md", prose())
    with pytest.raises(DataError, match="table"):
        read(f"text:{tmp_path / 'a.md'}", ReadOptions(signature=table.signature))


def test_the_doctor_ties_sections_with_equal_passages(tmp_path):
    """A page that was pasted twice may not teach and judge; a whole text that repeats still can."""
    page = prose(256 * 40)
    text = page + prose(256 * 60, 5) + page[: 256 * 3] + prose(256 * 20, 6)
    data = examine(read(save(tmp_path / "a.txt", text)))
    groups = data.samples.groups
    assert groups[0] == groups[100]
    assert groups[0] != groups[50]
    _, split = partition(examine(read(save(tmp_path / "b.txt", page * 6))))
    assert len(split.folds) >= 2


def test_tinyshakespeare_is_as_others_split_it(data_root):
    data = read(data_root / "text" / "tinyshakespeare.txt")
    assert int((data.samples.inputs >= 0).sum()) == 1_115_394
    assert int((data.samples.inputs[data.sealed] >= 0).sum()) == 111_540
    assert len(data.signature.input.alphabet) == 65
