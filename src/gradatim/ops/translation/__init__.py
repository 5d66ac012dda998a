"""Translation: words and characters, scores of sentences, alignment of words."""
