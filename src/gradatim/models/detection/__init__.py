"""The ladder of detection: boxes on pictures, one rung a file."""
