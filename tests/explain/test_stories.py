"""The facts of the stories, computed anew."""

from functools import cache

import pytest

from gradatim.explain.stories import STORIES
from gradatim.report.stories import STORY_PAGES


@cache
def told(name: str) -> dict:
    return STORIES[name](0)


def test_every_story_has_a_page():
    assert STORIES.names() == sorted(STORY_PAGES)


def test_a_perceptron_learns_and_and_or_but_not_xor():
    panels = {(p["problem"], p["learner"]): p for p in told("xor")["panels"]}
    assert panels["AND", "perceptron"]["wrong"] == panels["OR", "perceptron"]["wrong"] == 0
    assert panels["XOR", "perceptron"]["wrong"] >= 1
    assert told("xor")["separable"] == {"AND": True, "OR": True, "XOR": False}


def test_few_hidden_units_learn_xor_since_they_make_it_separable():
    facts = told("xor")
    network = facts["panels"][-1]
    assert network["problem"] == "XOR"
    assert network["learner"].endswith("hidden units")
    assert network["wrong"] == 0
    assert facts["hidden_separable"] is True
    assert all(w["solved"] >= 1 for w in facts["widths"])
    assert [w["hidden"] for w in facts["widths"]] == [2, 3, 4]


@pytest.mark.parametrize("panel", range(4))
def test_the_picture_shows_what_the_learner_says_of_the_points(panel):
    facts = told("xor")
    shown = facts["panels"][panel]
    grid, wrong = shown["regions"], 0
    for (x, y), target in zip(facts["points"], shown["targets"], strict=True):
        place = [int((v + 0.5) / 2 * len(grid)) for v in (x, y)]
        wrong += grid[place[1]][place[0]] != target
    assert wrong == shown["wrong"]


def test_ten_sigmoid_layers_stay_at_chance_and_ten_of_relu_learn():
    facts = told("vanishing")
    sigmoid, relu, shallow = facts["runs"]
    assert sigmoid["accuracy"] <= facts["chance"] + 0.05
    assert relu["accuracy"] >= 0.9
    assert shallow["accuracy"] >= 0.9
    assert sigmoid["losses"][-1] > 2.2  # log 10 = 2.30: it knows nothing
    assert relu["losses"][-1] < 0.3


def test_the_gradient_of_sigmoid_layers_shrinks_layer_by_layer():
    facts = told("vanishing")
    sigmoid, relu, _ = facts["runs"]
    assert len(sigmoid["gradients"]) == 11
    assert all(a < b for a, b in zip(sigmoid["gradients"], sigmoid["gradients"][1:], strict=False))
    assert sigmoid["gradients"][0] < 1e-4 * sigmoid["gradients"][-1]
    assert 0.1 < relu["gradients"][0] / relu["gradients"][-1] < 10
    assert 0.2 < facts["steepest"] <= 0.25
    assert facts["bound"] == 4.0**-10


def test_units_that_begin_equal_stay_exactly_equal():
    equal, random, parted = told("symmetry")["runs"]
    epochs = told("symmetry")["epochs"]
    assert equal["units"] == equal["rank"] == [1] * (epochs + 1)
    assert equal["spread"] == [0.0] * (epochs + 1)
    assert random["units"][0] == random["rank"][-1] == told("symmetry")["width"]
    assert equal["losses"][0] > equal["losses"][-1]  # it does learn, what one unit can
    assert equal["accuracy"] < 0.5
    assert random["accuracy"] > 0.9
    # What treats equal units differently, parts them: so it was symmetry.
    assert parted["units"][0] == 1
    assert parted["units"][-1] == told("symmetry")["width"]


def test_a_story_is_a_function_of_its_seed():
    assert STORIES["xor"](0) == told("xor")


@pytest.mark.parametrize("name", ["xor", "vanishing", "symmetry"])
def test_pages_say_it(name):
    page = STORY_PAGES[name](told(name))
    words = {
        "xor": ["convex hulls", "2 of 4 wrong", "all right"],
        "vanishing": ["10 sigmoid layers", "never above 1/4"],
        "symmetry": ["symmetry, not weight sharing", "by exactly 0 after every epoch"],
    }
    for text in words[name]:
        assert text in page
    assert "<svg" in page
    assert "nan" not in page
