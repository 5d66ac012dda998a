"""What benches that run the product share: a command's JSON, and where and when it was measured."""

import json
import os
import platform
import subprocess
import sys
from datetime import UTC, datetime
from typing import Any


def gradatim(*arguments: str) -> dict[str, Any]:
    """Run a command; return what it prints as JSON."""
    tool = [sys.executable, "-m", "gradatim"]
    said = subprocess.run([*tool, *arguments], stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(said.stdout)


def stamp() -> dict[str, str]:
    """Return the date and the machine."""
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, {platform.platform()}",
    }
