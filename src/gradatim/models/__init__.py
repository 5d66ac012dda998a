"""The ladder: one rung a file, and the file name is its name."""

from gradatim.core.catalog import Catalog
from gradatim.core.errors import ConfigError, nearest
from gradatim.core.rung import Rung

__all__ = ["RUNGS", "rung_named"]

RUNGS: Catalog[type[Rung]] = Catalog("rung", __name__, "RUNG")


def rung_named(name: str) -> Rung:
    """Return the rung of a file, such as resnet, or a published network, such as resnet18.

    Raises:
        ConfigError: nothing has that name.
    """
    if name in RUNGS.names():
        return RUNGS[name]()
    homes = {network: rung for rung in RUNGS.all().values() for network in rung.published}
    if name not in homes:
        known = [*RUNGS.names(), *homes]
        raise ConfigError(f'there is no rung "{name}"; {nearest(name, known)}')
    return homes[name].of_size(name)
