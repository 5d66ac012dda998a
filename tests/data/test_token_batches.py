"""Batches of sentence pairs: alike in length, equal in tokens, a function of the step."""

import pytest
import torch
from torch import Tensor

from gradatim.core.errors import ConfigError
from gradatim.core.recipe import Augmentation, Recipe
from gradatim.core.samples import Samples
from gradatim.data.token_batches import TokenBatches


def pairs(rows: int = 300, longest: int = 40) -> Samples:
    chance = torch.Generator().manual_seed(3)

    about = torch.randint(1, longest, (rows, 1), generator=chance)

    def side() -> Tensor:
        lengths = about + torch.randint(0, 5, (rows, 1), generator=chance)
        tokens = torch.randint(4, 90, (rows, longest + 5), generator=chance)
        return tokens.masked_fill(torch.arange(longest + 5) >= lengths, 0)

    return Samples(side(), side())


def epoch(batches: TokenBatches, number: int = 0) -> list[Samples]:
    first = number * batches.per_epoch
    return [batches(step) for step in range(first, first + batches.per_epoch)]


@pytest.mark.parametrize("batch", [1, 7, 16, 299, 5000])
def test_every_pair_is_in_one_batch_of_an_epoch(batch: int):
    batches = TokenBatches(pairs(), Recipe(batch=batch))
    for number in (0, 1):
        drawn = epoch(batches, number)
        assert torch.cat([b.numbers for b in drawn]).sort().values.equal(torch.arange(300))
        assert min(map(len, drawn)) > 0
    assert batches.per_epoch == max(1, 300 // batch)


def test_batches_have_about_equally_many_tokens_and_little_padding():
    """PAD adds 8 % to the tokens here, and 90 % where pairs come without regard to length."""
    drawn = epoch(TokenBatches(pairs(3000), Recipe(batch=50)))
    tokens = torch.tensor([int((b.inputs > 0).sum() + (b.targets > 0).sum()) for b in drawn])
    padded = sum(b.inputs.numel() + b.targets.numel() for b in drawn)
    assert tokens.max() < 1.1 * tokens.float().mean()
    assert padded < 1.15 * tokens.sum()
    assert max(map(len, drawn)) > 2 * min(map(len, drawn))


def test_no_column_is_empty_and_nothing_is_cut_away():
    samples = pairs()
    for batch in epoch(TokenBatches(samples, Recipe(batch=20))):
        for name in ("inputs", "targets"):
            cut, whole = getattr(batch, name), getattr(samples, name)[batch.numbers]
            assert (cut[:, -1] > 0).any()
            assert whole[:, : cut.shape[1]].equal(cut)
            assert not whole[:, cut.shape[1] :].any()


def test_a_batch_is_a_function_of_seed_and_step():
    recipe = Recipe(batch=20, seed=4)
    first, again = TokenBatches(pairs(), recipe), TokenBatches(pairs(), recipe)
    in_order = [first(step).numbers for step in range(40)]
    backwards = [again(step).numbers for step in reversed(range(40))]
    assert all(map(torch.equal, in_order, reversed(backwards)))
    other = TokenBatches(pairs(), Recipe(batch=20, seed=5))
    assert any(not torch.equal(in_order[step], other(step).numbers) for step in range(15))
    assert any(not torch.equal(in_order[step], in_order[step + 15]) for step in range(15))


def test_augmentation_is_refused():
    with pytest.raises(ConfigError, match="augmentation"):
        TokenBatches(pairs(), Recipe(augmentation=Augmentation(noise=0.1)))
