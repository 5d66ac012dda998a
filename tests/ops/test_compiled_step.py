"""Look-ups, cross-entropy and Adam by machine code against torch."""

import platform
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from gradatim.ops import adam as module
from gradatim.ops import losses
from gradatim.ops.adam import adam
from gradatim.ops.compiled import library
from gradatim.ops.compiled import step as compiled_step

BETAS = (0.9, 0.999)


@pytest.fixture
def code() -> None:
    """Skip where there is no machine code."""
    reason = compiled_step.obstacle()
    if reason:
        pytest.skip(f"no machine code: {reason}")


@pytest.fixture
def forgetful() -> Iterator[None]:
    """Let a test decide anew whether there is machine code."""
    compiled_step.CODE.forget()
    yield
    compiled_step.CODE.forget()


def by_torch(outputs: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
    outputs = outputs.detach().requires_grad_()
    each = F.cross_entropy(outputs, targets, reduction="none")
    return each.detach(), torch.autograd.grad(each.sum(), outputs)[0]


@pytest.mark.parametrize("classes", [1, 2, 10, 16, 17, 100, 1000])
@pytest.mark.parametrize("scale", [1e-3, 3.0, 60.0])
def test_cross_entropy_is_torchs(code, classes, scale):
    outputs = scale * torch.randn(37, classes)
    targets = torch.randint(classes, (37,))
    found = compiled_step.cross_entropy(outputs, targets)
    assert found is not None
    for a, b in zip(found, by_torch(outputs, targets), strict=True):
        torch.testing.assert_close(a, b, rtol=2e-6, atol=5e-7 * max(1.0, scale))


def test_cross_entropy_says_what_is_not_finite(code):
    outputs = torch.zeros(5, 3)
    outputs[0, 1], outputs[1, 0], outputs[2, 2], outputs[3] = torch.nan, torch.inf, -torch.inf, 9e37
    targets = torch.tensor([0, 1, 2, 0, 1])
    found, right = compiled_step.cross_entropy(outputs, targets), by_torch(outputs, targets)
    assert found is not None
    torch.testing.assert_close(found[0], right[0], equal_nan=True)
    assert found[0][:2].isnan().all()
    assert found[0][2] == torch.inf


def test_a_target_that_is_no_class_is_left_to_torch(code):
    outputs = torch.zeros(2, 3)
    for target in (-1, 3):
        targets = torch.tensor([0, target])
        assert compiled_step.cross_entropy(outputs, targets) is None
        with pytest.raises((IndexError, RuntimeError)):
            losses.cross_entropy_slopes(outputs, targets)


@pytest.mark.parametrize("switch", ["1", "0"], ids=["machine code", "plain"])
def test_losses_and_slopes_are_autograds(monkeypatch, switch):
    monkeypatch.setenv("GRADATIM_FUSED", switch)
    outputs, targets = torch.randn(40, 10), torch.randint(10, (40,))
    cases = [(outputs, targets), (outputs.double(), targets), (outputs.T[:, :10].T, targets[:10])]
    for case in cases:
        pairs = zip(losses.cross_entropy_slopes(*case), by_torch(*case), strict=True)
        for a, b in pairs:
            torch.testing.assert_close(a, b)


def test_rows_are_looked_up(code, monkeypatch):
    monkeypatch.setattr(compiled_step, "WORTH_A_THREAD", 1)
    threads = torch.get_num_threads()
    try:
        for count in (1, 3):
            torch.set_num_threads(count)
            for dtype in (torch.float32, torch.float64, torch.uint8):
                sources = [torch.randint(99, (n, 7, 3)).to(dtype) for n in (40, 50, 1)]
                index = torch.stack([torch.randint(len(x), (70,)) for x in sources])
                room = torch.empty(3, 70, 7, 3, dtype=dtype)
                compiled_step.look_up(sources, index, room)
                right = torch.stack([x[i] for x, i in zip(sources, index, strict=True)])
                assert torch.equal(room, right)
    finally:
        torch.set_num_threads(threads)


def moved(large: int, decay: float, monkeypatch) -> list[list[Tensor]]:
    """Ten updates of two tensors; tensors from `large` numbers on by machine code."""
    monkeypatch.setattr(module, "LARGE", large)
    chance = torch.Generator().manual_seed(0)
    shapes = [(70, 37), (5,)]
    numbers = [torch.randn(*s, generator=chance) for s in shapes]
    means, squares = ([torch.zeros(*s) for s in shapes] for _ in range(2))
    counts = [torch.zeros(()) for _ in shapes]
    for _ in range(10):
        slopes = [torch.randn(*s, generator=chance) for s in shapes]
        adam(numbers, slopes, means, squares, counts, rate=0.01, decay=decay)
    return [numbers, means, squares, counts]


@pytest.mark.parametrize("decay", [0.0, 0.1])
def test_an_update_is_torchs(code, monkeypatch, decay):
    found, right = (moved(large, decay, monkeypatch) for large in (0, 10**9))
    for some, others in zip(found, right, strict=True):
        for a, b in zip(some, others, strict=True):
            torch.testing.assert_close(a, b, rtol=2e-6, atol=1e-7)


def test_an_update_depends_on_no_threads(code, monkeypatch):
    monkeypatch.setattr(compiled_step, "WORTH_A_THREAD", 1)
    threads, first = torch.get_num_threads(), moved(0, 0.1, monkeypatch)
    try:
        torch.set_num_threads(4)
        again = moved(0, 0.1, monkeypatch)
    finally:
        torch.set_num_threads(threads)
    for some, others in zip(first, again, strict=True):
        assert all(map(torch.equal, some, others))


def test_gaps_and_other_types_are_left_to_torch(monkeypatch):
    monkeypatch.setattr(module, "LARGE", 0)
    monkeypatch.setattr(module, "move", None)  # would fail if it were called
    count = [torch.zeros(())]
    for make in (lambda: torch.ones(4, 6).double(), lambda: torch.ones(6, 4).T):
        number, slope, mean, square = (make() for _ in range(4))
        adam([number], [slope], [mean], [square], count, rate=0.1)
        assert (number < 1).all()


INSTRUCTIONS = ["x86-64", "x86-64-v3", "x86-64-v4"]


@pytest.mark.skipif(platform.machine() != "x86_64", reason="these are names of x86 processors")
@pytest.mark.parametrize("instructions", INSTRUCTIONS)
def test_other_processors_compute_the_same(code, monkeypatch, tmp_path, instructions):
    features = Path("/proc/cpuinfo").read_text() if Path("/proc/cpuinfo").exists() else ""
    needs = {"x86-64": "sse2", "x86-64-v3": "avx2", "x86-64-v4": "avx512vl"}[instructions]
    if needs not in features:
        pytest.skip(f"this processor has no {needs}")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    flags = tuple(f for f in library.FLAGS if not f.startswith("-march"))
    monkeypatch.setattr(library, "FLAGS", (*flags, f"-march={instructions}"))
    other = compiled_step.CODE.compiled()
    monkeypatch.setattr(compiled_step.CODE, "_code", other)
    assert compiled_step._agrees(other)
    test_cross_entropy_is_torchs(None, 21, 3.0)
    test_an_update_is_torchs(None, monkeypatch, 0.1)


def test_without_a_compiler(forgetful, monkeypatch):
    monkeypatch.setattr(library.shutil, "which", lambda name: None)
    assert compiled_step.obstacle() == "there is no C compiler"
    test_losses_and_slopes_are_autograds(monkeypatch, "1")
    assert all(number.isfinite().all() for number in moved(0, 0.1, monkeypatch)[0])


@pytest.mark.parametrize(
    ("right", "wrong"), [("1.0f / 24", "1.0f / 20"), ("LOAD(w) * decay", "LOAD(w)")]
)
def test_code_that_computes_something_else_is_not_used(
    code, forgetful, monkeypatch, tmp_path, right, wrong
):
    source = compiled_step.SOURCE.read_text("utf-8")
    assert right in source
    changed = tmp_path / "step.c"
    changed.write_text(source.replace(right, wrong), encoding="utf-8")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(compiled_step.CODE, "source", changed)
    assert "does not compute what torch does" in str(compiled_step.obstacle())
