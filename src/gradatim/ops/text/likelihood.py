"""Scores of a model of text: what each character costs, whatever the tokens are."""

import math

import numpy as np
from jaxtyping import Float, Int

__all__ = ["bits_per_character", "nats_per_character", "perplexity"]


def nats_per_character(
    nats: Float[np.ndarray, " rows"], characters: Int[np.ndarray, " rows"]
) -> float:
    """Return the sum of -log p of all tokens over the number of characters.

    Args:
        nats: of each passage.
        characters: of each passage.

    >>> nats_per_character(np.array([3.0, 1.0]), np.array([2, 2]))
    1.0
    """
    many = characters.sum()
    return float(nats.sum() / many) if many else math.nan


def bits_per_character(
    nats: Float[np.ndarray, " rows"], characters: Int[np.ndarray, " rows"]
) -> float:
    """Return the same to base 2: nats / log 2."""
    return nats_per_character(nats, characters) / math.log(2)


def perplexity(nats: Float[np.ndarray, " rows"], characters: Int[np.ndarray, " rows"]) -> float:
    """Return exp(nats a character): among how many equally probable characters one would guess."""
    return float(np.exp(nats_per_character(nats, characters)))
