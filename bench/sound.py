"""Spoken digits by voices that were never heard: `python bench/sound.py [RUNG ...]`.

Reads fsdd below the folder in GRADATIM_DATA (see its README for the licence): 3000 recordings of
six speakers. Every rung is fitted with its default recipe on five speakers and scored on the sixth,
six times, by the product's own reader, folds, training and scores, one thread. Writes
bench/results/sound.json; rungs that are not named keep the lines they have.

What was chosen with whose voice: the ends of a recording, 30 dB below its loudest frame, and the
normalisation were chosen with support vector machines and all six speakers in view; the network,
its augmentation and its epochs on nicolas and theo, so the mean over the other four is told beside
the mean over all (george was heard too, in first trials that decided nothing).
"""

import json
import os
import sys
from pathlib import Path
from time import monotonic
from typing import Any

import numpy as np
import torch
from contest.results import RESULTS, publish

from gradatim.core.samples import Dataset
from gradatim.core.source import ReadOptions
from gradatim.data.read import read
from gradatim.evaluate.judge import judge
from gradatim.models import RUNGS
from gradatim.ops.folds import kfold
from gradatim.ops.paired import corrected_interval
from gradatim.session.objects import task_for, work_for
from gradatim.train.fitting import Fitting

NAMES = "{label}_{speaker}_{index}.wav"
LADDER = ("majority", "mfcc_svm", "mlp", "mel_cnn", "recurrent", "transformer")
CHOSEN_WITH = ("nicolas", "theo")
REFERENCE = {"MFCC + SVM, measured before with other code": 0.744}
DEEP, CLASSICAL = "mel_cnn", "mfcc_svm"

Line = dict[str, Any]


def main() -> int:
    """Fit what is asked for, write the results, return how many goals are missed."""
    root = os.environ.get("GRADATIM_DATA")
    if root is None:
        sys.stdout.write("skipped: no data; set GRADATIM_DATA to the folder that holds it\n")
        return 0
    torch.set_num_threads(1)
    file = RESULTS / "sound.json"
    rungs: dict[str, Line] = json.loads(file.read_text())["rungs"] if file.exists() else {}
    data = read(Path(root) / "fsdd", ReadOptions(names=NAMES, group="speaker", task="classify"))
    for name in sys.argv[1:] or LADDER:
        rungs[name] = _leaving_one_out(name, data)
    ordered = {name: rungs[name] for name in LADDER if name in rungs}
    goals = _goals(ordered)
    facts = {"goals": goals, "protocol": (__doc__ or "").split("\n\n")[1:], "rungs": ordered}
    publish("sound", facts | {"reference": REFERENCE}, trial=False)
    return sum(not goal["reached"] for goal in goals)


def _leaving_one_out(name: str, data: Dataset) -> Line:
    """Return the accuracy on each speaker of a rung that never heard that one."""
    samples, scores, seconds = data.samples, {}, []
    assert samples.groups is not None
    groups = samples.groups.numpy()
    for training, held in kfold(len(samples), len(data.group_names), 0, None, groups):
        begun = monotonic()
        task = task_for(data.signature)
        work = work_for(RUNGS[name](), task, data.signature, len(training), seed=0)
        fitting = Fitting(work.rung, task, samples.take(training), data.signature, work.recipe)
        list(fitting)
        seconds.append(monotonic() - begun)
        speaker = data.group_names[groups[held[0]]]
        judged = judge(fitting.model, task, task.metrics["accuracy"], samples.take(held))
        scores[speaker] = round(judged.score, 4)
        sys.stdout.write(f"{name}, {speaker}: {judged.score:.3f} after {seconds[-1]:.0f} s\n")
    others = [score for speaker, score in scores.items() if speaker not in CHOSEN_WITH]
    return {
        "accuracy_by_speaker": dict(sorted(scores.items())),
        "mean": round(float(np.mean(list(scores.values()))), 4),
        "mean_without_those_it_was_chosen_with": round(float(np.mean(others)), 4),
        "parameters": _learnt(fitting.model.network),
        "seconds_a_speaker": round(float(np.mean(seconds)), 1),
    }


def _learnt(network: torch.nn.Module) -> int:
    """Return how many parameters there are; of a solver, how many numbers it left."""
    left = sum(b.numel() for b in network.buffers() if b.is_floating_point())
    return sum(p.numel() for p in network.parameters()) or left


def _goals(rungs: dict[str, Line]) -> list[Line]:
    if not {DEEP, CLASSICAL} <= rungs.keys():
        return []
    deep, classical = rungs[DEEP]["accuracy_by_speaker"], rungs[CLASSICAL]["accuracy_by_speaker"]
    differences = [deep[speaker] - classical[speaker] for speaker in deep]
    low, high = corrected_interval(differences, ratio=1 / (len(differences) - 1))
    mean, gained = rungs[DEEP]["mean"], float(np.mean(differences))
    return [
        {
            "goal": f"fsdd, one speaker left out: {DEEP} >= 0.82",
            "measured": mean,
            "unit": "accuracy",
            "reached": mean >= 0.82,
        },
        {
            "goal": f"{DEEP} above {CLASSICAL}, lower end of the paired 95 % interval > 0",
            "measured": round(low, 4),
            "unit": f"accuracy; {gained:+.3f}, {low:+.3f} to {high:+.3f}",
            "reached": low > 0,
        },
    ]


if __name__ == "__main__":
    sys.exit(main())
