"""The run folder on disk: atomic files, models as safetensors and JSON, locks."""
