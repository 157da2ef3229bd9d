"""A form that is posted to its own page: what the service refuses is said there, and nothing of it stays."""

from anonymization.pages.page import refusal_of

__all__ = ["refusal_of"]
