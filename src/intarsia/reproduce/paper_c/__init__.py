"""Paper C: "An analytic theory of creativity in convolutional diffusion models"."""
