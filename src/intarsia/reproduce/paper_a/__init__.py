"""Paper A: "Scaling Non-Parametric Sampling with Representation", arXiv 2510.22196."""
