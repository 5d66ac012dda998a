"""The ladder of translation."""
