"""Moments as SAML writes them (core 1.3.3)."""

from datetime import UTC, datetime, timedelta
from typing import Final

#: How far the clocks of the vault and of an identity provider may be apart.
SKEW: Final = timedelta(seconds=60)


def read_moment(text: str | None) -> datetime | None:
    """An ``xs:dateTime``, in UTC where it names no zone; None for anything else."""
    try:
        moment = datetime.fromisoformat((text or "").strip())
    except ValueError:
        return None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def write_moment(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
