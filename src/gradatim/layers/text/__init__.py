"""Parts of rungs that read and write text: tokens, and what networks make of them."""
