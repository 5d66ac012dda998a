"""Pure functions about recordings: spectra, mel scale."""
