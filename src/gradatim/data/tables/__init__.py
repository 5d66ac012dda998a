"""Tables: cells as they were read become columns with a meaning, then float64."""
