"""Reading running text."""
