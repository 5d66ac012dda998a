"""The ladder of playing games."""
