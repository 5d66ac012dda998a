"""Networks that translate: masks, memories, and that writing agrees with being shown."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from gradatim.layers.text.tokens import BEGIN, END, PAD
from gradatim.layers.translation.recurrent import AttentionWriter, GruEncoder, GruWriter
from gradatim.layers.translation.transformer import MemoryAttention, TransformerWriter
from gradatim.layers.translation.writer import Attending, Writer
from gradatim.ops.attention import causal_mask

SOURCES, TARGETS, WIDTH = 20, 17, 8
CHOICES = {"dropout": 0.0, "beams": 3, "alpha": 0.6}


def transformer(**changes: float) -> TransformerWriter:
    sizes = {"width": WIDTH, "depth": 2, "heads": 2, "hidden": 12}
    return TransformerWriter(SOURCES, TARGETS, **sizes, **CHOICES | changes)


def gru(**changes: float) -> GruWriter:
    return GruWriter(SOURCES, TARGETS, width=WIDTH, **CHOICES | changes)


def attending(**changes: float) -> AttentionWriter:
    return AttentionWriter(SOURCES, TARGETS, width=WIDTH, **CHOICES | changes)


MAKERS = [transformer, gru, attending]
LOOKING = [transformer, attending]


@pytest.fixture(autouse=True)
def _chance() -> None:
    torch.manual_seed(0)


def sentences(rows: int = 5, longest: int = 6, words: int = SOURCES) -> Tensor:
    lengths = torch.arange(rows)[:, None] % longest + 1
    tokens = torch.randint(4, words, (rows, longest))
    return tokens.masked_fill(torch.arange(longest) >= lengths, PAD)


def shown(rows: int = 5, longest: int = 7) -> Tensor:
    tokens = F.pad(sentences(rows, longest, TARGETS), (1, 1))
    tokens[:, 0] = BEGIN
    return tokens.scatter_(1, (tokens != PAD).sum(1, keepdim=True), END)


@pytest.mark.parametrize("make", MAKERS)
def test_a_later_word_changes_no_earlier_logit(make: Callable[[], Writer]):
    """Label leak: without a causal mask the network copies the word that it is to predict."""
    network, x, y = make().eval(), sentences(), torch.randint(4, TARGETS, (5, 9))
    before = network(x, y)
    for place in range(1, 8):
        changed = y.clone()
        changed[:, place] = 4 + (y[:, place] - 3) % (TARGETS - 4)
        after = network(x, changed)
        assert after[:, :place].equal(before[:, :place])
        assert not after[:, place].allclose(before[:, place])


@pytest.mark.parametrize("make", MAKERS)
def test_padding_changes_nothing(make: Callable[[], Writer]):
    """More PAD on either side leaves the logits, but for rounding of sums in another order."""
    network, x, y = make().eval(), sentences(), shown()
    wide = network(F.pad(x, (0, 4)), F.pad(y, (0, 3)))
    torch.testing.assert_close(wide[:, : y.shape[1] - 1], network(x, y), atol=1e-6, rtol=1e-5)
    assert network(F.pad(x, (0, 4))).equal(network(x))


@pytest.mark.parametrize("make", MAKERS)
def test_rows_do_not_change_one_another(make: Callable[[], Writer]):
    network, x, y = make().eval(), sentences(), shown()
    together = network(x, y)
    for row in range(len(x)):
        alone = network(x[row : row + 1], y[row : row + 1])
        torch.testing.assert_close(alone[0], together[row], atol=1e-6, rtol=1e-5)


@pytest.mark.parametrize("make", MAKERS)
@pytest.mark.parametrize("width", [0, 3])
def test_an_empty_sentence_gives_no_nan(make: Callable[[], Writer], width: int):
    """Of a source that is PAD alone no key is open: a softmax over nothing would be NaN."""
    network, empty = make(), torch.zeros(2, width, dtype=torch.int64)
    logits = network(empty, shown(2))
    assert logits.isfinite().all()
    logits.square().mean().backward()
    assert all(p.grad is None or p.grad.isfinite().all() for p in network.parameters())
    assert network.eval()(empty).shape[0] == 2


@pytest.mark.parametrize("make", MAKERS)
def test_writing_says_what_being_shown_says(make: Callable[[], Writer]):
    """Step by step with remembered keys and states: the logits of all places at once."""
    network, x, y = make().eval(), sentences(), shown()
    whole = network(x, y)
    state, source = network.begin(x)
    state = tuple(part[:, None].expand(-1, 3, *part.shape[1:]) for part in state)
    for place in range(y.shape[1] - 1):
        words = y[:, place : place + 1].expand(-1, 3)
        logits, state = network.say(words, state, source)
        for beam in range(3):
            torch.testing.assert_close(logits[:, beam], whole[:, place], atol=1e-6, rtol=1e-4)


@pytest.mark.parametrize("make", MAKERS)
def test_one_beam_writes_the_likeliest_words(make: Callable[..., Writer]):
    """The beam against a loop that is shown everything it has written, again and again."""
    network, x = make(beams=1).eval(), sentences()
    for row, said in enumerate(network(x)):
        words = [BEGIN]
        for _ in range(2 * int((x[row] != PAD).sum()) + 10):
            asked = torch.tensor([[*words, END]])
            logits = network(x[row : row + 1], asked)[0, -1]
            logits[[PAD, BEGIN, 3]] = -torch.inf
            words.append(int(logits.argmax()))
            if words[-1] == END:
                break
        assert [w for w in said.tolist() if w] == [w for w in words[1:] if w != END]


@pytest.mark.parametrize("make", MAKERS)
def test_gradient_reaches_every_parameter(make: Callable[[], Writer]):
    network, y = make(), shown()
    logits = network(sentences(), y)
    F.cross_entropy(logits.flatten(0, 1), y[:, 1:].flatten(), ignore_index=PAD).backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in network.parameters())


@pytest.mark.parametrize("make", LOOKING)
def test_alignments_are_shares_of_the_words(make: Callable[[], Attending]):
    network, x, y = make().eval(), sentences(), shown()
    weights = network.alignments(x, y[:, :-1])
    assert weights.shape == (5, y.shape[1] - 1, x.shape[1])
    torch.testing.assert_close(weights.sum(2), torch.ones(weights.shape[:2]))
    assert not weights[(x == PAD)[:, None].expand_as(weights)].any()


def test_memory_attention_is_torchs():
    """torch.nn.MultiheadAttention with the same matrices, a causal mask and a mask of lengths."""
    mine = MemoryAttention(8, 2)
    peer = torch.nn.MultiheadAttention(8, 2, bias=False, batch_first=True)
    with torch.no_grad():
        peer.in_proj_weight.copy_(torch.cat([mine.query.weight, mine.memory.weight]))
        peer.out_proj.weight.copy_(mine.output.weight)
    x, lengths = torch.randn(3, 5, 8), torch.tensor([5, 3, 4])[:, None]
    real = torch.arange(5) < lengths
    found, weights = mine(x, mine.memory(x), real[:, None, None] & causal_mask(5))
    closed = ~causal_mask(5)
    due = peer(x, x, x, key_padding_mask=~real, attn_mask=closed, average_attn_weights=False)
    torch.testing.assert_close(found, due[0])
    torch.testing.assert_close(weights, due[1])


def test_the_way_back_begins_at_the_last_word():
    """A sentence among longer ones is read from its own end, as torch's GRU reads it alone."""
    encoder, x = GruEncoder(SOURCES, WIDTH, 0.0), sentences()
    states, last = encoder(x)
    for row, tokens in enumerate(x):
        alone = encoder.cell(encoder.embedding(tokens[tokens != PAD])[None])
        torch.testing.assert_close(states[row, : alone[0].shape[1]], alone[0][0])
        torch.testing.assert_close(last[row], alone[1].flatten())
