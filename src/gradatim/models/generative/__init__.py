"""Rungs that stand for a distribution of rows: densities, and networks that draw new rows."""
