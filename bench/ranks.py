"""Do several processes train as one does? `python bench/ranks.py`, some minutes.

Runs tests/end_to_end/test_torchrun.py, the slow ones too: torchrun with real processes (gloo, one
thread each), 200 steps of an MLP on digits, with 1, 2 and 4 ranks, whole and with --shard; restarts
with 4, 2 and 1; ranks ended by SIGKILL. Writes bench/results/ranks.json.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from _product import stamp

ROOT = Path(__file__).parents[1]
TESTS = "tests/end_to_end/test_torchrun.py"
CLOSE, SOON = 1e-6, 30.0


def main() -> int:
    """Run the tests, write the figures, return how many goals are missed."""
    with tempfile.TemporaryDirectory() as folder:
        figures = Path(folder) / "ranks.json"
        one = {f"{name}_NUM_THREADS": "1" for name in ("OMP", "MKL", "OPENBLAS")}
        line = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", TESTS]
        ended = subprocess.run(
            line, cwd=ROOT, env=os.environ | one | {"GRADATIM_RANKS": str(figures)}, check=False
        )
        told: dict[str, float] = json.loads(figures.read_text()) if figures.exists() else {}
    parts = {
        "losses": {k: v for k, v in told.items() if "ranks" in k},
        "restarts": {k: v for k, v in told.items() if k.startswith("restarted")},
        "kills": {k: v for k, v in told.items() if k.startswith("killed")},
    }
    results = {
        "losses of 1, 2 and 4 ranks": _result(
            f"all losses of 200 steps within {CLOSE} of those of one process",
            parts["losses"],
            CLOSE,
            "largest difference of a loss",
        ),
        "restart with 4, 2, 1 ranks": _result(
            f"same steps and rates, losses within {CLOSE} of an undisturbed process's",
            parts["restarts"],
            CLOSE,
            "largest difference of a loss",
        ),
        "a killed rank": _result(
            "all processes gone within 30 s, the rank named", parts["kills"], SOON, "seconds"
        ),
    }
    results["tests"] = {"command": " ".join(line[1:]), "passed": ended.returncode == 0}
    file = ROOT / "bench" / "results" / "ranks.json"
    file.write_text(json.dumps(results, indent=1) + "\n")
    missed = [name for name, line in results.items() if not line.get("reached", line.get("passed"))]
    sys.stdout.write(f"missed: {', '.join(missed)}\n" if missed else "every goal reached\n")
    return len(missed)


def _result(goal: str, figures: dict[str, float], limit: float, unit: str) -> dict[str, Any]:
    worst = max(figures.values(), default=None)
    return {
        "goal": goal,
        "measured": worst,
        "reached": worst is not None and worst < limit,
        "unit": unit,
        "each": figures,
        "command": "python bench/ranks.py",
        **stamp(),
    }


if __name__ == "__main__":
    sys.exit(main())
