"""Pure functions about text: characters as numbers, counts, scores."""
