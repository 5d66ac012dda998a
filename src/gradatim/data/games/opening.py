"""Which games a name means."""

from gradatim.core.signature import Game
from gradatim.data.games.games import Games

__all__ = ["games_named", "opened"]

ATARI = "ALE/"


def games_named(name: str, count: int) -> Games:
    """Return games side by side, none of them begun.

    Args:
        name: breakout10, a name of gymnasium with its version, or one of the Arcade Learning
            Environment, such as ALE/Breakout-v5.
        count: of games, at least 1.

    Raises:
        ConfigError: there is no such game, or a package is missing.
    """
    if name == "breakout10":
        from gradatim.data.games.breakout10 import Breakout10

        return Breakout10(count)
    if name.startswith(ATARI):
        from gradatim.data.games.atari import Atari

        return Atari(name, count)
    from gradatim.data.games.classic import Classic

    return Classic(name, count)


def opened(game: Game, count: int) -> Games:
    """Return games of the kind that a signature tells, none of them begun.

    >>> opened(Game(name="breakout10", shape=(4, 10, 10), levels=1), 3).actions
    ('stay', 'left', 'right')
    """
    return games_named(game.name, count)
