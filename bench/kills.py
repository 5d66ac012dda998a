"""How many killed fits end as if nobody had disturbed them: `python bench/kills.py`.

Runs every test of `tests/end_to_end/test_killed.py`, the slow ones too, about half an hour on a
busy machine: real processes, each ended by SIGKILL before, in the middle of or after an operation
on the disk, or at a random time; then the same call goes on, and every file is compared with those
of an undisturbed run. Writes bench/results/kills.json.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from _product import stamp

ROOT = Path(__file__).parents[1]
TESTS = "tests/end_to_end/test_killed.py"
GOAL = 200


def main() -> int:
    """Run the tests, write the counts, return 0 when the goal is reached."""
    with tempfile.TemporaryDirectory() as folder:
        counts = Path(folder) / "kills.json"
        one = {f"{name}_NUM_THREADS": "1" for name in ("OMP", "MKL", "OPENBLAS")}
        line = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", TESTS]
        ended = subprocess.run(
            line, cwd=ROOT, env=os.environ | one | {"GRADATIM_KILLS": str(counts)}, check=False
        )
        told: dict[str, list[int]] = json.loads(counts.read_text()) if counts.exists() else {}
    kills = sum(number for number, _ in told.values())
    equal = sum(number for _, number in told.values())
    result = {
        "goal": f"at least {GOAL} SIGKILLs, each run ending with the bytes of an undisturbed one",
        "measured": f"{equal} of {kills} equal",
        "reached": kills >= GOAL and equal == kills and ended.returncode == 0,
        "unit": "kills",
        "command": "python bench/kills.py",
        **stamp(),
        "calls": {name: {"kills": k, "equal": e} for name, (k, e) in told.items()},
    }
    file = ROOT / "bench" / "results" / "kills.json"
    file.write_text(json.dumps(result, indent=1) + "\n")
    sys.stdout.write(f"{result['measured']}\n")
    return 0 if result["reached"] else 1


if __name__ == "__main__":
    sys.exit(main())
