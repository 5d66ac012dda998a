"""Explaining fitted models and gradients: one method a file."""
