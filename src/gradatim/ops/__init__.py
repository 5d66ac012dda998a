"""Pure functions: losses, metrics, statistics, splitting. They know numbers, not models."""
