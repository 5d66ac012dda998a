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
    from gradatim.session.ask import resume as go_on

    with Progress() as progress:
        folder = go_on(run, progress)
    sys.stdout.write(f"Finished: {folder}\n")
