"""Keras 3 on JAX: compile, fit. Each fold begins from fresh weights in the compiled model.

A second model of the same shape would be traced and compiled anew; that time is not counted here.
"""

from typing import Any

import keras
import numpy as np
from contest.folds import accuracy, folds_of
from contest.worker import Job, Plain, enter
from keras import layers


def _dense(job: Job) -> list[Any]:
    return [layers.Dense(width, "relu") for width in job["widths"]]


def _lenet(job: Job) -> list[Any]:
    return [
        layers.Conv2D(6, 5, activation="relu"), layers.MaxPooling2D(2),
        layers.Conv2D(16, 5, activation="relu"), layers.MaxPooling2D(2),
        layers.Flatten(), layers.Dense(120, "relu"), layers.Dense(84, "relu"),
    ]  # fmt: skip


def _norm() -> Any:
    return layers.BatchNormalization(momentum=0.9, epsilon=1e-5)


def _block(x: Any, width: int, stride: int) -> Any:
    y = layers.Conv2D(width, 3, stride, "same", use_bias=False)(x)
    y = layers.Conv2D(width, 3, 1, "same", use_bias=False)(layers.ReLU()(_norm()(y)))
    y = _norm()(y)
    if stride != 1 or x.shape[-1] != width:
        x = _norm()(layers.Conv2D(width, 1, stride, use_bias=False)(x))
    return layers.ReLU()(x + y)


def _resnet8(shape: tuple[int, ...]) -> keras.Model:
    given = keras.Input(shape)
    x = layers.ReLU()(_norm()(layers.Conv2D(16, 3, padding="same", use_bias=False)(given)))
    for width, stride in ((16, 1), (32, 2), (64, 2)):
        x = _block(x, width, stride)
    return keras.Model(given, layers.Dense(10)(layers.GlobalAveragePooling2D()(x)))


def model_for(job: Job, shape: tuple[int, ...]) -> keras.Model:
    """Return a compiled model."""
    keras.utils.set_random_seed(0)
    if job.get("network") == "resnet8":
        model = _resnet8(shape)
    else:
        inner = _dense(job) if "widths" in job else _lenet(job)
        model = keras.Sequential([keras.Input(shape), *inner, layers.Dense(10)])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(job["lr"]), loss)
    return model


def _channels_last(x: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(np.moveaxis(x, 1, -1)) if x.ndim == 4 else x


def prepare(job: Job) -> Plain:
    """Train all folds one after the other."""
    folds = [(_channels_last(f.x), f.y, _channels_last(f.x_held), f.y_held) for f in folds_of(job)]
    model = model_for(job, folds[0][0].shape[1:])
    model.optimizer.build(model.trainable_variables)
    fresh, still = model.get_weights(), [np.array(v) for v in model.optimizer.variables]

    def train(x: np.ndarray, y: np.ndarray, epochs: int = job["epochs"]) -> Any:
        model.set_weights(fresh)
        for variable, value in zip(model.optimizer.variables, still, strict=True):
            variable.assign(value)
        model.fit(x, y, batch_size=job["batch"], epochs=epochs, verbose=0)
        return model.get_weights()

    def score(fitted: list[Any]) -> float:
        scores = []
        for weights, (_, _, x, y) in zip(fitted, folds, strict=True):
            model.set_weights(weights)
            scores.append(accuracy(model.predict(x, batch_size=512, verbose=0), y))
        return float(np.mean(scores))

    def warm() -> None:
        train(*folds[0][:2], epochs=1)

    return Plain(lambda: [train(x, y) for x, y, _, _ in folds], score, warm)


def reach(job: Job) -> dict[str, Any]:
    """Train until the accuracy is reached."""
    fold = folds_of(job)[0]
    model = model_for(job, fold.x.shape[1:])
    for epoch in range(job["epochs"]):
        model.fit(fold.x, fold.y, batch_size=job["batch"], epochs=1, verbose=0)
        score = accuracy(model.predict(fold.x_held, batch_size=512, verbose=0), fold.y_held)
        found = {"score": score, "epochs": epoch + 1}
        if score >= job["accuracy"]:
            break
    return found


if __name__ == "__main__":
    enter(prepare, reach)
