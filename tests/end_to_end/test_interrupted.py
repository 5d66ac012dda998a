"""A climb or a fit that is cut off goes on: nothing finished is redone, and the end is the same."""

import json
import os
import re
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import gradatim.runs.files as files
from gradatim.cli.progress import Progress
from gradatim.compare.climb import Event
from gradatim.compare.forecast import Forecast
from gradatim.runs.checkpoints import Checkpoints
from gradatim.runs.commit import committed
from gradatim.train import lasting
from gradatim.train.loop import Record

from ..runs.faults import flip  # noqa: TID252  the tests are no installed package
from .shell import Said, board_of, command, gradatim, leftovers, records_of, sales

ASK = ("climb", "sales.csv", "--target", "kind", "--rungs", "majority,logistic,mlp", "--out", "run")
LIGHT = ("climb", "sales.csv", "--target", "kind", "--rungs", "majority,linear", "--out", "run")
FIT = ("fit", "sales.csv", "--target", "kind", "--rung", "mlp", "--set", "epochs=60")
FIT += ("--set", "patience=60", "--out", "run")
FITS, FEWER = 3 * 5, 2 * 5


def counted(said: Said, kind: str) -> int:
    """Return how many fits were "fitted" or "reused", as the progress said."""
    return sum(int(number) for number in re.findall(rf"(\d+) {kind}", said.err))


def ran(factory: pytest.TempPathFactory, ask: tuple[str, ...]) -> Path:
    folder = factory.mktemp("undisturbed")
    sales(folder / "sales.csv")
    said = gradatim(folder, *ask)
    assert said.code == 0, said.err
    return folder / "run"


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory) -> Path:
    """The run of a climb that nobody disturbed."""
    return ran(tmp_path_factory, ASK)


@pytest.fixture(scope="module")
def undisturbed_light(tmp_path_factory) -> Path:
    """The run of a climb without networks that nobody disturbed."""
    return ran(tmp_path_factory, LIGHT)


@pytest.fixture(scope="module")
def undisturbed_fit(tmp_path_factory) -> Path:
    """The run of a fit that nobody disturbed."""
    return ran(tmp_path_factory, FIT)


def stamps(run: Path) -> dict[str, int]:
    """When each finished fit was finished."""
    done = run.glob("fits/*/*/complete.json")
    return {str(p.relative_to(run)): p.stat().st_mtime_ns for p in done}


def same_model(run: Path, other: Path) -> bool:
    name = "model/model.safetensors"
    return (run / name).read_bytes() == (other / name).read_bytes()


def assert_same_end(run: Path, undisturbed: Path) -> None:
    assert (run / "complete.json").is_file()
    files.verify(run)
    assert board_of(run) == board_of(undisturbed)
    assert same_model(run, undisturbed)
    assert not leftovers(run)


# --- in this process: every moment can be hit exactly -----------------------------------------


class Killed(BaseException):
    """Stands for a kill in the middle of a write."""


def kill_at_write(monkeypatch: pytest.MonkeyPatch, number: int) -> list[Path]:
    """Stop this process's climb at its write of this number, as a kill would: half-written."""
    written: list[Path] = []
    honest = files.write_bytes

    def write(path: Path, content: bytes) -> None:
        written.append(path)
        if len(written) == number:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.with_name(f".{path.name}.tmp-99999").write_bytes(content[: len(content) // 2])
            raise Killed
        honest(path, content)

    for room in ("runs.files", "runs.model_folder", "session.climb", "session.ask"):
        monkeypatch.setattr(f"gradatim.{room}.write_bytes", write)
    return written


def plant_dead_lock(run: Path) -> None:
    """Leave the lock of a process that is gone."""
    run.mkdir(exist_ok=True)
    dead = subprocess.Popen(["true"])
    dead.wait()
    (run / ".lock").write_text(json.dumps({"pid": dead.pid, "start": "1", "boot": "x"}))


def writes_of_a_climb() -> list[str]:
    """What the climb's own process writes, in order; its workers write the fits and the model."""
    return [
        *("environment.json", "question.json", "split.npz", "targets.npy", "rows.json"),
        *("signature.json", "inspection.json", "plan.json", "evaluation.json", "test_rows.npy"),
        *("test_predictions.npy", "gallery.json", "README.md", "leaderboard.json", "report.html"),
        "complete.json",
    ]


@pytest.mark.parametrize(
    ("number", "name"), list(enumerate(writes_of_a_climb(), 1)), ids=writes_of_a_climb()
)
def test_a_climb_killed_at_any_write_goes_on(tmp_path, undisturbed_light, number, name):
    sales(tmp_path / "sales.csv")
    run = tmp_path / "run"
    with pytest.MonkeyPatch.context() as patch:
        written = kill_at_write(patch, number)
        assert gradatim(tmp_path, *LIGHT).code == 70
    assert written[-1].name == name
    plant_dead_lock(run)
    before = stamps(run)
    assert gradatim(tmp_path, *LIGHT).code == 0
    assert {k: v for k, v in stamps(run).items() if k in before} == before
    assert_same_end(run, undisturbed_light)


def interrupt_after(monkeypatch: pytest.MonkeyPatch, wanted: Callable[[object], bool]) -> None:
    """Press Ctrl-C when the progress is told of something."""
    honest = Progress.__call__

    def call(self: Progress, event: Event | Record) -> None:
        honest(self, event)
        if wanted(event):
            signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(Progress, "__call__", call)


def nth_fit(number: int) -> Callable[[object], bool]:
    seen: list[object] = []

    def wanted(event: object) -> bool:
        if getattr(event, "kind", "") == "fitted":
            seen.append(event)
        return len(seen) == number

    return wanted


@pytest.mark.parametrize("number", [1, 12])
def test_finished_fits_are_reused(tmp_path, undisturbed, number):
    sales(tmp_path / "sales.csv")
    run = tmp_path / "run"
    with pytest.MonkeyPatch.context() as patch:
        interrupt_after(patch, nth_fit(number))
        said = gradatim(tmp_path, *ASK)
    assert said.code == 6
    assert said.err.splitlines()[-1] == (
        "gradatim: interrupted; nothing finished is lost: the same command goes on"
    )
    assert not leftovers(tmp_path)
    before = stamps(run)
    assert len(before) >= number
    again = gradatim(tmp_path, *ASK)
    assert again.code == 0
    assert counted(again, "reused") == len(before)
    assert counted(again, "fitted") == FITS - len(before)
    assert {k: v for k, v in stamps(run).items() if k in before} == before
    assert_same_end(run, undisturbed)


def test_resume_goes_on_without_being_told_the_question(tmp_path, undisturbed_light):
    sales(tmp_path / "sales.csv")
    with pytest.MonkeyPatch.context() as patch:
        interrupt_after(patch, nth_fit(4))
        assert gradatim(tmp_path, *LIGHT).code == 6
    said = gradatim(tmp_path, "resume", "run")
    assert said.code == 0
    assert "Report: run/report.html" in said.out
    assert counted(said, "reused") >= 4
    assert_same_end(tmp_path / "run", undisturbed_light)
    again = gradatim(tmp_path, "resume", "run")
    assert again.code == 2
    assert "finished" in again.err


def test_a_fit_that_is_not_what_was_written_is_done_again(tmp_path, undisturbed_light):
    sales(tmp_path / "sales.csv")
    run = tmp_path / "run"
    with pytest.MonkeyPatch.context() as patch:
        interrupt_after(patch, nth_fit(FEWER))
        assert gradatim(tmp_path, *LIGHT).code == 6
    predictions = run / "fits" / "linear" / "0-2" / "predictions.npy"
    content = bytearray(predictions.read_bytes())
    content[-1] ^= 1
    predictions.write_bytes(content)
    (run / "fits" / "majority" / "0-0" / "result.json").unlink()
    again = gradatim(tmp_path, *LIGHT)
    assert counted(again, "fitted") == 2
    assert_same_end(run, undisturbed_light)


@pytest.mark.parametrize(
    ("change", "word"),
    [
        (("--seed", "1"), "seed"),
        (("--metric", "f1", "--allow-leak"), "metric"),
        (("--drop", "colour"), "drop"),
    ],
)
def test_another_question_does_not_go_on_in_the_same_folder(tmp_path, change, word):
    sales(tmp_path / "sales.csv")
    ask = ("climb", "sales.csv", "--target", "kind", "--rungs", "majority", "--out", "run")
    with pytest.MonkeyPatch.context() as patch:
        interrupt_after(patch, nth_fit(1))
        assert gradatim(tmp_path, *ask).code == 6
    said = gradatim(tmp_path, *ask, *change)
    assert said.code == 2
    assert "another question" in said.err
    assert f"{word}: " in said.err
    assert " then, " in said.err
    assert gradatim(tmp_path, *ask).code == 0


def test_data_that_changed_meanwhile_is_another_question(tmp_path):
    path = sales(tmp_path / "sales.csv")
    ask = ("climb", "sales.csv", "--target", "kind", "--rungs", "majority", "--out", "run")
    with pytest.MonkeyPatch.context() as patch:
        interrupt_after(patch, nth_fit(1))
        assert gradatim(tmp_path, *ask).code == 6
    path.write_text(path.read_text().replace("red", "blue", 1))
    said = gradatim(tmp_path, "resume", "run")
    assert said.code == 2
    assert "fingerprint" in said.err


def at_step(record: object, epochs: int) -> bool:
    return isinstance(record, Record) and record.step >= epochs * record.steps // 60


@pytest.mark.parametrize(
    ("epochs", "way"), [(1, "resume"), (20, "the same command"), (59, "resume")]
)
def test_a_fit_cut_off_by_ctrl_c_ends_with_the_same_bytes(tmp_path, undisturbed_fit, epochs, way):
    sales(tmp_path / "sales.csv")
    run = tmp_path / "run"
    cut_off(tmp_path, epochs)
    assert len(committed(run / "checkpoints")) == 1
    assert not leftovers(run)
    # The line of an epoch that was not kept, and one that was cut off.
    with (run / "records.jsonl").open("a") as file:
        file.write('{"step": 999999}\n{"st')
    ask = FIT if way == "the same command" else ("resume", "run")
    assert gradatim(tmp_path, *ask).code == 0
    assert_same_fit(run, undisturbed_fit)


def cut_off(folder: Path, *epochs: int) -> None:
    """Begin a fit and press Ctrl-C after these epochs, one command after the other."""
    for number in epochs:
        with pytest.MonkeyPatch.context() as patch:
            interrupt_after(patch, lambda record, number=number: at_step(record, number))
            assert gradatim(folder, *FIT).code == 6


def assert_same_fit(run: Path, undisturbed: Path) -> None:
    files.verify(run)
    assert same_model(run, undisturbed)
    assert records_of(run / "records.jsonl") == records_of(undisturbed / "records.jsonl")
    assert len(records_of(run / "records.jsonl")) == 60
    assert not (run / "checkpoints").exists()
    assert not leftovers(run)


def test_a_fit_killed_after_a_checkpoint_goes_on_from_there(tmp_path, undisturbed_fit, monkeypatch):
    """A kill leaves no time to save: the checkpoint of before is what there is."""
    sales(tmp_path / "sales.csv")
    run = tmp_path / "run"
    monkeypatch.setattr(lasting, "SAVE_EVERY", 0.0)
    with pytest.MonkeyPatch.context() as patch:
        honest, saves = Checkpoints.save, []

        def save(self: Checkpoints, step: int, *given, **named) -> None:
            saves.append(step)
            if len(saves) == 10:
                raise Killed
            honest(self, step, *given, **named)
            self.wait()

        patch.setattr(Checkpoints, "save", save)
        assert gradatim(tmp_path, *FIT).code == 70
    plant_dead_lock(run)
    restored = []
    honest_restore = Checkpoints.restore

    def restore(self: Checkpoints, *given):
        restored.append(honest_restore(self, *given))
        return restored[-1]

    monkeypatch.setattr(Checkpoints, "restore", restore)
    assert gradatim(tmp_path, *FIT).code == 0
    assert restored[0][0] == saves[8]
    assert_same_fit(run, undisturbed_fit)


def test_a_fit_whose_folder_was_moved_goes_on(tmp_path, undisturbed_fit):
    """Case 67."""
    sales(tmp_path / "sales.csv")
    cut_off(tmp_path, 10)
    (tmp_path / "run").rename(tmp_path / "another")
    assert gradatim(tmp_path, "resume", "another").code == 0
    assert_same_fit(tmp_path / "another", undisturbed_fit)


@pytest.mark.parametrize("file", ["state.safetensors", "manifest.json"])
def test_a_flipped_byte_in_the_newest_checkpoint_costs_no_more_than_it(
    tmp_path, undisturbed_fit, file
):
    """Case 68."""
    sales(tmp_path / "sales.csv")
    cut_off(tmp_path, 10, 20)
    newest, _ = committed(tmp_path / "run" / "checkpoints")
    flip(newest / file, 100)
    assert gradatim(tmp_path, *FIT).code == 0
    assert_same_fit(tmp_path / "run", undisturbed_fit)


def test_checkpoints_that_are_all_damaged_are_corrupt(tmp_path):
    sales(tmp_path / "sales.csv")
    cut_off(tmp_path, 10, 20)
    for folder in committed(tmp_path / "run" / "checkpoints"):
        flip(folder / "state.safetensors")
    said = gradatim(tmp_path, *FIT)
    assert said.code == 7
    assert "no checkpoint in run/checkpoints is as it was written" in said.err
    assert "delete run/checkpoints to begin anew" in said.err
    assert len(said.err.splitlines()) <= 3


# --- in a process of its own: real signals, real workers --------------------------------------


def descendants(pid: int) -> set[int]:
    """All processes below one, from /proc."""
    parents: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            number, _, rest = stat.read_text().rpartition(")")
        except OSError:
            continue
        parents.setdefault(int(rest.split()[1]), []).append(int(number.split()[0]))
    found: set[int] = set()
    queue = [pid]
    while queue:
        children = parents.get(queue.pop(), [])
        found |= set(children)
        queue += children
    return found


def alive(pids: set[int]) -> set[int]:
    def state(pid: int) -> str:
        try:
            return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            return "gone"

    return {pid for pid in pids if state(pid) not in ("gone", "Z")}


def wait_for(condition: Callable[[], object], process: subprocess.Popen[str] | None = None) -> None:
    """Wait until something is so; the test fails when it never is."""
    end = time.monotonic() + 120
    while not condition():
        assert process is None or process.poll() is None, process.communicate()
        assert time.monotonic() < end, "it never came"
        time.sleep(0.02)


@pytest.fixture
def climbing(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """A climb in a process of its own, slow enough to be caught in its fits."""
    sales(tmp_path / "sales.csv")
    process = subprocess.Popen(
        command(*ASK),
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONUNBUFFERED": "1"},
    )
    yield process
    # Stopped first: a worker that began between the look and the kill would keep the pipes open.
    process.send_signal(signal.SIGSTOP)
    for pid in alive({process.pid, *descendants(process.pid)}):
        os.kill(pid, signal.SIGKILL)
    process.communicate()


def reusable(run: Path) -> set[str]:
    """The finished fits that are not done again: folds of one model go on, or not, together."""
    done = set(stamps(run))
    mlp = {fit for fit in done if fit.startswith("fits/mlp/")}
    plan = run / "plan.json"
    together = plan.is_file() and Forecast(**json.loads(plan.read_text())["mlp"]).together
    return done - mlp if together and len(mlp) < 5 else done


MOMENTS = {
    "after the first fit": ("fits/majority/*/complete.json",),
    "in the network": ("fits/mlp/*/records.jsonl", "stacks/*/records.jsonl"),  # as planned
}


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_climb_killed_by_the_system_goes_on(tmp_path, undisturbed, climbing, moment):
    run = tmp_path / "run"
    wait_for(lambda: [p for pattern in MOMENTS[moment] for p in run.glob(pattern)], climbing)
    workers = descendants(climbing.pid)
    assert len(workers) >= 1
    os.kill(climbing.pid, signal.SIGKILL)
    climbing.wait()
    wait_for(lambda: not alive(workers))
    assert not (run / "complete.json").exists()
    before = reusable(run)
    again = gradatim(tmp_path, *ASK)
    assert again.code == 0, again.err
    assert counted(again, "reused") == len(before)
    assert_same_end(run, undisturbed)


def test_a_climb_whose_worker_was_killed_says_so_and_goes_on(tmp_path, undisturbed, climbing):
    """As the kernel does when memory is short."""
    run = tmp_path / "run"
    wait_for(lambda: list(run.glob("fits/majority/*/complete.json")), climbing)
    below = descendants(climbing.pid)  # what workers are forked from, and the workers
    workers = set().union(*map(descendants, below))
    assert workers
    for pid in workers:
        os.kill(pid, signal.SIGKILL)
    out, err = climbing.communicate(timeout=60)
    assert (climbing.returncode, out) == (5, ""), err
    told = [line for line in err.splitlines() if line.startswith("gradatim: ")]
    assert told == [
        "gradatim: a worker process was killed, as the system does when memory is short;"
    ]
    assert "the same command goes on" in err
    assert "Traceback" not in err
    assert gradatim(tmp_path, *ASK).code == 0
    assert_same_end(run, undisturbed)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["ctrl-c", "sigterm"])
def test_a_climb_that_is_asked_to_stop_says_how_to_go_on(tmp_path, undisturbed, climbing, number):
    run = tmp_path / "run"
    wait_for(lambda: list(run.glob("fits/majority/*/complete.json")), climbing)
    workers = descendants(climbing.pid)
    climbing.send_signal(number)
    out, err = climbing.communicate(timeout=60)
    assert climbing.returncode == 6, err
    assert out == ""
    assert err.splitlines()[-1] == (
        "gradatim: interrupted; nothing finished is lost: the same command goes on"
    )
    assert "Traceback" not in err
    wait_for(lambda: not alive(workers))
    assert not leftovers(run)
    assert gradatim(tmp_path, *ASK).code == 0
    assert_same_end(run, undisturbed)


def test_two_climbs_do_not_share_a_folder(tmp_path, climbing):
    wait_for(lambda: (tmp_path / "run" / ".lock").is_file(), climbing)
    os.kill(climbing.pid, signal.SIGSTOP)  # it must not finish before the other has looked
    said = gradatim(tmp_path, *ASK)
    os.kill(climbing.pid, signal.SIGCONT)
    assert said.code == 8
    assert f"process {climbing.pid}" in said.err
