"""Pure functions about distributions of rows: splines, distances between samples."""
