"""Key rotation: asked for or due, then carried out by a job that can be killed at any moment."""
