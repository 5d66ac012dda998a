"""What a user is told: right exit code, at most three lines, a remedy, nothing left behind."""

import json
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import gradatim
import gradatim.session.listing as listing_room
from gradatim.core.errors import GradatimError

from ..data.corpus import CORPUS  # noqa: TID252  the tests are no installed package
from .shell import Said, command, leftovers, sales
from .shell import gradatim as shell

HELP = """\
Usage: gradatim COMMAND

Which network does my data need?

╭─ Commands ───────────────────────────────────────────────────────────────────╮
│ ablate          Say what each regulariser of a rung bought, with paired      │
│                 intervals.                                                   │
│ attend          Draw where a translator looks as it writes each word.        │
│ climb           Climb the ladder on your data: every rung on the same folds, │
│                 a verdict, a report.                                         │
│ derive          Differentiate an expression or a network in five ways, and   │
│                 draw its graph.                                              │
│ evaluate        Score the model of a run on its sealed test split, or on     │
│                 other data.                                                  │
│ fit             Fit one rung, with the recipe you choose.                    │
│ import-weights  Turn a published state dict into a model of this project.    │
│ inspect         Look the data over: types, gaps, duplicates, leaks, and how  │
│                 long each rung takes.                                        │
│ list            List rungs, tasks, sources or optimizers.                    │
│ predict         Answer new rows or pictures with the model of a run.         │
│ race            Let optimizers race: one rung, the same folds and seeds,     │
│                 loss against cost.                                           │
│ rates           Find a learning rate: a range test, then a sweep on the same │
│                 folds.                                                       │
│ report          Write one HTML page for finished runs.                       │
│ resume          Go on with a climb or a fit that was interrupted.            │
│ shapes          Print and draw a network's layers: shapes, parameters,       │
│                 multiply-adds, fields.                                       │
│ signal          Draw how large signals and gradients are, layer by layer,    │
│                 beside theory.                                               │
│ story           Tell a story of the course with numbers: xor, vanishing,     │
│                 symmetry or memory.                                          │
│ track           Write a run's records for TensorBoard or MLflow.             │
│ --help (-h)     Display this message and exit.                               │
│ --version       Display application version.                                 │
╰──────────────────────────────────────────────────────────────────────────────╯

Every command has --help. --debug shows the traceback of an error.
"""


def assert_short(said: Said) -> None:
    """The end of stderr is a message for people; before it there may be progress."""
    assert said.out == ""
    lines = said.err.splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith("gradatim: "))
    assert len(lines) - start <= 3, said.err
    assert "Traceback" not in said.err
    assert all(line.isprintable() for line in lines)


@pytest.mark.parametrize("name", CORPUS)
def test_malformed_data_is_refused(tmp_path, name):
    """Every input of the corpus, through the command line."""
    (tmp_path / "data").mkdir()
    arguments, code = CORPUS[name](tmp_path / "data")
    before = set(tmp_path.rglob("*"))
    said = shell(tmp_path, "climb", *arguments)
    assert said.code == code, said.err
    assert_short(said)
    assert set(tmp_path.rglob("*")) == before


def test_the_corpus_is_large():
    assert len(CORPUS) >= 60


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["clim"], ["clim", "climb"]),
        (["climb", "iris", "--fold", "3"], ["--fold", "--folds"]),
        (["climb", "iris", "--nonsense"], ["--nonsense"]),
        (["climb", "iris", "--rungs", "ridg"], ['"ridg"', '"ridge"']),
        (["climb", "iris", "--without", "svn"], ['"svn"', '"svm"']),
        (["climb", "iris", "--metric", "acuracy"], ['"acuracy"', '"accuracy"']),
        (["climb", "iris", "--metric", "rmse"], ['"rmse"', "accuracy"]),
        (["climb", "iris", "--task", "cluster"], ["cluster", "classify"]),
        (["climb", "iris", "--drop", "petal"], ['"petal"', "petal"]),
        (["climb", "iris", "--seed", "x"], ["--seed", "x is no whole number"]),
        (["climb", "iris", "--folds", "2.5"], ["--folds", "2.5", "whole"]),
        (["climb", "iris", "--folds"], ["--folds"]),
        (["climb"], ["DATA"]),
        (["fit", "iris"], ["--rung"]),
        (["fit", "iris", "--rung", "mpl"], ['"mpl"', '"mlp"']),
        (["fit", "iris", "--rung", "mean"], ["mean", "use majority"]),
        (["fit", "iris", "--rung", "mlp", "--set", "lr"], ["lr", "optimizer.lr=0.1"]),
        (["fit", "iris", "--rung", "mlp", "--set", "epochs.x=1"], ["epochs = {'x': 1}"]),
        (["fit", "iris", "--rung", "mlp", "--set", "model.depht=3"], ["model.depht", '"depth"']),
        (["fit", "iris", "--rung", "mlp", "--set", "optimizer.name=adm"], ['"adm"', '"adam"']),
        (["fit", "iris", "--rung", "mlp", "--recipe", "gone.toml"], ["gone.toml"]),
        (["list", "rung"], ["rung", "rungs"]),
        (["report"], ["run folder"]),
        (["inspect", "iris", "--rows", "2"], ["--rows", "10"]),
    ],
    ids=lambda value: " ".join(value) if value and value[0][:1].isalpha() else "",
)
def test_a_wrong_word_exits_2_and_names_the_nearest(tmp_path, arguments, words):
    said = shell(tmp_path, *arguments)
    assert said.code == 2, said.err
    assert_short(said)
    absent = [word for word in words if word.lower() not in said.err.lower()]
    assert not absent, said.err
    assert list(tmp_path.iterdir()) == []


def test_wrong_numbers_are_all_listed_at_once(tmp_path):
    wrong = ["--folds", "1", "--repeats", "0", "--seed", "-1", "--minutes", "nan", "--rows", "3"]
    said = shell(tmp_path, "climb", "iris", *wrong)
    assert said.code == 2
    assert_short(said)
    for flag in ("--folds = 1", "--repeats = 0", "--seed = -1", "--minutes = nan", "--rows = 3"):
        assert flag in said.err
    assert list(tmp_path.iterdir()) == []


def test_wrong_settings_of_a_recipe_are_all_listed_at_once(tmp_path):
    recipe = tmp_path / "recipe.toml"
    recipe.write_text(
        'epochs = 0\nbach = 3\nclip = "much"\n[optimizer]\nlr = -1.0\nmomentun = 0.5\n'
        '[schedule]\nname = "cosinus"\nwarmup = nan\n'
    )
    said = shell(tmp_path, "fit", "iris", "--rung", "mlp", "--recipe", "recipe.toml")
    assert said.code == 2
    assert_short(said)
    for words in (
        ("epochs = 0",),
        ('"bach"', '"batch"'),
        ("clip = 'much'",),
        ("optimizer.lr = -1.0",),
        ('"optimizer.momentun"', '"momentum"'),
        ("schedule.name = 'cosinus'",),
        ("schedule.warmup = nan",),
    ):
        assert all(word in said.err for word in words), said.err
    assert [p.name for p in tmp_path.iterdir()] == ["recipe.toml"]


def test_a_recipe_that_is_no_toml_is_named(tmp_path):
    (tmp_path / "recipe.toml").write_text("epochs = = 3\n")
    said = shell(tmp_path, "fit", "iris", "--rung", "mlp", "--recipe", "recipe.toml")
    assert said.code == 2
    assert "recipe.toml" in said.err
    assert "line 1" in said.err


def test_a_flag_wins_over_the_recipe_and_the_recipe_over_the_default(tmp_path):
    (tmp_path / "recipe.toml").write_text("epochs = 3\nbatch = 32\n[model]\nwidth = 8\n")
    ask = ("fit", "iris", "--rung", "mlp", "--recipe", "recipe.toml", "--set", "epochs=2")
    facts = shell(tmp_path, *ask, "--set", "optimizer.name=sgd", "--json").json
    recipe = facts["recipe"]
    assert (recipe["epochs"], recipe["batch"], recipe["optimizer"]["name"]) == (2, 32, "sgd")
    assert facts["settings"]["width"] == 8
    assert facts["epochs"] == 2


@pytest.mark.parametrize("name", ["evaluate", "predict", "report", "resume"])
def test_a_run_that_is_not_there_is_missing_data(tmp_path, name):
    said = shell(tmp_path, name, "runs/gone", *(["x.csv"] if name == "predict" else []))
    assert said.code == 3
    assert_short(said)
    assert "runs/gone" in said.err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("there", ["a file", "a folder with things"])
def test_out_that_is_something_else_is_left_alone(tmp_path, there):
    sales(tmp_path / "sales.csv")
    if there == "a file":
        (tmp_path / "out").write_text("mine")
    else:
        (tmp_path / "out").mkdir()
        (tmp_path / "out" / "mine.txt").write_text("mine")
    before = sorted(tmp_path.rglob("*"))
    ask = ("climb", "sales.csv", "--target", "kind", "--rungs", "majority", "--out", "out")
    said = shell(tmp_path, *ask)
    assert said.code == 2
    assert_short(said)
    assert sorted(tmp_path.rglob("*")) == before


def test_terminal_escapes_in_names_are_inert(tmp_path):
    path = tmp_path / "a\x1b[31mred\x07.csv"
    path.write_text("x\x1b]0;title\x07,y\n1,a\n2,b\n")
    said = shell(tmp_path, "climb", path.name, "--target", "z\x1b[2J")
    assert said.code == 2
    assert_short(said)
    assert "\x1b" not in said.err
    assert "\x07" not in said.err


def test_terminal_escapes_in_data_are_inert_in_what_is_printed(tmp_path):
    """Class and column names of a stranger reach the terminal through tables and answers."""
    path = sales(tmp_path / "s.csv")
    text = path.read_text().replace(",a\n", ",\x1b[31ma\n").replace("width", "wi\x1b[2Jdth", 1)
    path.write_text(text)
    ask = ("climb", "s.csv", "--target", "kind", "--rungs", "majority,linear", "--out", "run")
    for arguments in (
        ("inspect", "s.csv", "--target", "kind", "--quick"),
        ask,
        ("evaluate", "run"),
    ):
        said = shell(tmp_path, *arguments)
        assert said.code == 0, said.err
        assert "\x1b" not in said.out + said.err, arguments
    assert "\x1b[31ma" in shell(tmp_path, "predict", "run", "s.csv").out, "data stays data"
    shown = shell(tmp_path, "predict", "run", "s.csv", terminal=True)
    assert "\x1b" not in shown.out
    assert "\\x1b[31ma" in shown.out


def test_answers_that_look_like_formulas_are_quoted(tmp_path):
    path = sales(tmp_path / "s.csv")
    path.write_text(path.read_text().replace(",a\n", ",=1+1\n").replace(",b\n", ",@b\n"))
    ask = ("climb", "s.csv", "--target", "kind", "--rungs", "linear", "--out", "run")
    assert shell(tmp_path, *ask).code == 0
    _, *rows = shell(tmp_path, "predict", "run", "s.csv").out.splitlines()
    answers = {row.split(",")[1] for row in rows}
    assert answers <= {"'=1+1", "'@b", "c"}
    assert len(answers) == 3


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A folder with a finished run, to be copied before it is damaged."""
    folder = tmp_path_factory.mktemp("finished")
    sales(folder / "sales.csv")
    ask = ("climb", "sales.csv", "--target", "kind", "--rungs", "majority,linear", "--out", "run")
    assert shell(folder, *ask).code == 0
    return folder


def change(path: Path, **changes: object) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def damage(run: Path, what: str) -> None:
    question, card = run / "question.json", run / "model" / "model.json"
    if what == "the weights":
        path = run / "model" / "model.safetensors"
        path.write_bytes(path.read_bytes()[:-1])
    elif what == "the metric":
        change(card, metric="nonsense")
    elif what == "the task":
        change(card, task="play")
    elif what == "the question":
        question.write_text("[]")
    elif what == "part of the question":
        change(question, options={"target": "kind", "colour": "red"})
    elif what == "the split":
        (run / "split.npz").write_bytes(b"PK")
    elif what == "the openings":
        (run / "evaluation.json").write_text('{"openings": 3}')


@pytest.mark.parametrize(
    "what",
    [
        *("the weights", "the metric", "the task", "the question", "part of the question"),
        *("the split", "the openings"),
    ],
)
def test_a_damaged_run_is_corrupt(tmp_path, finished, what):
    shutil.copytree(finished, tmp_path / "copy")
    damage(tmp_path / "copy" / "run", what)
    said = shell(tmp_path / "copy", "evaluate", "run")
    assert said.code == 7, said.err
    assert_short(said)
    assert not leftovers(tmp_path)


@pytest.mark.parametrize("what", ["the question", "part of the question"])
def test_a_damaged_question_cannot_be_gone_on_with(tmp_path, finished, what):
    shutil.copytree(finished, tmp_path / "copy")
    run = tmp_path / "copy" / "run"
    damage(run, what)
    (run / "complete.json").unlink()
    said = shell(tmp_path / "copy", "resume", "run")
    assert said.code == 7, said.err
    assert_short(said)
    assert "question.json" in said.err


def test_a_folder_that_moved_is_a_run_all_the_same(tmp_path, finished):
    shutil.copytree(finished, tmp_path / "elsewhere")
    (tmp_path / "elsewhere" / "run").rename(tmp_path / "elsewhere" / "moved")
    for arguments in (
        ("evaluate", "moved"),
        ("predict", "moved", "sales.csv"),
        ("report", "moved"),
    ):
        said = shell(tmp_path / "elsewhere", *arguments)
        assert said.code == 0, said.err


# --- errors of ours ---------------------------------------------------------------------------


def failing(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    def listing(what: str) -> None:
        raise error

    monkeypatch.setattr(listing_room, "listing", listing)


def tree(kind: type[GradatimError] = GradatimError) -> list[type[GradatimError]]:
    return [kind, *(below for part in kind.__subclasses__() for below in tree(part))]


@pytest.mark.parametrize("kind", tree(), ids=lambda kind: kind.__name__)
def test_every_error_has_its_exit_code(tmp_path, monkeypatch, kind):
    failing(monkeypatch, kind("the left one is odd\nturn it\n\nand\nwait"))
    said = shell(tmp_path, "list", "rungs")
    assert said.code == kind.exit_code
    assert said.err == "gradatim: the left one is odd\nturn it\nand wait\n"


@pytest.mark.parametrize(
    ("error", "code", "word"),
    [
        (MemoryError(), 5, "out of memory"),
        (OSError(28, "No space left on device", "runs/x"), 5, "No space left"),
        (OSError(30, "Read-only file system", "runs/x"), 5, "Read-only"),
        (KeyboardInterrupt(), 6, "the same command goes on"),
        (ZeroDivisionError("division by zero"), 70, "bug: ZeroDivisionError"),
        (AssertionError("never"), 70, "--debug"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else "",
)
def test_other_ends_have_theirs(tmp_path, monkeypatch, error, code, word):
    failing(monkeypatch, error)
    said = shell(tmp_path, "list", "rungs")
    assert said.code == code
    assert word in said.err
    assert "Traceback" not in said.err


def test_debug_shows_the_traceback_and_the_message(tmp_path, monkeypatch):
    failing(monkeypatch, ZeroDivisionError("division by zero"))
    for arguments in (("list", "rungs", "--debug"), ("--debug", "list", "rungs")):
        said = shell(tmp_path, *arguments)
        assert said.code == 70
        assert "Traceback (most recent call last)" in said.err
        assert said.err.splitlines()[-1].startswith("gradatim: this is a bug")


def test_sigterm_is_an_interruption(tmp_path, monkeypatch):
    monkeypatch.setattr(listing_room, "listing", lambda what: signal.raise_signal(signal.SIGTERM))
    assert shell(tmp_path, "list", "rungs").code == 6


# --- in a process of its own --------------------------------------------------------------------


def run(*arguments: str, **options) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(*arguments), capture_output=True, text=True, check=False, **options
    )


def test_help_is_what_it_was():
    said = run("--help", env={"PATH": "/usr/bin:/bin", "COLUMNS": "80"})
    assert said.returncode == 0
    assert said.stdout == HELP


def test_help_loads_nothing_heavy():
    """What makes `--help` fast: none of the large libraries is imported."""
    code = (
        "import sys; from gradatim.cli import main; main(['--help'])\n"
        "heavy = {'torch', 'sklearn', 'scipy', 'pandas', 'matplotlib', 'numpy', 'pyarrow'}\n"
        "sys.exit(','.join(sorted(heavy & set(sys.modules))) or None)"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (said.returncode, said.stderr) == (0, "")


@pytest.mark.parametrize(
    "name", ["climb", "inspect", "fit", "resume", "predict", "evaluate", "report", "list"]
)
def test_every_command_has_help(tmp_path, name):
    said = shell(tmp_path, name, "--help")
    assert said.code == 0
    assert f"gradatim {name}" in said.out
    assert said.err == ""


def test_version_is_that_of_the_package(tmp_path):
    said = shell(tmp_path, "--version")
    assert (said.code, said.out) == (0, f"{gradatim.__version__}\n")


def test_a_pipe_that_closes_is_no_error():
    """As in `gradatim list rungs | head -1`."""
    process = subprocess.Popen(
        command("list", "rungs"), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    process.stdout.close()
    assert process.stderr.read() == ""
    process.stderr.close()
    assert process.wait() == 0


def test_colours_stay_off_where_nobody_looks(tmp_path):
    sales(tmp_path / "sales.csv")
    said = run("inspect", "sales.csv", "--target", "kind", "--quick", cwd=tmp_path)
    assert said.returncode == 0
    assert "\x1b" not in said.stdout


def test_main_gives_the_exit_code_to_the_shell():
    assert run("climb", "gone.csv").returncode == 3
    assert run("no-such-command").returncode == 2
