"""Contenders side by side: their processes, the measurements, the results, the page."""
