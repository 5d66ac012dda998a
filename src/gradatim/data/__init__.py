"""Reading data, looking it over, splitting and batching it."""
