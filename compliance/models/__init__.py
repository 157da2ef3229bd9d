"""The tables of compliance."""

from compliance.models.hold import HoldScope, LegalHold

__all__ = ["HoldScope", "LegalHold"]
