"""What a user asks for, in Python or in a shell: the one place where names become objects."""
