"""The stories of the course as pages: what was computed, in pictures and sentences."""

from collections.abc import Callable, Mapping
from typing import Any

from gradatim.report.figures.lines import lines_figure
from gradatim.report.figures.regions import regions_figure
from gradatim.report.sheet import Part, sheet

__all__ = ["STORY_PAGES"]

Facts = Mapping[str, Any]
FAINT = 1e-12
"""The smallest gradient that is drawn as it is."""


def _xor(facts: Facts) -> str:
    network = facts["panels"][-1]
    tries = [[w["hidden"], w["solved"], w["tries"]] for w in facts["widths"]]
    picture = regions_figure(facts["points"], facts["panels"], -0.5, 1.5)
    hidden = [
        [f"({a:g}, {b:g})", target, *values]
        for (a, b), target, values in zip(
            facts["points"], network["targets"], facts["hidden"], strict=True
        )
    ]
    units = [f"hidden unit {k + 1}" for k in range(len(facts["hidden"][0]))]
    still = "they can be parted by a line" if facts["hidden_separable"] else "no line parts them"
    return sheet(
        "XOR: one neuron is not enough",
        "A perceptron draws one straight line. AND and OR need no more; XOR cannot be had with it, "
        f"and a network with {network['learner']} has it.",
        [
            Part(
                "Four points, one line",
                "Filled points should be 1, open ones 0; where the learner says 1 the ground is "
                "coloured. The perceptron stops by itself on AND and OR. On XOR it is cut off "
                f"after {facts['panels'][2]['epochs']} epochs: it never comes to rest.",
                picture,
            ),
            Part(
                "Why no line exists",
                "A line that keeps (0, 1) and (1, 0) on one side keeps all that lies between them "
                "there, their middle (0.5, 0.5) too. The same middle lies between (0, 0) and "
                "(1, 1), which should be on the other side: the convex hulls of the classes "
                "overlap. A linear programme proves it: "
                + ", ".join(f"{n} {_parted(s)}" for n, s in facts["separable"].items())
                + ".",
            ),
            Part(
                "What hidden units do",
                "They move the points before the last neuron draws its line. In the network of "
                f"the picture the points with target 1 and those with 0 now lie so that {still}.",
                columns=["point", "target", *units],
                rows=hidden,
            ),
            Part(
                "How many hidden units",
                f"Networks that learn all four points within {facts['epochs']} steps, each from "
                "other random weights.",
                columns=["hidden units", "learnt XOR", "tries"],
                rows=tries,
            ),
        ],
    )


def _parted(separable: bool | None) -> str:
    return "can be separated" if separable else "cannot be separated"


def _vanishing(facts: Facts) -> str:
    runs = facts["runs"]
    deep, relu, shallow = runs
    smaller = float(f"{deep['gradients'][-1] / deep['gradients'][0]:.1g}")
    gradients = lines_figure(
        {run["name"]: run["gradients"] for run in runs[:2]},
        "layer, from the input",
        "norm of the gradient by the weights",
        log=True,
        chosen=deep["name"],
    )
    losses = lines_figure(
        {run["name"]: run["losses"] for run in runs}, "epoch", "training loss", chosen=deep["name"]
    )
    rows = [[r["name"], r["initialisation"], r["losses"][-1], f"{r['accuracy']:.1%}"] for r in runs]
    return sheet(
        "Vanishing gradients: ten sigmoid layers learn nothing",
        f"On digits, {deep['name']} name {deep['accuracy']:.1%} of new rows right, no more than "
        f"guessing ({facts['chance']:.1%}); {relu['name']} {relu['accuracy']:.1%}.",
        [
            Part(
                "Before the first step",
                f"The gradient by the first layer's weights is {smaller:,.0f} times smaller "
                "than that by the last one's: each sigmoid on the way back multiplies by its slope "
                f"s(z) (1 - s(z)), which is never above 1/4 (met here: at most "
                f"{facts['steepest']:.3f}), so ten of them multiply by at most "
                f"{facts['bound']:.1e}, times the weights. The slope of ReLU is 0 or 1, and He's "
                "initialisation makes up for the units that are 0.",
                gradients,
            ),
            Part(
                "While training",
                "The same rows, order, width, rate and number of steps. The sigmoid itself is not "
                f"at fault: {shallow['name']} learns ({shallow['accuracy']:.1%}). Depth is.",
                losses,
                ["network", "initialisation", "last training loss", "right on new rows"],
                rows,
            ),
        ],
    )


def _symmetry(facts: Facts) -> str:
    runs, width = facts["runs"], facts["width"]
    equal, random, parted = runs
    units = lines_figure(
        {run["name"]: run["units"] for run in runs},
        "epoch",
        f"different units among the {width} of the first layer",
        chosen=equal["name"],
        first=0,
    )
    losses = lines_figure(
        {run["name"]: run["losses"] for run in runs}, "epoch", "training loss", chosen=equal["name"]
    )
    columns = ["start", "dropout", "units", "rank", "spread", "right on new rows"]
    rows = [
        [
            run["name"].partition(",")[0],
            run["dropout"],
            run["units"][-1],
            run["rank"][-1],
            run["spread"][-1],
            f"{run['accuracy']:.1%}",
        ]
        for run in runs
    ]
    return sheet(
        "Symmetry: units that begin equal stay equal",
        f"{width} hidden units with the same weights are one unit, {width} times: after "
        f"{facts['epochs']} epochs {equal['accuracy']:.1%} of new digits are named right, from "
        f"Xavier's random weights {random['accuracy']:.1%}.",
        [
            Part(
                "One unit, many times",
                "Two units with equal weights in and out give the same value, get the same "
                "gradient and take the same step. They differ by exactly "
                f"{max(equal['spread']):g} after every epoch.",
                units,
            ),
            Part(
                "What it costs",
                f"The weights of the first layer have rank {equal['rank'][-1]} instead of "
                f"{random['rank'][-1]}: the network can look at the picture in one way only.",
                losses,
            ),
            Part(
                "Why: symmetry, not weight sharing",
                'The course says of equal weights that they are bad "because of the weight '
                'sharing". This network shares no weight, and fails. The reason is symmetry: '
                "exchanging two units changes nothing, so nothing can tell them apart. Where "
                f"something does, as dropout does by chance, equal weights part "
                f"({parted['units'][-1]} different units), though they have hardly gone far "
                f"({parted['accuracy']:.1%} right).",
                columns=columns,
                rows=rows,
            ),
        ],
    )


def _memory(facts: Facts) -> str:
    runs, every = facts["runs"], facts["every"]
    plain, lstm, _ = runs
    errors = lines_figure(
        {run["name"]: run["errors"] for run in runs},
        f"training, in units of {every} steps",
        "mean squared error",
        chosen=plain["name"],
    )
    before, after = (
        lines_figure(
            {run["name"]: [max(norm, FAINT) for norm in run[when]] for run in runs},
            "step of the sequence",
            f"norm of the gradient by the state, {when} training",
            log=True,
            chosen=plain["name"],
        )
        for when in ("before", "after")
    )
    middle = facts["length"] // 2 - 1
    rows = [[r["name"], r["error"], r["before"][middle], r["after"][middle]] for r in runs]
    half = f"gradient after step {middle + 1}"
    return sheet(
        "Memory: adding two numbers that stand far apart",
        f"Of {facts['length']} numbers two are marked, and their sum is asked for. After "
        f"{facts['steps']} steps the plain RNN is wrong by {plain['error']:.3f} in the mean square "
        f"on new sequences, the LSTM by {lstm['error']:.4f}. Always answering 1 would be wrong by "
        f"{facts['constant']:.3f}, in theory 1/6.",
        [
            Part(
                "Learning",
                f"Three networks of width {facts['width']}, the same sequences, batches of "
                f"{facts['batch']}, rate and clipping. One mark is in each half, so a number must "
                "be kept for half of the sequence, and longer.",
                errors,
            ),
            Part(
                "Why: the gradient on its way back",
                "How much the error at the end depends on the state after each step. The state of "
                "the plain RNN goes through a matrix and tanh at every step; the gradient is "
                "multiplied by both on its way back, and what is far from the end is not heard. "
                "An LSTM adds to its memory and multiplies it by a forget gate that learns to stay "
                f"near 1. Values below {FAINT:g} are drawn there.",
                after,
            ),
            Part(
                "Before the first step",
                "All three fade at first. The gates can learn not to; the plain RNN can only give "
                "up what little it hears.",
                before,
                ["network", "mean squared error", f"{half}, before", f"{half}, after"],
                rows,
            ),
        ],
    )


STORY_PAGES: dict[str, Callable[[Facts], str]] = {
    "xor": _xor,
    "vanishing": _vanishing,
    "symmetry": _symmetry,
    "memory": _memory,
}
