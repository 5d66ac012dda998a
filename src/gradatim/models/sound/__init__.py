"""Rungs that read recordings; majority, mlp, recurrent and transformer read them too."""
