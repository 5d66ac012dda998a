"""Skip-gram: its loss by hand, its draws, and a small language with synonyms."""

import math

import pytest
import torch
from torch.nn import functional as F

from gradatim.core.errors import ConfigError
from gradatim.layers.word2vec import SkipGram, draw_negatives, pairs


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("window", [1, 2, 5, 50])
def test_pairs_are_all_words_within_the_window(window):
    tokens = torch.randint(0, 9, (12,), generator=seeded())
    near = [
        (int(tokens[i]), int(tokens[j]))
        for i in range(12)
        for j in range(12)
        if 0 < abs(i - j) <= window
    ]
    assert sorted(map(tuple, pairs(tokens, window).tolist())) == sorted(near)


def test_a_single_word_has_no_pairs():
    assert pairs(torch.tensor([3]), 2).shape == (0, 2)
    assert pairs(torch.tensor([], dtype=torch.long), 2).shape == (0, 2)


def test_loss_by_hand():
    """-log s(u_o . v_c) - sum over k of log s(-u_k . v_c)."""
    model = SkipGram(4, 3).double()
    torch.nn.init.normal_(model.context.weight, generator=seeded())
    v, u = model.centre.weight, model.context.weight
    s = torch.sigmoid
    first = -s(u[1] @ v[0]).log() - s(-u[2] @ v[0]).log() - s(-u[3] @ v[0]).log()
    second = -s(u[2] @ v[3]).log() - s(-u[0] @ v[3]).log() - s(-u[0] @ v[3]).log()
    ours = model(torch.tensor([[0, 1], [3, 2]]), torch.tensor([[2, 3], [0, 0]]))
    torch.testing.assert_close(ours, (first + second) / 2)


def test_loss_begins_at_log_2_a_word():
    """Context vectors of 0 know nothing: each of 1 + k answers costs log 2."""
    loss = SkipGram(9, 4)(torch.tensor([[0, 1]]), torch.tensor([[2, 3, 4]]))
    assert float(loss) == pytest.approx(4 * math.log(2), rel=1e-6)


def test_negatives_follow_counts_to_three_quarters():
    counts = torch.tensor([81, 16, 1, 0])
    drawn = draw_negatives(counts, 6000, 6, seeded())
    shares = torch.bincount(drawn.flatten(), minlength=4) / 36_000
    # Four standard deviations of a share in 36,000 draws are at most 0.0106.
    torch.testing.assert_close(shares, torch.tensor([27, 8, 1, 0]) / 36, atol=0.0106, rtol=0)
    assert shares[3] == 0


def test_negatives_are_a_function_of_the_seed():
    counts = torch.ones(50, dtype=torch.long)
    first, again, other = (draw_negatives(counts, 9, 5, seeded(s)) for s in (1, 1, 2))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_negatives_need_a_text():
    with pytest.raises(ConfigError, match="no word was counted"):
        draw_negatives(torch.zeros(3, dtype=torch.long), 1, 1, seeded())


def language(sentences: int) -> torch.Tensor:
    """Sentences "animal action food ." of 4 kinds; words 2i and 2i + 1 are used alike."""
    kind = torch.randint(0, 4, (sentences, 1), generator=seeded(1))
    word = torch.randint(0, 2, (sentences, 3), generator=seeded(2))
    slots = torch.arange(3) * 8
    words = slots + 2 * kind + word
    return torch.cat([words, torch.full((sentences, 1), 24)], dim=1).flatten()


def test_words_of_the_same_contexts_end_nearest_to_each_other():
    torch.manual_seed(0)
    tokens = language(600)
    found, model = pairs(tokens, 2), SkipGram(25, 12)
    counts, chance = torch.bincount(tokens, minlength=25), seeded(3)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.03)
    for _ in range(200):
        batch = found[torch.randint(0, len(found), (1024,), generator=chance)]
        loss = model(batch, draw_negatives(counts, len(batch), 5, chance))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert [int(model.near(w)) for w in range(24)] == [w ^ 1 for w in range(24)]


def test_near_is_by_cosine_and_leaves_the_word_out():
    model = SkipGram(5, 3)
    unit = F.normalize(model.centre.weight.detach(), dim=1)
    others = [w for w in range(5) if w != 2]
    expected = sorted(others, key=lambda w: -float(unit[w] @ unit[2]))
    assert model.near(2, 4).tolist() == expected


def test_slopes_and_their_slopes(smooth):
    model = SkipGram(4, 2)
    torch.nn.init.normal_(model.context.weight, generator=seeded())
    smooth(model, torch.tensor([[0, 1], [3, 2]]), torch.tensor([[2], [0]]))
