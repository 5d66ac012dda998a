"""The shared flags: each command has its own set, and passes on what the Python verb takes."""

from dataclasses import asdict, fields
from importlib import import_module
from typing import get_args

import pytest

from gradatim.cli.data_flags import COMPARE, DATA, LOOK, CompareFlags, LookFlags
from gradatim.cli.main import main
from gradatim.session.data_options import Chosen

COMMANDS = {
    "inspect": LOOK,
    "fit": DATA,
    "climb": COMPARE,
    "race": COMPARE,
    "rates": COMPARE,
    "ablate": COMPARE,
}
SHORTER = {"source_language": "--from", "target_language": "--to"}


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_has_the_flags_that_its_verb_has_as_keywords(name):
    verb = getattr(import_module(f"gradatim.session.{name}"), name)
    keys = get_args(verb.__annotations__["options"])[0].__annotations__
    command = getattr(import_module(f"gradatim.cli.{name}"), name)
    flags = command.__annotations__["flags"]
    assert {f.name for f in fields(flags)} == {"target", *keys}
    assert command.__kwdefaults__["flags"] == COMMANDS[name]


def test_defaults_are_those_of_python():
    assert asdict(COMPARE) == asdict(Chosen())


@pytest.mark.parametrize("name", COMMANDS)
def test_help_names_every_flag_with_its_text(name, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "100")
    assert main([name, "--help"]) == 0
    shown = capsys.readouterr().out
    lines = [line.strip("│ *") for line in shown.splitlines()]
    for field in fields(type(COMMANDS[name])):
        flag = SHORTER.get(field.name, "--" + field.name.replace("_", "-"))
        line = next(line for line in lines if line.split(" ")[0] == flag)
        told = line.split("  ", 1)[1].partition("[")[0]
        assert len(told.split()) >= 3, line
    assert "--flags" not in shown
    assert "--no-" not in shown
    assert "--empty-" not in shown


def test_flags_of_comparing_commands_are_not_those_of_inspect(capsys):
    extra = {f.name for f in fields(CompareFlags)} - {f.name for f in fields(LookFlags)}
    assert extra >= {"metric", "drop", "allow_leak", "missing", "folds", "rope"}
    assert main(["inspect", "iris", "--drop", "a"]) == 2
    assert "--drop" in capsys.readouterr().err


def test_flags_arrive_at_the_verb(monkeypatch, capsys):
    came = {}

    def fit(data, **told):
        came.update(told, data=data)
        raise KeyboardInterrupt

    monkeypatch.setattr("gradatim.session.fit.fit", fit)
    words = [
        "fit",
        "x.csv",
        "--rung",
        "mlp",
        "--target",
        "y",
        "--drop",
        "a",
        "--drop",
        "b",
        "--allow-leak",
        "--rows",
        "20",
    ]
    assert main(words) == 6
    assert (came["data"], came["target"], came["rows"]) == ("x.csv", "y", 20)
    assert (came["drop"], came["allow_leak"], came["missing"]) == (("a", "b"), True, "impute")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("--rows 2.5", "--rows: 2.5 is no whole number"),
        ("--missing x", '"x" for --missing'),
        ("--no-allow-leak", "--no-allow-leak"),
        ("--flags.rows 20", "--flags.rows"),
        ("--taget y", "--target"),
    ],
)
def test_wrong_flags_are_named(words, said, capsys):
    assert main(["climb", "iris", *words.split()]) == 2
    assert said in capsys.readouterr().err
