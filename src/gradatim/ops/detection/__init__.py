"""Pure functions about boxes: overlap, suppression, matching, average precision, losses."""
