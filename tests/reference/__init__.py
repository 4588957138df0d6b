"""Slow, obvious implementations that the fast ones must equal.

Nothing here imports the package under test: these files are the cross-check.
"""
