"""Fitted models in other forms, each proven to answer as the model does."""
