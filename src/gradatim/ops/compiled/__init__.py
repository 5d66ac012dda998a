"""C files, each beside the file that compiles it, checks it against torch, and calls it.

Rooms above know the files of `ops/` of the same names, which choose between these and torch.
"""
