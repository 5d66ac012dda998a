"""`gradatim evaluate`."""

import sys
from pathlib import Path

from gradatim.cli.options import Json, inert, print_json

__all__ = ["evaluate"]


def evaluate(
    run: Path,
    data: str | None = None,
    /,
    *,
    target: str | None = None,
    against: Path | None = None,
    json: Json = False,
) -> None:
    """Score the model of a run on its sealed test split, or on other data.

    Parameters
    ----------
    run
        Folder of a climb or a fit.
    data
        Other data with the target in it; without it the sealed split is opened, and that is noted.
    target
        Column with the right answers, when its name differs from the one trained on.
    against
        Another run whose model answers the same rows: how much better is this one?
    json
        Print one JSON object.
    """
    from gradatim.runs.card import spoken
    from gradatim.session.evaluate import evaluate as score

    facts = score(run, data, target, against)
    if json:
        print_json(facts)
        return
    opened = f", opened {facts['openings']}x" if "openings" in facts else ""
    sys.stdout.write(
        f"{facts['rung']} on {inert(facts['data'])}: {facts['metric']} {spoken(facts['score'])} "
        f"(95 % interval {spoken(facts['low'])} to {spoken(facts['high'])}), "
        f"{facts['rows']} rows{opened}\n"
    )
    for name, value in sorted(facts["scores"].items()):
        sys.stdout.write(f"  {name:18} {spoken(value)}\n")
    if "remark" in facts:
        sys.stdout.write(f"  {inert(facts['remark'])}\n")
    if "against" in facts:
        rival = facts["against"]
        sys.stdout.write(
            f"against {inert(rival['rung'])} of {inert(rival['run'])} ({spoken(rival['score'])}): "
            f"better by {spoken(rival['difference'])} "
            f"(paired 95 % interval {spoken(rival['low'])} to {spoken(rival['high'])})\n"
        )
    if "note" in facts:
        sys.stdout.write(f"note: {facts['note']}\n")
