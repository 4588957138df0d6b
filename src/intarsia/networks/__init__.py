"""Trained networks, and the one harness that trains them."""
