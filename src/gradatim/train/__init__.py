"""One loop, and fitting a rung with it. Receives objects; knows no model, task or source."""
