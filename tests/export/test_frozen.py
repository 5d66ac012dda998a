"""Frozen models: what is folded, what is left alone, and that nobody is changed by it."""

from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gradatim.core.rung import Model
from gradatim.core.signature import Category, Image, Signature
from gradatim.export.frozen import Frozen, frozen
from gradatim.layers.outputs import Logits
from gradatim.layers.pixels import Pixels
from gradatim.models import rung_named
from gradatim.ops.compiled import dense as compiled_dense
from gradatim.ops.compiled import fused_convolution as compiled_fused_convolution

TEN = Category(names=tuple("0123456789"))


def pictures(image: Image, rows: int = 4) -> Tensor:
    shape = (rows, image.channels, image.height, image.width)
    chance = torch.Generator().manual_seed(0)
    return torch.randint(0, 256, shape, generator=chance, dtype=torch.uint8)


def built(name: str, image: Image, size: str | None = None) -> Model:
    """A model whose every number matters."""
    rung = rung_named(name) if size is None else rung_named(name).of_size(size)
    torch.manual_seed(0)
    model = rung.build(Signature(input=image, output=TEN), {})
    model.preprocess.fit(pictures(image, 50))
    model.output.scale.fill_(1.5)
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            for numbers in (module.weight, module.bias, module.running_mean):
                nn.init.normal_(numbers.detach(), 0.5, 0.2)
            nn.init.uniform_(module.running_var, 0.5, 2)
    return model.eval()


def names(quick: Frozen) -> list[str]:
    """What is left to be called."""
    calls = [node for node in quick.answer.graph.nodes if node.op == "call_function"]
    assert all(node.op != "call_module" for node in quick.answer.graph.nodes)
    return [node.target.__name__ for node in calls]


def agrees(model: nn.Module, inputs: Tensor, quick: Frozen | None = None) -> Frozen:
    """Freeze, and compare answers to one row and to all."""
    quick = quick or frozen(model, inputs[:2])
    assert quick.obstacle is None, quick.obstacle
    with torch.no_grad():
        for rows in (inputs[:1], inputs):
            right = model(rows)
            top = right.abs().max().item()
            torch.testing.assert_close(quick(rows), right, rtol=0, atol=2e-5 * top)
    return quick


def test_normalisations_additions_and_bends_of_a_residual_network_are_folded():
    image = Image(channels=3, height=32, width=32)
    model = built("resnet18", image, "tiny")
    quick = agrees(model, pictures(image))
    found = names(quick)
    # The first one, two in each of eight blocks, and one in three shortcuts; nothing in between.
    assert (found.count("convolve"), found.count("convolve_and_add")) == (12, 8)
    assert found[0] == "standardise", "zeros around a picture are not raw"
    assert found[-1] in ("multiply", "call")
    assert len(found) == 20 + 4, "with the average, its flattening and the last layer"


def test_the_layers_of_lenet_are_three_calls_of_machine_code():
    for operator in (compiled_fused_convolution, compiled_dense):
        if operator.obstacle():
            pytest.skip(f"skipped: {operator.obstacle()}")
    image = Image(channels=1, height=28, width=28)
    quick = agrees(built("lenet5", image), pictures(image, 70))
    passes = ["convolve_relu_pool"] * 2
    assert names(quick) == ["convert", *passes, "call", "multiply"], "scales are in the weights"


def test_scales_of_pixels_and_logits_are_in_the_weights_of_a_dense_network():
    image = Image(channels=3, height=5, width=7)
    quick = agrees(built("mlp", image), pictures(image))
    assert set(names(quick)) == {"convert", "multiply"}


@pytest.mark.parametrize("name", ["lenet5", "resnet18", "mlp", "vit", "mobilenet_v2", "googlenet"])
def test_without_machine_code_and_without_packing_it_is_the_same(name, monkeypatch):
    monkeypatch.setenv("GRADATIM_FUSED", "0")
    image = Image(channels=3, height=32, width=32)
    quick = agrees(built(name, image, "tiny"), pictures(image))
    assert "convolve_relu_pool" not in names(quick)


@pytest.mark.parametrize("linear", [False, True])
@pytest.mark.parametrize("packs", [False, True])
@pytest.mark.parametrize(
    "bend",
    [
        *(nn.ReLU(), nn.ReLU6(), nn.Tanh(), nn.Sigmoid(), nn.SiLU()),
        *(nn.GELU(), nn.GELU("tanh"), nn.Softplus(), nn.LeakyReLU(0.3)),
    ],
    ids=repr,
)
def test_every_activation_is_what_it_was(bend, packs, linear, monkeypatch):
    if not packs:
        monkeypatch.setenv("GRADATIM_FUSED", "0")
    torch.manual_seed(0)
    layer = nn.Linear(9, 8) if linear else nn.Conv2d(3, 8, 3)
    inputs = 4 * (torch.randn(5, 9) if linear else torch.randn(5, 3, 9, 8))
    agrees(nn.Sequential(layer, bend), inputs)


class Shortcut(nn.Module):
    """x and what a convolution makes of it, in some way."""

    def __init__(self, way: str) -> None:
        super().__init__()
        self.way = way
        self.first, self.second = nn.Conv2d(3, 3, 1), nn.Conv2d(3, 3, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        y = self.second(x)
        ways = {
            "input": lambda: F.relu(x + y),
            "two convolutions": lambda: self.first(x) + y,
            "read twice": lambda: (x + y) * y,
            "twice itself": lambda: y + y,
            "smaller": lambda: y + x.mean((2, 3), keepdim=True),
            "larger": lambda: y.mean((2, 3), keepdim=True) + x,
            "a number": lambda: y + 1,
            "subtracted": lambda: torch.add(x, y, alpha=-1),
        }
        return ways[self.way]()


@pytest.mark.parametrize(
    ("way", "folds"),
    [
        *(("input", True), ("two convolutions", True), ("read twice", False)),
        *(("twice itself", False), ("smaller", False), ("larger", False)),
        *(("a number", False), ("subtracted", False)),
    ],
)
def test_only_what_nobody_else_reads_is_added_to(way, folds):
    torch.manual_seed(0)
    inputs = torch.randn(3, 3, 6, 5)
    before = inputs.clone()
    quick = agrees(Shortcut(way).eval(), inputs)
    assert torch.equal(inputs, before)
    assert ("convolve_and_add" in names(quick)) == folds


@pytest.mark.parametrize(
    ("layers", "folds"),
    [
        ([nn.Conv2d(2, 4, 3, bias=False), nn.BatchNorm2d(4)], True),
        ([nn.Conv2d(2, 4, 3), nn.BatchNorm2d(4, affine=False)], True),
        ([nn.Conv2d(2, 4, 3, groups=2, stride=2, dilation=2), nn.BatchNorm2d(4)], True),
        ([nn.Conv2d(2, 4, 3), nn.ReLU(), nn.BatchNorm2d(4)], False),
        ([nn.Conv2d(2, 4, 3), nn.BatchNorm2d(4, track_running_stats=False)], False),
    ],
)
def test_a_normalisation_is_folded_where_it_follows_and_remembers(layers, folds):
    torch.manual_seed(0)
    model = nn.Sequential(*layers)
    model(torch.randn(20, 2, 9, 9) + 1)  # for statistics that are not 0 and 1
    quick = agrees(model.eval(), torch.randn(4, 2, 9, 9))
    assert names(quick) == ["convolve"] if folds else "call" in names(quick)


def test_rows_are_normalised_and_sequences_of_rows_are_left_alone():
    torch.manual_seed(0)
    rows = nn.Sequential(nn.Linear(6, 4), nn.BatchNorm1d(4), nn.Dropout(0.5), nn.ReLU()).train()
    rows(torch.randn(50, 6))
    assert names(agrees(rows.eval(), torch.randn(3, 6))) == ["multiply"]
    steps = nn.Sequential(nn.Linear(6, 4), nn.BatchNorm1d(7)).train()
    steps(torch.randn(50, 7, 6))
    agrees(steps.eval(), torch.randn(3, 7, 6))


class Masked(nn.Linear):
    """A layer that is more than its parameters."""

    def forward(self, x: Tensor) -> Tensor:
        if x.sum() > 1e9:
            return x
        return super().forward(x) * 2


def test_a_layer_that_is_more_than_its_parameters_is_called_as_it_is():
    model = nn.Sequential(Masked(6, 5), nn.ReLU(), nn.Linear(5, 4))
    assert names(agrees(model, torch.randn(3, 6)))[0] == "call"


class Moody(nn.Module):
    """Answers otherwise every time."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = 0

    def forward(self, x: Tensor) -> Tensor:
        self.asked += 1
        return x + self.asked


def test_where_answers_differ_or_nothing_can_be_asked_the_model_answers():
    quick = frozen(Moody(), torch.zeros(2, 3))
    assert "off by" in str(quick.obstacle)
    assert isinstance(quick.answer, Moody)
    quick = frozen(nn.Linear(3, 2), torch.zeros(2, 4))
    assert quick.obstacle is not None
    assert quick(torch.zeros(2, 3)).shape == (2, 2), "what is asked rightly is answered"


def test_neither_changes_with_the_other():
    model = nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten())
    model = nn.Sequential(*model, nn.Linear(196, 3)).train()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    x = torch.randn(3, 1, 9, 9)
    quick = frozen(model, x)
    said = quick(x)
    assert not list(quick.parameters())
    assert not said.requires_grad
    assert all(module.training for module in model.modules())
    assert all(parameter.requires_grad for parameter in model.parameters())
    assert all(torch.equal(before[name], value) for name, value in model.state_dict().items())
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(1)
    assert torch.equal(quick(x), said)


@pytest.mark.parametrize("size", [(9, 8), (12, 16), (4, 4)])
@pytest.mark.parametrize("padding", [0, 1])
def test_pixels_of_any_size_reach_the_first_layer(size, padding):
    image = Image(channels=3, height=9, width=8)
    pixels = Pixels(image, size)
    pixels.fit(pictures(image, 30))
    network = nn.Sequential(nn.Conv2d(3, 5, 3, padding=padding), nn.Tanh())
    quick = agrees(Model(pixels, network, Logits()).eval(), pictures(image))
    assert names(quick)[0] == ("standardise" if padding else "convert")


def test_several_threads_may_ask_at_the_same_time():
    image = Image(channels=1, height=32, width=32)
    model = built("lenet5", image)
    quick, inputs = frozen(model, pictures(image)), pictures(image, 64)
    parts = [inputs[:rows] for rows in (1, 5, 64, 17) * 20]
    with torch.no_grad():
        right = model(inputs)
    with ThreadPoolExecutor(4) as threads:
        for part, said in zip(parts, threads.map(quick, parts), strict=True):
            torch.testing.assert_close(said, right[: len(part)], rtol=0, atol=1e-4)
