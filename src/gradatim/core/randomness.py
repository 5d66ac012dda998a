"""Randomness is a function of (seed, purpose, step), never of history.

Nothing has to be saved to resume: the generator of step 1000 is made from its name alone.
"""

import hashlib

import numpy as np
import torch

__all__ = ["array_generator", "generator", "seed_for"]


def seed_for(seed: int, purpose: str, step: int = 0) -> int:
    """Return the 63-bit number that stands for one use of chance.

    Args:
        seed: the run's seed.
        purpose: what the numbers are for, such as "order" or "dropout".
        step: which use of it, from 0.

    >>> seed_for(0, "order", 1) == seed_for(0, "order", 1) != seed_for(0, "order", 2)
    True
    """
    digest = hashlib.blake2b(f"{seed}/{purpose}/{step}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") >> 1


def generator(seed: int, purpose: str, step: int = 0) -> torch.Generator:
    """Return torch's generator for one use of chance (on the CPU, whatever the model's device)."""
    return torch.Generator().manual_seed(seed_for(seed, purpose, step))


def array_generator(seed: int, purpose: str, step: int = 0) -> np.random.Generator:
    """Return NumPy's generator for one use of chance."""
    return np.random.Generator(np.random.PCG64(seed_for(seed, purpose, step)))
