"""The transformer against its formula and torch's own layer, and what order means to it."""

import pytest
import torch
from pydantic import ValidationError
from torch import nn
from torch.nn import functional as F

from gradatim.core.errors import ConfigError
from gradatim.core.signature import Category, Column, Image, Quantity, Series, Signature, Table
from gradatim.layers.columns import Columns
from gradatim.layers.tokens import ColumnTokens
from gradatim.models.transformer import MOST, Block, Summary, Transformer

TWO = Category(names=("no", "yes"))
SEQUENCES = Signature(input=Series(channels=2, steps=6), output=TWO)
MIXED = Table(
    columns=(
        Column(name="width", kind="numeric", missing=True),
        Column(name="colour", kind="category", values=("red", "green", "blue")),
        Column(name="sold", kind="boolean", values=("no", "yes")),
        Column(name="day", kind="date"),
    )
)


def numeric(count: int) -> Table:
    return Table(columns=tuple(Column(name=f"x{i}", kind="numeric") for i in range(count)))


def normalised(x: torch.Tensor) -> torch.Tensor:
    """Fresh layer normalisation: gain 1, shift 0."""
    return (x - x.mean(-1, keepdim=True)) / (x.var(-1, correction=0, keepdim=True) + 1e-5).sqrt()


def test_a_block_is_its_formula():
    """Written out head by head in float64."""
    torch.manual_seed(0)
    block, x = Block(8, 2, 12, 0.1).double().eval(), torch.randn(3, 5, 8, dtype=torch.float64)
    tokens, heads = normalised(x), []
    for head in range(2):
        of_head = slice(4 * head, 4 * head + 4)
        query, key, value = (
            tokens @ getattr(block.attention, name).weight[of_head].T
            for name in ("query", "key", "value")
        )
        weights = torch.exp(query @ key.transpose(1, 2) / 2)
        heads.append(weights / weights.sum(-1, keepdim=True) @ value)
    x2 = x + torch.cat(heads, 2) @ block.attention.output.weight.T
    first, last = block.feed[0], block.feed[3]
    hidden = normalised(x2) @ first.weight.T + first.bias
    hidden = hidden * 0.5 * (1 + torch.erf(hidden / 2**0.5))
    torch.testing.assert_close(block(x), x2 + hidden @ last.weight.T + last.bias)


def test_a_block_is_torchs():
    """torch's encoder layer with the same weights and attention biases of 0."""
    torch.manual_seed(0)
    block, x = Block(8, 2, 12, 0.0), torch.randn(3, 5, 8)
    peer = nn.TransformerEncoderLayer(
        8, 2, 12, dropout=0.0, activation=F.gelu, batch_first=True, norm_first=True
    )
    ours = block.attention
    with torch.no_grad():
        stacked = [ours.query.weight, ours.key.weight, ours.value.weight]
        peer.self_attn.in_proj_weight.copy_(torch.cat(stacked))
        peer.self_attn.in_proj_bias.zero_()
        peer.self_attn.out_proj.weight.copy_(ours.output.weight)
        peer.self_attn.out_proj.bias.zero_()
        peer.linear1.load_state_dict(block.feed[0].state_dict())
        peer.linear2.load_state_dict(block.feed[3].state_dict())
    torch.testing.assert_close(block(x), peer(x), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(("depth", "ratio"), [(1, 2), (3, 4)])
def test_parameters_are_as_many_as_the_docstring_says(depth, ratio):
    w, k = 16, 2
    rung = Transformer(width=w, depth=depth, heads=4, ratio=ratio)
    block = 4 * w * w + 2 * ratio * w * w + (ratio + 5) * w
    rest = w + 2 * w + (w + 1) * k  # summary token, last normalisation, head
    sequences = sum(p.numel() for p in rung.build(SEQUENCES, {}).parameters())
    assert sequences == depth * block + rest + (2 + 1) * w
    table = rung.build(Signature(input=numeric(7), output=TWO), {})
    assert sum(p.numel() for p in table.parameters()) == depth * block + rest + 2 * 7 * w


def test_without_positions_the_order_of_the_tokens_means_nothing():
    torch.manual_seed(0)
    summary = Summary([Block(8, 2, 12, 0.0) for _ in range(2)], 8).double()
    tokens = torch.randn(4, 6, 8, dtype=torch.float64)
    torch.testing.assert_close(summary(tokens), summary(tokens[:, [3, 1, 5, 0, 2, 4]]))


def test_with_positions_it_means_something():
    torch.manual_seed(0)
    model = Transformer(width=8, heads=2).build(SEQUENCES, {}).eval()
    sequences = torch.randn(4, 6, 2, dtype=torch.float64)
    assert (model(sequences) - model(sequences.flip(1))).abs().max() > 1e-3


def test_columns_may_change_places_with_their_weights():
    """Columns have no order: their tokens carry what they are."""
    torch.manual_seed(0)
    signature = Signature(input=numeric(5), output=TWO)
    network = Transformer(width=8, heads=2).build(signature, {}).network.eval()
    x, order = torch.randn(4, 5), [4, 2, 0, 1, 3]
    before = network(x)
    tokens = network[0]
    with torch.no_grad():
        tokens.weight.copy_(tokens.weight[order])
        tokens.bias.copy_(tokens.bias[order])
    torch.testing.assert_close(network(x[:, order]), before, rtol=1e-4, atol=1e-5)


def test_a_token_is_an_embedding_of_a_category_and_a_line_of_a_number():
    torch.manual_seed(0)
    day = 19_000.0
    cells = torch.tensor(
        [[1.0, 0, 0, day], [3.0, 1, 1, day + 40], [torch.nan, 2, 0, day + 90], [2.0, 1, 0, day]],
        dtype=torch.float64,
    )
    columns = Columns(MIXED, torch.float32).fit(cells)
    layer = ColumnTokens(columns, 8)
    features = columns(cells)
    tokens = layer(features)
    assert tokens.shape == (4, 4, 8)
    owners = torch.tensor(columns.owners)
    assert torch.bincount(owners).tolist() == [2, 4, 1, 5]  # number and mark; ...; day and cycles
    codes = (owners == 1).nonzero()[:, 0]  # none of them, red, green, blue
    for row, code in enumerate((0, 1, 2, 1)):
        expected = layer.weight[codes[code + 1]] + layer.bias[1]
        torch.testing.assert_close(tokens[row, 1], expected)
    line = features[0, 0] * layer.weight[0] + layer.bias[0]
    torch.testing.assert_close(tokens[0, 0], line)
    mark = features[2, 0] * layer.weight[0] + layer.weight[-1] + layer.bias[0]
    torch.testing.assert_close(tokens[2, 0], mark)
    torch.testing.assert_close(tokens[0, 3], tokens[3, 3])


def test_too_many_tokens_and_pictures_are_refused():
    rung, output = Transformer(), Quantity(names=("y",))
    assert rung.accepts(Signature(input=numeric(MOST), output=output)) is None
    table = rung.accepts(Signature(input=numeric(MOST + 1), output=output))
    assert table is not None
    assert "mlp" in table.remedy
    long = Series(channels=1, steps=MOST + 1)
    steps = rung.accepts(Signature(input=long, output=output))
    assert steps is not None
    assert "recurrent" in steps.remedy
    picture = Image(channels=1, height=8, width=8)
    assert rung.accepts(Signature(input=picture, output=output)) is not None


@pytest.mark.parametrize("wrong", [{"width": 30, "heads": 4}, {"width": 3, "heads": 1}])
def test_heads_must_divide_the_width(wrong):
    with pytest.raises(ValidationError, match="heads"):
        Transformer(**wrong)
    with pytest.raises(ConfigError, match="heads"):
        Transformer.parse(wrong, "model.")
