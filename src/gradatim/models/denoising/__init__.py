"""The ladder of removing noise from pictures."""
