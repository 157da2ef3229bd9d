"""What the database itself has to refuse: only its own words for "not allowed" count as a refusal."""

from collections.abc import Callable
from typing import Final, TypeVar

from django.db import DatabaseError, transaction

from compliance.posture.outcome import Untried

#: SQLSTATE insufficient_privilege: a missing grant, a row that a policy refuses, and the triggers of the audit.
REFUSED: Final = "42501"
Result = TypeVar("Result")


def tried(attempt: Callable[[], Result]) -> Result | None:
    """What an attempt gave, which is undone in any case; None: the database refused it.

    Inside a transaction. Raises Untried where something else was in its way: that says nothing about the defence.
    """
    try:
        with transaction.atomic():
            result = attempt()
            transaction.set_rollback(True)
    except DatabaseError as error:
        state = getattr(error.__cause__, "sqlstate", None)
        if state != REFUSED:
            raise Untried(f"an attempt ended in {state or type(error).__name__} instead of a refusal") from error
        return None
    return result
