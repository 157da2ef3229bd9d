"""The report on consent: what was given, what ended, and what was done with the records of those who withdrew."""

from collections.abc import Iterator
from typing import Any, Final

from compliance.models import Consent, ConsentTask, ConsentWithdrawal
from compliance.reports.events import Names
from compliance.reports.kind import Ask, Measure, Number, ReportKind, Row
from compliance.reports.pages import in_pages

_COLUMNS: Final = (
    *("change", "at", "purpose", "lawful_basis", "consent_id", "given_at", "expires_at", "source", "recorded_by_id"),
    *("recorded_by", "task_id", "task", "decided_at", "days_to_decide"),
)


def _changes(ask: Ask) -> Iterator[Row]:
    yield from _given(ask)
    yield from _expired(ask)
    yield from _withdrawn(ask)


def _given(ask: Ask) -> Iterator[Row]:
    found = Consent.objects.filter(given_at__gte=ask.since, given_at__lt=ask.until).select_related("purpose")
    names = Names()

    def shown(page: list[Consent]) -> list[Row]:
        names.learn({one.recorded_by for one in page}, set())
        return [(*_of(one, "given", names), None, None, None, None) for one in page]

    return in_pages(ask, lambda: _by(ask, found), shown)


def _expired(ask: Ask) -> Iterator[Row]:
    """Those that ended by themselves."""
    found = Consent.objects.filter(expires_at__gte=ask.since, expires_at__lt=ask.until, withdrawals=None)
    found = found.select_related("purpose")
    names = Names()

    def shown(page: list[Consent]) -> list[Row]:
        names.learn({one.recorded_by for one in page}, set())
        return [(*_of(one, "expired", names), None, None, None, None) for one in page]

    return in_pages(ask, lambda: _by(ask, found), shown)


def _withdrawn(ask: Ask) -> Iterator[Row]:
    found = ConsentWithdrawal.objects.filter(withdrawn_at__gte=ask.since, withdrawn_at__lt=ask.until)
    found = found.select_related("consent__purpose")
    names = Names()

    def shown(page: list[ConsentWithdrawal]) -> list[Row]:
        names.learn({one.recorded_by for one in page}, set())
        tasks = {one.withdrawal_id: one for one in ConsentTask.objects.filter(withdrawal__in=page)}
        return [(*_end(one, names), *_task(tasks.get(one.pk))) for one in page]

    return in_pages(ask, lambda: _by(ask, found), shown)


def _by(ask: Ask, found: Any) -> Any:
    """Of what was found that which one of the people recorded whom the report is restricted to."""
    return found.filter(recorded_by__in=ask.users) if ask.users else found


def _of(one: Consent, change: str, names: Names) -> Row:
    return (
        *(change, one.given_at if change == "given" else one.expires_at, one.purpose.code, one.purpose.lawful_basis),
        *(str(one.pk), one.given_at, one.expires_at, one.source, str(one.recorded_by), names.actor(one.recorded_by)),
    )


def _end(one: ConsentWithdrawal, names: Names) -> Row:
    consent = one.consent
    return (
        *("withdrawn", one.withdrawn_at, consent.purpose.code, consent.purpose.lawful_basis, str(consent.pk)),
        *(consent.given_at, consent.expires_at, one.channel, str(one.recorded_by), names.actor(one.recorded_by)),
    )


def _task(one: ConsentTask | None) -> Row:
    """What became of the records, where a withdrawal asks somebody to decide."""
    if one is None:
        return (None, None, None, None)
    days = (one.decided_at - one.created_at).days if one.decided_at else None
    return (str(one.pk), one.outcome or "open", one.decided_at, days)


KINDS: Final = (
    ReportKind(
        code="gdpr_consent",
        title="Consent",
        about=(
            "Every consent that was given, that expired and that was withdrawn in the period, by purpose, and what was "
            "decided on the records of those who withdrew. It names no person."
        ),
        maps_to=("GDPR Art. 7(1)", "GDPR Art. 7(3)", "GDPR Art. 17(1)(b)"),
        columns=_COLUMNS,
        rows=_changes,
        breakdowns=("change", "purpose", "source", "task"),
        measures=(
            Measure("Given", "change", frozenset({"given"}), "type=data.consent.recorded"),
            Measure("Withdrawn", "change", frozenset({"withdrawn"}), "type=data.consent.withdrawn"),
            Measure("Expired", "change", frozenset({"expired"}), None),
            Measure("Withdrawals to decide on", "task", frozenset({"open"}), "type=data.consent.withdrawn"),
            Measure("Withdrawals decided on", "task", frozenset({"erased", "kept"}), "type=data.consent.decided"),
        ),
        numbers=(Number("Days to a decision, most", "days_to_decide", "most", "type=data.consent.decided"),),
        tables=(("purpose", "change"), ("purpose", "task")),
        time="at",
        query="type=data.consent.*",
        notes=(
            "Records of who withdraws are left out of reads for the purpose from that moment.",
            "Where the purpose says so, somebody decides as well whether they are erased, or kept on another ground.",
            "No event tells that a consent expired: its time is in the row.",
        ),
        needs=("consent.read",),
        scopes=("users",),
        page_columns=(
            *("change", "at", "purpose", "lawful_basis", "consent_id", "given_at", "expires_at", "source"),
            *("recorded_by", "task", "decided_at"),
        ),
    ),
)
