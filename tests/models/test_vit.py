"""The Vision Transformer: published sizes, names and arithmetic; patches for small pictures."""

import pytest
import torch
from torch.nn import functional as F

from gradatim.core.errors import ConfigError
from gradatim.core.signature import Category, Image, Signature
from gradatim.models import rung_named
from gradatim.models.vit import EncoderBlock, ViT

TEN = Category(names=tuple("0123456789"))
IMAGENET = Signature(
    input=Image(channels=3, height=224, width=224),
    output=Category(names=tuple(map(str, range(1000)))),
)
PARAMETERS = {
    "vit_ti_16": 5_717_416,
    "vit_s_16": 22_050_664,
    "vit_b_16": 86_567_656,  # these three as torchvision documents them
    "vit_b_32": 88_224_232,
    "vit_l_16": 304_326_632,
}


def empty(name: str):
    with torch.device("meta"):
        return rung_named(name).build(IMAGENET, {}).network


@pytest.mark.parametrize("name", PARAMETERS)
def test_published_networks_have_their_parameters(name):
    assert sum(p.numel() for p in empty(name).parameters()) == PARAMETERS[name]
    assert rung_named(name).name == name


def test_names_and_shapes_are_torchvisions():
    shapes = {k: tuple(v.shape) for k, v in empty("vit_b_16").state_dict().items()}
    block = "encoder.layers.encoder_layer_11."
    expected = {
        "class_token": (1, 1, 768),
        "conv_proj.weight": (768, 3, 16, 16),
        "conv_proj.bias": (768,),
        "encoder.pos_embedding": (1, 197, 768),
        f"{block}ln_1.weight": (768,),
        f"{block}ln_2.bias": (768,),
        f"{block}self_attention.in_proj_weight": (2304, 768),
        f"{block}self_attention.in_proj_bias": (2304,),
        f"{block}self_attention.out_proj.weight": (768, 768),
        f"{block}mlp.0.weight": (3072, 768),
        f"{block}mlp.3.bias": (768,),
        "encoder.ln.weight": (768,),
        "heads.head.weight": (1000, 768),
    }
    assert {k: shapes[k] for k in expected} == expected
    assert len(shapes) == 8 + 12 * 12


def test_a_block_is_equations_2_and_3():
    torch.manual_seed(0)
    block = EncoderBlock(width=8, heads=2, hidden=16, dropout=0.0).double()
    z = torch.randn(3, 5, 8, dtype=torch.float64)
    own = block.self_attention
    q, k, v = F.linear(block.ln_1(z), own.in_proj_weight, own.in_proj_bias).chunk(3, dim=2)
    heads = []
    for h in (slice(0, 4), slice(4, 8)):
        weights = (q[..., h] @ k[..., h].mT / 4**0.5).softmax(2)
        heads.append(weights @ v[..., h])
    between = z + own.out_proj(torch.cat(heads, 2))
    hidden = F.gelu(block.mlp[0](block.ln_2(between)))
    torch.testing.assert_close(block(z), between + block.mlp[3](hidden))


def test_patches_are_told_apart_by_position_alone():
    """Without positions the class token could not see that two patches changed places."""
    torch.manual_seed(0)
    network = ViT(width=8, depth=1, heads=2).network(1, 10, (8, 8)).eval()
    picture = torch.rand(1, 1, 8, 8)
    swapped = picture.clone()
    swapped[..., 0:2, 0:2], swapped[..., 4:6, 6:8] = picture[..., 4:6, 6:8], picture[..., 0:2, 0:2]
    with torch.no_grad():
        assert (network(picture) - network(swapped)).abs().max() > 1e-6
        network.encoder.pos_embedding.zero_()
        torch.testing.assert_close(network(picture), network(swapped), atol=1e-6, rtol=0)


@pytest.mark.parametrize(
    ("height", "width", "extent", "tokens"),
    [
        (28, 28, (28, 28), 49),
        (32, 32, (32, 32), 64),
        (64, 64, (64, 64), 256),
        (100, 80, (64, 64), 256),
        (30, 29, (28, 28), 49),
        (8, 8, (8, 8), 16),
        (4, 4, (8, 8), 16),
        (13, 10, (12, 10), 30),
        (40, 20, (40, 20), 200),
    ],
)
def test_small_pictures_get_small_patches(height, width, extent, tokens):
    image = Image(channels=1, height=height, width=width)
    rung = ViT()
    assert rung.extent(image) == extent
    network = rung.build(Signature(input=image, output=TEN), {}).network
    assert network.encoder.pos_embedding.shape[1] == tokens + 1
    assert network(torch.zeros(2, 1, *extent)).shape == (2, 10)


def test_published_networks_take_their_224_pixels_and_any_patches_below():
    rung = rung_named("vit_b_32")
    assert rung.extent(Image(channels=3, height=300, width=224)) == (224, 224)
    assert rung.extent(Image(channels=3, height=50, width=8)) == (32, 32)


def test_heads_must_divide_the_width():
    with pytest.raises(ConfigError, match="3 heads do not divide a width of 64"):
        ViT.parse({"heads": 3})


def test_every_parameter_gets_a_gradient_from_the_first_step():
    """The published head begins at 0, which would stop the first gradient."""
    torch.manual_seed(0)
    network = ViT().network(1, 10, (28, 28))
    F.cross_entropy(network(torch.rand(4, 1, 28, 28)), torch.arange(4)).backward()
    still = [n for n, p in network.named_parameters() if p.grad is None or not p.grad.any()]
    assert still == []


def test_the_recipe_warms_up_and_moves_pictures():
    image = Image(channels=1, height=28, width=28)
    signature = Signature(input=image, output=Category(names=("a", "b")))
    for rows in (100, 10_000, 60_000):
        recipe = ViT().recipe(rows, signature)
        assert recipe.schedule.name == "cosine"
        assert recipe.schedule.warmup > 0
        assert recipe.augmentation.shift > 0
        assert recipe.optimizer.weight_decay > 0
