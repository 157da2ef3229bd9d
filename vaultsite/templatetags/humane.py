"""Figures and names as people read them."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from access.selectors import UNKNOWN
from datasets.shown_record import entity_words

register = template.Library()

#: Characters of an id that are shown where all of it has no room: its end, because its beginning is the time.
_TAIL = 8


@register.filter
def grouped(value: Any) -> str:
    """A whole number with thousands set apart; anything else, such as a missing one, as nothing."""
    return f"{value:,}" if isinstance(value, int) else ""


@register.filter
def short(value: int) -> str:
    """A whole number in four characters at most, such as 12k: for the cells of a picture."""
    for size, letter in ((1_000_000, "M"), (1_000, "k")):
        if value >= size:
            whole = value / size
            return f"{whole:.1f}{letter}" if whole < 10 else f"{whole:.0f}{letter}"  # noqa: PLR2004 - one digit before the point
    return str(value)


@register.filter
def span(seconds: int) -> str:
    """A time that something lasts, in the largest unit that it is a whole number of."""
    for length, word in ((86_400, "day"), (3_600, "hour"), (60, "minute")):
        if seconds % length == 0 and seconds:
            count = seconds // length
            return f"{count} {word}{'' if count == 1 else 's'}"
    return f"{seconds} seconds"


@register.filter
def kind(entity_type: str) -> str:
    """An entity type in words."""
    return entity_words(entity_type)


@register.filter
def tail(identifier: Any) -> str:
    """The end of a long id."""
    identifier = str(identifier)
    return identifier if len(identifier) <= _TAIL + 4 else f"..{identifier[-_TAIL:]}"


@register.filter
def hexadecimal(digest: Any) -> str:
    """A digest of the database, in hexadecimal."""
    return bytes(digest).hex()


@register.filter
def spaced(word: str) -> str:
    """A word of the program as people write it."""
    return word.replace("_", " ")


@register.filter
def member(field: str) -> str:
    """What is wrong in a form, by the name of its member: a JSON pointer without its first slash."""
    return field.removeprefix("/")


@register.filter
def person(identifier: UUID | None, people: Mapping[UUID, str]) -> SafeString | str:
    """Who acted, by the name ``people`` (of ``access.selectors.people_named``) has for the id, with the id on hover."""
    if identifier is None:
        return ""
    return format_html('<span class="v-person" title="{}">{}</span>', identifier, people.get(identifier, UNKNOWN))
