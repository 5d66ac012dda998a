"""What adversaries share: two players with an optimizer each, and no loss of a row."""

from collections.abc import Mapping

from torch import Tensor, nn

from gradatim.core.task import Task, Taught

__all__ = ["Game"]


class Game(Taught):
    """A task as two players learn it: a subclass gives `step`, the paper's algorithm box."""

    def __init__(self, task: Task) -> None:
        super().__init__(task, self._no_losses)

    def players(self, network: nn.Module) -> Mapping[str, nn.Module]:
        """Return both players, each of which has an optimizer of its own."""
        names = ("discriminator", "generator")
        return {name: network.get_submodule(name) for name in names}

    def _no_losses(self, said: Tensor, targets: Tensor) -> Tensor:
        raise NotImplementedError("adversaries have no loss of a row")
