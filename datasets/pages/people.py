"""People by name, for who may know them by name."""

from access.pages.people import names_of

__all__ = ["names_of"]
