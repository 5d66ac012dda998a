"""What may be done to training samples, one kind a file; chance is drawn in `data.augment`."""
