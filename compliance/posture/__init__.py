"""Posture: controls of frameworks, proven by probes that really try."""
