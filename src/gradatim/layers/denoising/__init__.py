"""Parts of rungs that remove noise."""
