"""Networks that read text: no look ahead, in pieces as in one go, padding, slopes, references."""

import math

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from gradatim.layers.positions import rotate
from gradatim.layers.recurrent_cells import GRUCell, LSTMCell, RNNCell, begin_recurrent
from gradatim.layers.text.causal_decoder import CausalAttention, CausalDecoder
from gradatim.layers.text.recurrent_reader import RecurrentReader
from gradatim.layers.text.tokens import PAD
from gradatim.ops.attention import attention, causal_mask, scaled_dot_scores

WORDS, CONTEXT, DEPTH = 11, 6, 2


def recurrent(cell: str, depth: int = DEPTH) -> RecurrentReader:
    return RecurrentReader(cell, WORDS, embedding=5, width=8, depth=depth, dropout=0.3)


def decoder(context: int = CONTEXT, depth: int = DEPTH) -> CausalDecoder:
    return CausalDecoder(WORDS, 8, depth, heads=2, hidden=16, context=context, dropout=0.3)


READERS = {
    "rnn": lambda: recurrent("rnn"),
    "lstm": lambda: recurrent("lstm"),
    "gru": lambda: recurrent("gru", depth=1),
    "decoder": decoder,
}


@pytest.fixture(params=READERS)
def reader(request) -> nn.Module:
    torch.manual_seed(0)
    network = READERS[request.param]().double().eval()
    for parameter in network.parameters():  # far from the small first weights, which hide much
        nn.init.normal_(parameter, std=0.5)
    return network


@pytest.fixture
def tokens() -> torch.Tensor:
    return torch.randint(1, WORDS, (3, 40), generator=torch.Generator().manual_seed(1))


def test_a_future_token_changes_no_earlier_logit(reader, tokens):
    """The label of a place is the token after it: to see that one is to copy it."""
    for place in (1, 7, 39):
        other = tokens.clone()
        other[:, place:] = other[:, place:] % (WORDS - 1) + 1
        before, after = reader(tokens), reader(other)
        assert torch.equal(before[:, :place], after[:, :place])
        assert not torch.isclose(before[:, place], after[:, place]).all(1).any()


def test_no_gradient_comes_from_later_tokens(reader, tokens):
    """Through the derivatives too, for the vectors of all tokens of a text."""
    vectors = reader.embedding(tokens[:1]).detach().requires_grad_()
    reader.embedding.register_forward_hook(lambda *_: vectors)
    reader(tokens[:1])[0, 5].square().sum().backward()
    reaching = vectors.grad[0].abs().sum(1)
    assert (reaching[:6] > 0).all()
    assert (reaching[6:] == 0).all()


@pytest.mark.parametrize("cuts", [[1] * 40, [40], [3, 1, 17, 2, 17], [25, 15]])
def test_read_in_pieces_as_in_one_go(reader, tokens, cuts):
    memory, said = None, []
    for piece in tokens.split(cuts, dim=1):
        logits, memory = reader.read(piece, memory)
        said.append(logits)
    whole, end = reader.read(tokens)
    torch.testing.assert_close(torch.cat(said, dim=1), whole)
    torch.testing.assert_close(memory, end)
    torch.testing.assert_close(reader(tokens), whole)


def test_what_was_read_before_counts(reader, tokens):
    """A memory that nobody looked at would be equal in pieces too, if pieces were alone."""
    first, then = tokens.split([20, 20], dim=1)
    _, memory = reader.read(first)
    known, alone = reader.read(then, memory)[0], reader(then)
    assert not torch.isclose(known, alone)[:, :CONTEXT].all(2).any()


def test_memories_are_of_a_row(reader, tokens):
    """Streams that are taken alone, or in another order, say the same."""
    _, memory = reader.read(tokens)
    assert len(memory) == len(tokens)
    logits, _ = reader.read(tokens, memory)
    turned, _ = reader.read(tokens.flip(0), memory.flip(0))
    torch.testing.assert_close(turned.flip(0), logits)
    alone, _ = reader.read(tokens[1:2], memory[1:2])
    torch.testing.assert_close(alone[0], logits[1])


def test_padding_after_the_end_changes_nothing(reader, tokens):
    padded = F.pad(tokens, (0, 9), value=PAD)
    torch.testing.assert_close(reader(padded)[:, :40], reader(tokens))


def test_nothing_but_padding_is_read_without_nan(reader):
    """A row of PAD alone, and a window of one token: no softmax over nothing."""
    logits, memory = reader.read(torch.full((2, 3), PAD))
    more, _ = reader.read(torch.full((2, 1), PAD), memory)
    assert torch.isfinite(logits).all()
    assert torch.isfinite(more).all()


def test_the_gradient_reaches_everything(reader, tokens):
    reader.train()
    logits, memory = reader.read(tokens)
    again, _ = reader.read(tokens, memory.detach())
    F.cross_entropy((logits + again).mT, tokens).backward()
    silent = [n for n, p in reader.named_parameters() if p.grad is None or not p.grad.any()]
    assert silent == []


def test_a_detached_memory_ends_the_gradient(reader, tokens):
    """Truncated back-propagation: what went before is known, and not learnt from."""
    vectors = reader.embedding(tokens).detach().requires_grad_()
    hook = reader.embedding.register_forward_hook(lambda *_: vectors)
    _, memory = reader.read(tokens)
    hook.remove()
    for cut, reaches in ((memory, True), (memory.detach(), False)):
        logits, _ = reader.read(tokens, cut)
        (slope,) = torch.autograd.grad(
            logits.sum(), [vectors], allow_unused=True, retain_graph=True
        )
        assert (slope is not None) is reaches


def test_dropout_is_of_training_alone(reader, tokens):
    assert torch.equal(reader(tokens), reader(tokens))
    reader.train()
    assert not torch.equal(reader(tokens), reader(tokens))


@pytest.mark.parametrize(("cell", "by_hand"), [("rnn", RNNCell), ("gru", GRUCell)])
def test_states_follow_the_equations(cell, by_hand, tokens):
    """One cell, step by step as its equations are written out."""
    reader = recurrent(cell, depth=1).eval()
    step = by_hand(5, 8)
    _take(step, reader.cell)
    h, said = torch.zeros(3, 8), []
    for x in reader.embedding(tokens).unbind(1):
        h = step(x, h)
        said.append(reader.output(h))
    logits, memory = reader.read(tokens)
    torch.testing.assert_close(logits, torch.stack(said, dim=1))
    torch.testing.assert_close(memory[:, 0], h)


def test_an_lstm_remembers_state_and_memory(tokens):
    reader = recurrent("lstm", depth=1).eval()
    step = LSTMCell(5, 8)
    _take(step, reader.cell)
    h, c, said = torch.zeros(3, 8), torch.zeros(3, 8), []
    for x in reader.embedding(tokens).unbind(1):
        h, c = step(x, h, c)
        said.append(reader.output(h))
    logits, memory = reader.read(tokens)
    torch.testing.assert_close(logits, torch.stack(said, dim=1))
    torch.testing.assert_close(memory, torch.stack([h, c], dim=1))


def _take(step: nn.Module, cell: nn.RNNBase) -> None:
    numbers = cell.state_dict()
    step.load_state_dict({name: numbers[f"{name}_l0"] for name in step.state_dict()})


def test_cells_begin_with_orthogonal_maps_of_the_state():
    cell = nn.LSTM(3, 4, num_layers=2)
    begin_recurrent(cell)
    for gate in (*cell.weight_hh_l0.split(4), *cell.weight_hh_l1.split(4)):
        torch.testing.assert_close(gate @ gate.T, torch.eye(4))
    for bias in (cell.bias_ih_l0 + cell.bias_hh_l0, cell.bias_ih_l1 + cell.bias_hh_l1):
        assert (bias[4:8] == 1).all(), "the forget gate"


def test_attention_is_that_of_the_formula():
    """Beside the plain arithmetic of `ops.attention`, keys of an earlier window among them."""
    torch.manual_seed(0)
    layer = CausalAttention(8, heads=2).double()
    x, earlier = torch.randn(2, 5, 8).double(), torch.randn(2, 3, 8).double()
    mask = causal_mask(5, 8).triu(8 - 5 - 4 + 1)
    memory = layer.joined(earlier)[..., 8:]
    found, both = layer(x, memory, mask)
    all_ = torch.cat([earlier, x], dim=1)
    q, k, v = (t.unflatten(2, (2, 4)).transpose(1, 2) for t in layer.joined(all_).split(8, dim=2))
    scores = scaled_dot_scores(rotate(q)[:, :, 3:], rotate(k))
    heads, _ = attention(scores, v, mask)
    torch.testing.assert_close(found, layer.output(heads.transpose(1, 2).flatten(2)))
    torch.testing.assert_close(both, layer.joined(all_)[..., 8:])


@pytest.mark.parametrize(("depth", "reach"), [(1, 5), (2, 10)])
def test_a_token_sees_its_context_a_block(tokens, depth, reach):
    """Itself and `context - 1` before it, through every block: depth x (context - 1) in all."""
    torch.manual_seed(0)
    network = decoder(depth=depth).double().eval()
    vectors = network.embedding(tokens[:1]).detach().requires_grad_()
    network.embedding.register_forward_hook(lambda *_: vectors)
    network(tokens[:1])[0, 30].square().sum().backward()
    seen = vectors.grad[0].abs().sum(1).nonzero()[:, 0].tolist()
    assert seen == list(range(30 - reach, 31))


def test_a_context_of_one_token_remembers_nothing(tokens):
    network = decoder(context=1).eval()
    logits, memory = network.read(tokens)
    assert memory.shape[2] == 0
    assert torch.equal(tokens[0, 3:4] == tokens[0], (logits[0, 3] == logits[0]).all(1))


def test_a_deep_sum_begins_with_the_spread_of_a_shallow_one():
    """What 2 blocks add to a token is smaller by 1 / sqrt(2 depth), as in GPT-2."""
    torch.manual_seed(0)
    network = CausalDecoder(WORDS, 64, 8, heads=2, hidden=256, context=4, dropout=0.0)
    for block in network.blocks:
        for layer, inputs in ((block.attention.output, 64), (block.feed[2], 256)):
            expected = 1 / math.sqrt(16 * inputs)
            assert layer.weight.std().item() == pytest.approx(expected, rel=0.1)
        assert block.attention.joined.weight.std().item() == pytest.approx(1 / 8, rel=0.1)
