"""Sentences with their translations: formats of files, reader and writer side by side."""
