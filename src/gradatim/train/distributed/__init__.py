"""One model on several processes or devices: each rank a share of every batch, one answer for all.

The loop, the task and the learner do not know. A `Party` says who trains: `party.Party` is this
process alone, `ranks.Ranks` several that `joining.together` has brought together. The network that
they train is `spread.Spread`: it takes all rows of a batch and gives the answers to all of them.
"""
