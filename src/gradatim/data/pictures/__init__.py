"""Pictures: files and arrays become uint8 planes of one size."""
