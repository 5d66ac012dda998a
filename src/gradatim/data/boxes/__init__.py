"""Boxes around things in pictures: formats of files, reader and writer side by side."""
