"""Games side by side in tensors."""
