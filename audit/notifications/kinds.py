"""Every kind of notification: what it is called, and how people are told of it unless they say otherwise."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

DECISION: Final = "decision"
ANSWER: Final = "answer"
ENDING: Final = "ending"
JOB: Final = "job"
ALERT: Final = "alert"


@dataclass(frozen=True)
class NotificationKind:
    """``by_mail``: whether it goes out by e-mail as well where a person has not chosen."""

    title: str
    description: str
    by_mail: bool


KINDS: Final[Mapping[str, NotificationKind]] = MappingProxyType(
    {
        DECISION: NotificationKind(
            "Decisions", "Something waits for people like you: access, emergencies, merges, reviews, quarantine.", True
        ),
        ANSWER: NotificationKind("Answers", "What became of what you asked for, and access that was taken away.", True),
        ENDING: NotificationKind("Endings", "Access or drafts of yours end soon.", True),
        JOB: NotificationKind("Jobs", "An ingest, export, merge or publication of yours failed.", False),
        ALERT: NotificationKind("Alerts", "The vault found something that somebody has to look at.", True),
    }
)
