"""Parts of rungs that mark pixels."""
