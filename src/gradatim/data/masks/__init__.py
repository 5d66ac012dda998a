"""Masks, a class for every pixel: formats of files, reader and writer side by side."""
