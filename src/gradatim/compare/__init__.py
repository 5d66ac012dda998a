"""The climb: every rung on the same folds, paired statistics, costs, verdict."""
