"""Looking inside: layers and what they see, signals, derivatives, and the stories of the course."""
