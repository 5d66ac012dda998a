"""What a score says, in a sentence or two, for those who meet it for the first time."""

__all__ = ["meaning"]

NATS = (
    "How much each character surprised the rung, on average: minus the logarithm of the "
    "probability that it gave to the character that came. A nat is 1.44 bits. Lower is better; "
    "the text before is known, and tokens of several characters are counted by their characters."
)
MEANINGS = {
    "nats_per_character": NATS,
    "bits_per_character": NATS,
    "perplexity": "Among how many equally likely characters the rung was torn, on average: e to "
    "the nats a character. Lower is better.",
    "bleu": "How many runs of one to four words a translation shares with that of a person, from "
    "0 to 100, less where it is too short (Papineni et al. 2002). Two people rarely "
    "reach 60 with each other.",
    "chrf": "Shared runs of one to six letters with a person's translation, from 0 to 100; kinder "
    "than BLEU to words in another form (Popović 2015).",
    "bits_per_dim": "Bits that a code made from the density would need for one number of a row. "
    "Values that come in steps are spread over their step first, and every change of scale is "
    "counted, so that rungs compare. Lower is better.",
    "nats": "The logarithm of the density of a row, in the units of the data. Higher is better.",
    "frechet": "How far the features of new pictures lie from those of real ones, in mean and "
    "covariance (Heusel et al. 2017); features are those of a classifier that this run trained on "
    "its training rows, so the number compares rungs here and not with other papers. Lower is "
    "better.",
    "kernel": "A distance like Fréchet's that looks at all moments up to the third (Bińkowski et "
    "al. 2018). Lower is better, and near zero it may be negative by chance.",
    "coverage": "The share of the classes that are drawn half to twice as often as they occur; at "
    "1 none is missing.",
    "nearest": "How far a drawn row is from the nearest training row, in units of what that is for "
    "real unseen rows; below 1 training rows are repeated.",
    "exact": "How many of 100 translations are a person's to the letter.",
    "return": "Points of a whole game, to its end and not clipped, played greedily; the mean over "
    "games that taught nothing.",
    "iqm": "Mean return of the middle half of the games: less at the mercy of a few lucky games "
    "than the mean (Agarwal et al. 2021).",
}


def meaning(metric: str) -> str:
    """Return what a metric says; empty for those that most readers know."""
    return MEANINGS.get(metric, "")
