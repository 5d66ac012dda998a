"""The jobs, by name; loads nothing, for `--help` lists them."""

from typing import Literal

__all__ = ["JOBS", "Job"]

Job = Literal[
    "classify",
    "regress",
    "denoise",
    "segment",
    "detect",
    "model_text",
    "translate",
    "density",
    "synthesise",
    "play",
]
JOBS: dict[str, Job] = {
    "category": "classify",
    "quantity": "regress",
    "picture": "denoise",
    "mask": "segment",
    "boxes": "detect",
    "continuation": "model_text",
    "translation": "translate",
    "density": "density",
    "synthesis": "synthesise",
    "actions": "play",
}
"""Kind of output -> job."""
