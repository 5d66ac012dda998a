"""The nouns of gradatim: what is passed between rooms. Nothing here trains, reads or draws."""
