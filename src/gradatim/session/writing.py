"""What a model of text writes, token by token."""

import math
from collections.abc import Iterator

import torch
from torch import Tensor, nn

from gradatim.core.chunks import evaluating
from gradatim.core.errors import ConfigError
from gradatim.core.randomness import generator
from gradatim.core.signature import Text
from gradatim.data.naming import listed
from gradatim.layers.text.reader import Reader
from gradatim.layers.text.tokens import BEGIN, UNKNOWN, Tokens
from gradatim.ops.text.characters import coded
from gradatim.session.load import Loaded

__all__ = ["continued"]

LONGEST = 1_000_000  # characters


def continued(
    loaded: Loaded,
    prompt: str = "",
    length: int = 500,
    temperature: float = 1.0,
    seed: int = 0,
) -> str:
    """Return a prompt and how a model of text goes on with it.

    Each token is drawn from softmax(logits / temperature), then read before the next one is drawn.

    Args:
        loaded: a model of `Continuation`, as `load` returns it.
        prompt: "" to begin where a text begins.
        length: characters to write, from 1 to a million.
        temperature: below 1 the likelier tokens come more often; 0 takes the likeliest alone.
        seed: what is drawn is a function of it.

    Raises:
        ConfigError: a number is out of range, or the model knows no such character.
    """
    _check(length, temperature)
    model, card, _ = loaded
    tokens, field = model.preprocess, card.signature.input
    assert isinstance(tokens, Tokens), "a model of text begins with a tokeniser"
    assert isinstance(field, Text), "and reads text"
    strange = sorted(set(prompt) - set(field.alphabet))
    if strange:
        trouble = f"--prompt has characters that the model never read: {listed(strange, 5)}"
        raise ConfigError(f"{trouble}; leave them out")
    said = tokens(coded([prompt], field.alphabet))
    start = torch.cat([torch.full((1, 1), BEGIN), said], dim=1)
    pieces, written, many = tokens.pieces(), [prompt], 0
    pieces[UNKNOWN] = ""
    # What stands for nothing is never written.
    barred = torch.tensor([not piece for piece in pieces])
    with evaluating(model):
        for token in _drawn(model, start, barred, temperature, generator(seed, "writing")):
            written.append(pieces[token])
            many += len(pieces[token])
            if many >= length:
                break
    return "".join(written)[: len(prompt) + length]


def _drawn(
    model: nn.Module, start: Tensor, barred: Tensor, temperature: float, chance: torch.Generator
) -> Iterator[int]:
    """Yield token after token, without end."""
    network, output = model.get_submodule("network"), model.get_submodule("output")
    assert isinstance(network, Reader), "a model of text reads it"
    memory, tokens = None, start
    while True:
        logits, memory = network.read(tokens, memory)
        last = output(logits)[0, -1].double().masked_fill(barred, -math.inf)
        if temperature:
            # The largest is taken off first: a low temperature must not overflow.
            odds = ((last - last.max()) / temperature).softmax(0)
            token = int(torch.multinomial(odds, 1, generator=chance))
        else:
            token = int(last.argmax())
        tokens = torch.tensor([[token]])
        yield token


def _check(length: int, temperature: float) -> None:
    if not 1 <= length <= LONGEST:
        raise ConfigError(f"--length {length}: give a number from 1 to {LONGEST:,}")
    if not 0 <= temperature <= 1000:
        raise ConfigError(f"--temperature {temperature}: give 0 or more, such as 0.8")
