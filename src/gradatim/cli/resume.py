"""`gradatim resume`."""

import sys
from pathlib import Path

__all__ = ["resume"]


def resume(run: Path, /) -> None:
    """Go on with a climb or a fit that was interrupted.

    Parameters
    ----------
    run
        Its folder.
    """
    from gradatim.cli.progress import Progress
    from gradatim.cli.table import print_board
    from gradatim.runs.files import read_json
    from gradatim.session.ask import resume as go_on

    with Progress() as progress:
        folder = go_on(run, progress)
    board = folder / "leaderboard.json"
    if board.is_file():
        print_board(read_json(board))
    else:
        sys.stdout.write(f"Run: {folder}\nNext: gradatim evaluate {folder}\n")
