"""The ladder of masks: from one class everywhere to the U-Net."""
