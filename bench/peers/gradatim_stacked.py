"""gradatim: all folds trained as one model, as a climb does with dense rungs; training alone."""

import numpy as np
import torch
from contest.data import opened
from contest.worker import Job, Plain, enter

from gradatim.train.fitting import Fitting
from gradatim.train.stacked import Stacked, alike
from peers.gradatim import accuracy, fitting_of, samples_of, work_of


def prepare(job: Job) -> Plain:
    """Train all folds at once."""
    if job["variant"] == "worker":
        torch.set_num_threads(1)
    torch.set_flush_denormal(True)  # as in every worker of the product
    arrays = opened(job)
    work, held = work_of(job, arrays), arrays["held"]
    cuts = [
        (samples_of(arrays, held != fold), samples_of(arrays, held == fold))
        for fold in range(job["folds"])
    ]

    def fit() -> list[Fitting]:
        fittings = [fitting_of(work, training) for training, _ in cuts]
        assert alike(fittings), "these folds are not trained as one"
        for _ in Stacked(fittings):
            pass
        return fittings

    def score(fittings: list[Fitting]) -> float:
        pairs = zip(fittings, cuts, strict=True)
        return float(np.mean([accuracy(f.model, checked) for f, (_, checked) in pairs]))

    return Plain(fit, score)


if __name__ == "__main__":
    enter(prepare)
