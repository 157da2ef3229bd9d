"""What forms post, read strictly."""

from datetime import datetime, time
from uuid import UUID

from django.http import QueryDict
from django.utils import timezone
from django.utils.dateparse import parse_date

from vaultsite.kernel.errors import FieldProblem, InvalidInput


def chosen_id(given: QueryDict, name: str) -> UUID:
    """The id that was chosen. Raises InvalidInput."""
    try:
        return UUID(given.get(name, ""))
    except ValueError:
        raise InvalidInput(errors=[FieldProblem(f"/{name}", "Choose one")]) from None


def end_of_day(text: str, *, name: str = "until") -> datetime | None:
    """The last second of the day ``text`` (ISO 8601), None where it is empty. Raises InvalidInput."""
    if not text:
        return None
    try:
        day = parse_date(text)
    except ValueError:  # a day that no month has
        day = None
    if day is None:
        raise InvalidInput(errors=[FieldProblem(f"/{name}", "A day, as 2027-01-31")])
    end = datetime.combine(day, time(23, 59, 59), tzinfo=timezone.get_current_timezone())
    if end <= timezone.now():
        raise InvalidInput(errors=[FieldProblem(f"/{name}", "A day that is not over")])
    return end
