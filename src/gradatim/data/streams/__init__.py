"""Tables that are read in pieces because all of their rows do not fit into memory."""
