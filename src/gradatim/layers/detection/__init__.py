"""Parts of rungs that find things: maps of centres, windows, regions, queries."""
