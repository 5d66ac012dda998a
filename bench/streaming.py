"""A climb of a table larger than its memory: `python bench/streaming.py [--rows 50_000_000]`.

Makes a Parquet table of noise in a temporary folder, about 100 bytes a row in row groups of a
million rows, runs `gradatim climb` on it in a process of its own, and writes the peak of its memory
(resource usage of the process, as the kernel counts it) to bench/results/streaming.json and
streaming.md. With fewer rows than the default nothing is written: that is a trial.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
from _product import stamp

RESULTS = Path(__file__).parent / "results"
ROWS, GROUP = 50_000_000, 1_000_000
NUMBERS = 11
GOAL = 2.0  # GB, resident


def main() -> int:
    """Make the table, climb, write; return how many goals were missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=ROWS)
    parser.add_argument("--classes", action="store_true", help="a trial with three classes")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        table = Path(folder) / "table.parquet"
        _make_apart(table, asked.rows, asked.classes)
        facts = _climbed(table, asked.rows)
    sys.stdout.write(json.dumps(facts, indent=1) + "\n")
    if asked.rows == ROWS and not asked.classes:
        RESULTS.mkdir(exist_ok=True)
        (RESULTS / "streaming.json").write_text(json.dumps(facts, indent=1) + "\n")
        (RESULTS / "streaming.md").write_text(_page(facts))
    return int(not facts["reached"])


def _make_apart(path: Path, rows: int, classes: bool) -> None:
    """Write the table in a process of its own.

    A process that is started counts the peak of the one that started it as its own (Linux, execve).
    """
    work = get_context("spawn").Process(
        target=make, args=(path, rows, 0), kwargs={"classes": classes}
    )
    work.start()
    work.join()
    if work.exitcode:
        raise SystemExit(f"the table could not be made: status {work.exitcode}")


def make(path: Path, rows: int, seed: int = 0, *, classes: bool = False) -> None:
    """Write a table: numbers, some of them missing, one of whole numbers, one of colours, a target.

    y = x @ w + what the colour adds + noise; with `classes` y is cut in three.
    """
    import pyarrow as pa
    from pyarrow.parquet import ParquetWriter

    weights = np.random.default_rng(seed).standard_normal(NUMBERS)
    colours = pa.array(["red", "green", "blue", "grey"])
    writer: Any = None
    for start in range(0, rows, GROUP):
        chance = np.random.default_rng([seed, start])
        count = min(GROUP, rows - start)
        x = chance.standard_normal((count, NUMBERS))
        whole, colour = chance.integers(0, 1_000_000, count), chance.integers(0, 4, count)
        y = x @ weights + 1e-6 * whole + 0.5 * colour + chance.standard_normal(count)
        columns = {f"x{i}": pa.array(x[:, i]) for i in range(1, NUMBERS)}
        lost = chance.random(count) < 0.05
        columns["x0"] = pa.array(1e6 + 1e3 * x[:, 0], mask=lost)
        columns["whole"] = pa.array(whole)
        columns["colour"] = colours.take(pa.array(colour))
        columns["y"] = pa.array(y)
        if classes:
            columns["y"] = pa.array(["low", "middle", "high"]).take(
                pa.array(np.digitize(y, [-1.0, 2.0]))
            )
        batch = pa.table(columns)
        writer = writer or ParquetWriter(path, batch.schema, compression="snappy")
        writer.write_table(batch, row_group_size=GROUP)
    writer.close()


def _climbed(table: Path, rows: int) -> dict[str, Any]:
    out = table.parent / "run"
    command = [sys.executable, "-m", "gradatim", "climb", str(table), "--target", "y", "--stream"]
    begun = time.monotonic()
    process = subprocess.Popen([*command, "--json", "--out", str(out)], stdout=subprocess.PIPE)
    assert process.stdout is not None
    said = process.stdout.read()
    _, status, used = os.wait4(process.pid, 0)
    seconds = time.monotonic() - begun
    if status:
        raise SystemExit(f"gradatim climb failed with status {status}")
    board = json.loads(said)
    peak = used.ru_maxrss * (1 if sys.platform == "darwin" else 1024) / 1e9
    scores = {row["name"]: row["score"] for row in board["rungs"] if row["status"] == "ok"}
    return {
        "goal": f"a climb of {rows:,} rows peaks below {GOAL} GB of resident memory",
        "measured": round(peak, 3),
        "reached": peak < GOAL,
        "unit": "GB",
        "command": f"python bench/streaming.py --rows {rows}",
        **stamp(),
        "table_gb": round(table.stat().st_size / 1e9, 3),
        "rows": rows,
        "columns": NUMBERS + 3,
        "seconds": round(seconds, 1),
        "metric": board["metric"],
        "scores": scores,
        "verdict": board["verdict"]["headline"],
        "test": board["test"],
    }


def _page(facts: dict[str, Any]) -> str:
    lines = [
        f"# A table larger than memory: {facts['date']}",
        "",
        f"`{facts['command']}` on {facts['machine']}.",
        "",
        (
            f"A Parquet table of {facts['rows']:,} rows, {facts['columns']} columns and "
            f"{facts['table_gb']} GB, climbed in {facts['seconds']:.0f} s."
        ),
        "",
        "| goal | measured (GB) | reached |",
        "|---|---|---|",
        f"| {facts['goal']} | {facts['measured']} | {'yes' if facts['reached'] else '**no**'} |",
        "",
        f"| rung | {facts['metric']} |",
        "|---|---|",
    ]
    lines += [f"| {name} | {score:.6f} |" for name, score in facts["scores"].items()]
    test = facts["test"]
    lines += ["", f"{facts['verdict']}. Sealed test part: {test['score']:.6f}."]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main())
