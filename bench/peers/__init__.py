"""One contender a file: each does the same work the way its own documentation does it."""
