"""Every kind of alert: what it is called, what to do about it, and where."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from vaultsite.kernel.events.event import EventType

#: What only those learn who may read alerts or the audit: whom an alert is about does not learn of it.
WITHHELD: Final = frozenset(
    {
        EventType.ALERT_RAISED.value,
        EventType.ALERT_ACKNOWLEDGED.value,
        EventType.ALERT_RESOLVED.value,
        EventType.BREACH_SUSPECTED.value,
        EventType.INCIDENT_OPENED.value,
        EventType.INCIDENT_CHANGED.value,
        EventType.INCIDENT_RECORDED.value,
        EventType.INCIDENT_NOTIFIED.value,
        EventType.INCIDENT_DUE.value,
    }
)


@dataclass(frozen=True)
class AlertKind:
    """``page`` names the screen of the admin on which something can be done about it; empty: the audit.

    ``suspects_breach``: a critical alert of this kind is also the event ``data.breach.suspected``.
    """

    title: str
    advice: str
    page: str = ""
    suspects_breach: bool = False


KINDS: Final[Mapping[str, AlertKind]] = MappingProxyType(
    {
        "sealing.stalled": AlertKind(
            "Events are not sealed",
            "See whether the worker and beat run. Until events are sealed, nothing proves that they were not changed.",
        ),
        "checkpoint.stopped": AlertKind(
            "No checkpoint was signed or witnessed",
            "See whether the signing key can be read and the witness be reached. What is newer than the last witnessed "
            "checkpoint could be taken back by who holds the database.",
        ),
        "verification.failed": AlertKind(
            "The audit does not verify",
            "Keep the database and its backups as they are, and compare the first bad sequence number with the "
            "witness: somebody changed or removed events past the vault.",
            suspects_breach=True,
        ),
        "webhook.disabled": AlertKind(
            "A webhook was switched off",
            "Its receiver failed too often or is gone. Mend it, enable the webhook again and retry its deliveries.",
        ),
        "subscription.unreadable": AlertKind(
            "A subscription or webhook gets no events",
            "What it says was written for another release of the vault and cannot be read. Save its filter anew.",
        ),
        "delivery.dead": AlertKind(
            "Events could not be delivered",
            "They wait among the dead letters. See why the receiver refused them, then replay them.",
        ),
        "policy.violation": AlertKind(
            "Somebody tried what a policy forbids",
            "Look at what was tried. Nothing was released. Tell the person, or mend the policy if it forbids too much.",
        ),
        "activity.unusual": AlertKind(
            "Unusual activity",
            "Ask the person or the owner of the program what they did. If they cannot explain it, end their sessions "
            "and keys. If it was expected, say so: the vault then asks for more before it tells of this one again.",
            suspects_breach=True,
        ),
        "subject_request.overdue": AlertKind(
            "A data subject waits longer than the law allows",
            "Answer the request now, tell the subject why it is late, and see why nobody did. If the law allows it and "
            "the first term is not over, take the longer one.",
            page="admin:subject_requests",
        ),
        "retention.clock": AlertKind(
            "The time may be wrong: retention waits",
            "Compare the clocks of the database and of the workers with a source of time. Mend what is wrong, then "
            "confirm the time under Retention: nothing is archived or destroyed before.",
            page="retention",
        ),
        "subject.returned": AlertKind(
            "Data of an erased person came back",
            "Ask whoever wrote the records where they are from, and have that source forget the person too. Search for "
            "the person again and erase what is found.",
        ),
        "canary.released": AlertKind(
            "A canary was released",
            "Nobody has a reason to read this record. End the sessions and keys of who did, and look at what else "
            "they read.",
            suspects_breach=True,
        ),
        "incident.overdue": AlertKind(
            "Somebody was not told of an incident in time",
            "Tell them now, and say in the notice why it is late. The clocks are on the page of the incident.",
            page="admin:incidents",
        ),
        "posture.failed": AlertKind(
            "A defence does not hold",
            "See on the page of the control what was tried and what came of it, mend the defence, and run the probes "
            "again: the alert ends with the probe's next success.",
        ),
    }
)
