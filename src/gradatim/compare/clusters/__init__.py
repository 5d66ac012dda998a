"""Clusters that take the fits of a climb instead of worker processes here; one a file."""
