"""Recordings: what lies in a folder, how files are decoded, what their names and tables say."""
