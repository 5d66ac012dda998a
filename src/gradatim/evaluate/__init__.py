"""Opening the sealed test split: predictions, scores, intervals."""
