"""Fake runs of the jobs on text, on densities and on games, made through what a climb keeps."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import torch

from gradatim.compare.gallery import keep_evidence, keep_gallery
from gradatim.core.samples import Dataset, Samples
from gradatim.core.signature import (
    Actions,
    Column,
    Continuation,
    Density,
    Game,
    Image,
    Signature,
    Synthesis,
    Table,
    Text,
    Translation,
)
from gradatim.data.splits import partition
from gradatim.evaluate.answers import keep_answers
from gradatim.runs.files import finish, write_json

from .fake_board import leaderboard
from .fake_data import BREAKOUT, HOSTILE, TERMINAL, Data

__all__ = ["OTHERS", "Telling", "write_job"]

ROWS = 40
Answer = Callable[[Samples, int, np.random.Generator], tuple[np.ndarray, np.ndarray]]


class Telling:
    """What a gallery asks of a task."""

    def __init__(self, quality_name: str, alphabet: str = "") -> None:
        self.quality_name, self.alphabet = quality_name, alphabet

    def text(self, sample: Samples, prediction: np.ndarray | None) -> str:
        """Return a prediction as it is, and the truth by its alphabet."""
        if prediction is not None:
            return str(prediction)
        return "".join(self.alphabet[c] for c in sample.targets[0].tolist() if c >= 0)


def _codes(texts: list[str]) -> tuple[torch.Tensor, str]:
    alphabet = "".join(sorted(set("".join(texts))))
    longest = max(map(len, texts))
    rows = [[alphabet.index(c) for c in t] + [-1] * (longest - len(t)) for t in texts]
    return torch.tensor(rows, dtype=torch.int32), alphabet


def _passages(rng: np.random.Generator) -> tuple[Samples, Signature]:
    words = ["thou", "art", "a\nking", "<b>", "&", "\u202e", "ﬁn", "é", "no", "שלום"]
    texts = [" ".join(rng.choice(words, 30))[: 90 + row] for row in range(ROWS)]
    codes, alphabet = _codes(texts)
    field = Text(length=codes.shape[1], alphabet=alphabet)
    return Samples(codes, codes), Signature(input=field, output=Continuation())


def _surprised(samples: Samples, place: int, rng: np.random.Generator) -> tuple:
    nats = rng.gamma(1.5, 1.6 / (place + 1), samples.inputs.shape).astype(np.float32)
    nats[samples.inputs.numpy() < 0] = 0
    return nats, -nats.sum(1) / (samples.inputs >= 0).sum(1).numpy()


def _pairs(rng: np.random.Generator) -> tuple[Samples, Signature]:
    sources = [f"la phrase {row} {HOSTILE}" for row in range(ROWS)]
    targets = [f"the sentence {row} {BREAKOUT}" for row in range(ROWS)]
    codes, alphabet = _codes(sources)
    answers, letters = _codes(targets)
    field = Text(length=codes.shape[1], alphabet=alphabet, language="fr")
    output = Translation(length=answers.shape[1], alphabet=letters, language="en")
    return Samples(codes, answers), Signature(input=field, output=output)


def _translated(samples: Samples, place: int, rng: np.random.Generator) -> tuple:
    words = rng.choice(["phrase", "sentence"], len(samples))
    said = [f"the {word} {HOSTILE} {TERMINAL[:12]}" for word in words]
    return np.array(said), 30 + 20 * place + rng.normal(0, 4, len(samples))


def _seen(rng: np.random.Generator) -> torch.Tensor:
    ramp = np.add.outer(np.arange(8), np.arange(8))
    levels = ramp[None, None] + rng.integers(0, 3, (ROWS, 1, 8, 8))
    return torch.from_numpy(levels.astype(np.uint8))


def _pictures(rng: np.random.Generator) -> tuple[Samples, Signature]:
    image = Image(channels=1, height=8, width=8)
    output = Synthesis(names=("a", "b"), levels=17)
    return Samples(_seen(rng), torch.arange(ROWS) % 2), Signature(input=image, output=output)


def _painted(samples: Samples, place: int, rng: np.random.Generator) -> tuple:
    drawn = rng.integers(0, 17, samples.inputs.shape).astype(np.uint8)
    return drawn, -rng.gamma(2, 3, len(samples))


def _levels(rng: np.random.Generator) -> tuple[Samples, Signature]:
    image = Image(channels=1, height=8, width=8)
    samples = Samples(_seen(rng), torch.zeros(ROWS, 1))
    return samples, Signature(input=image, output=Density(grains=(1.0,)))


def _cells(rng: np.random.Generator) -> tuple[Samples, Signature]:
    columns = tuple(Column(name=name, kind="numeric") for name in ("a", HOSTILE, BREAKOUT))
    rows = torch.from_numpy(rng.normal(size=(ROWS, 3)))
    return Samples(rows, torch.zeros(ROWS, 1)), Signature(
        input=Table(columns=columns), output=Density()
    )


def _likely(samples: Samples, place: int, rng: np.random.Generator) -> tuple:
    nats = rng.normal(-90 + 10 * place, 8, len(samples)).astype(np.float32)
    return nats, nats.astype(np.float64)


def _games(rng: np.random.Generator) -> tuple[Samples, Signature]:
    game = Game(name="breakout10", shape=(4, 10, 10))
    output = Actions(names=("stay", "left", "right"))
    return Samples(torch.arange(ROWS)[:, None], torch.zeros(ROWS, 1)), Signature(
        input=game, output=output
    )


def _played(samples: Samples, place: int, rng: np.random.Generator) -> tuple:
    returns = rng.poisson(0.5 + 4 * place, len(samples)).astype(np.float64)
    return returns, returns


OTHERS: Mapping[str, tuple[str, str, Callable, Answer, tuple[str, ...]]] = {
    "model_text": (
        "nats_per_character",
        "minus nats a character",
        *(_passages, _surprised, ("unigram", "ngram", "lstm")),
    ),
    "translate": ("bleu", "chrF", _pairs, _translated, ("copy_source", "ibm1", "translator")),
    "synthesise": ("frechet", "nearness", _pictures, _painted, ("gaussian", "vae", "dcgan")),
    "density": ("bits_per_dim", "nats", _levels, _likely, ("gaussian", "glow")),
    "density_of_a_table": ("bits_per_dim", "nats", _cells, _likely, ("gaussian", "spline_flow")),
    "play": ("return", "return", _games, _played, ("random_play", "hand_rule", "dqn")),
}


def write_job(folder: Path, job: str) -> Path:
    """Write the run of a job; its rungs answer at random, higher ones better."""
    rng = np.random.default_rng(3)
    metric, measure, make, answer, rungs = OTHERS[job]
    samples, signature = make(rng)
    names = [f"row {row} {HOSTILE}" for row in range(ROWS)]
    data = Dataset(job, samples, signature, names, "f" * 64, job)
    split = partition(data, 3)[1]
    task = Telling(measure, getattr(signature.output, "alphabet", ""))
    keep_evidence(folder, data, split)
    scores: dict[str, list[float]] = {}
    for place, rung in enumerate(rungs):
        for fold in split.folds:
            checked = data.samples.take(fold.validation)
            said, quality = answer(checked, place, rng)
            home = folder / "fits" / rung / fold.name
            kept = keep_answers(home, checked, said, quality)
            scores.setdefault(rung, []).append(float(quality.mean()))
            result = {"rung": rung, "repeat": 0, "fold": fold.fold, "fit_seconds": 0.2}
            write_json(home / "result.json", result | {"scores": {metric: scores[rung][-1]}})
            _records(home, job, place)
            finish(home, [*kept, "result.json"])
    keep_gallery(folder, data, split, list(rungs), rungs[-1], task)  # type: ignore[arg-type]
    about = Data(job, job, metric, ROWS, classes=(), folds=3, rungs=rungs)
    write_json(folder / "leaderboard.json", leaderboard(about, scores))
    finish(folder, ["leaderboard.json"])
    return folder


def _records(home: Path, job: str, place: int) -> None:
    values = {"play": ("return", "loss"), "synthesise": ("loss", "generator_loss")}
    lines = [
        json.dumps({"epoch": e, "values": dict.fromkeys(values.get(job, ("loss",)), e * 0.5)})
        for e in range(1, 9)
    ]
    if place:
        (home / "records.jsonl").write_text("\n".join(lines) + "\n")
