"""Returns, memories and chance of games."""
