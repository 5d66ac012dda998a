"""Parts of rungs that hear: log-mel spectrograms and cepstra."""
