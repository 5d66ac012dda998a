"""Pure functions about masks: overlap of classes, thresholds, overlays."""
