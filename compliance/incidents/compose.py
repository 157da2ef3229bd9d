"""What a notice says to begin with: the content each law asks for, filled with what is known. Pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from compliance.incidents.clocks import AUTHORITY_HOURS, Audience

#: What stands where somebody has to write; a notice with one of these is not sent.
_GAP: Final = "[complete: {}]"
_GAPS: Final = re.compile(r"\[complete: [^\]]*\]")


@dataclass(frozen=True)
class Known:
    """What is known of an incident. ``persons`` None: unknown; ``identifiers`` and ``records`` are from the scope."""

    number: int
    organization: str
    laws: tuple[str, ...]
    discovered_at: datetime
    aware_at: datetime | None
    occurred_from: datetime | None
    occurred_until: datetime | None
    persons: int | None = None
    identifiers: int | None = None
    records: int | None = None
    datasets: int = 0
    exports: int = 0
    downloads: int = 0
    categories: Mapping[str, int] = field(default_factory=dict)
    special: tuple[str, ...] = ()
    measures: tuple[str, ...] = ()
    now: datetime | None = None
    phase: int = 1


def gap(what: str) -> str:
    return _GAP.format(what)


def count_gaps(text: str) -> int:
    """How many places somebody has to complete."""
    return len(_GAPS.findall(text))


def compose(audience: Audience, known: Known) -> str:
    """A text of sections; what is not known is a gap."""
    sections = _SECTIONS[audience]
    head = f"{_HEADS[audience]}\n{known.organization}, incident {known.number}"
    if known.phase > 1:
        head += f", further information (phase {known.phase})"
    parts = [head, *(f"{title}\n{make(known)}" for title, make in sections if make(known))]
    return "\n\n".join(parts) + "\n"


def _moment(moment: datetime | None, what: str) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC" if moment else gap(what)


def _nature(known: Known) -> str:
    lines = [
        gap("what happened, in two or three sentences: loss of confidentiality, integrity or availability"),
        f"From {_moment(known.occurred_from, 'since when')} until {_moment(known.occurred_until, 'until when')}.",
    ]
    return "\n".join(lines)


def _times(known: Known) -> str:
    return f"Discovered {_moment(known.discovered_at, '')}; aware {_moment(known.aware_at, 'when')}."


def _persons(known: Known) -> str:
    if known.persons is not None:
        return f"Persons affected: {known.persons:,}."
    if known.identifiers is not None:
        return f"Persons affected: at most about {known.identifiers:,} (distinct identifiers); {gap('the number')}."
    return f"Persons affected: {gap('their approximate number')}."


def _data(known: Known) -> str:
    lines = [f"Categories of persons: {gap('customers, employees, patients')}.", _persons(known)]
    if known.records is None:
        lines.append(f"Records: {gap('their approximate number')}.")
    else:
        lines.append(f"Records: approximately {known.records:,}, of {known.datasets} datasets.")
    lines.append(f"Categories of data: {_types(known)}.")
    if known.special:
        lines.append(f"Special categories among them: {', '.join(known.special)}.")
    if known.exports:
        lines.append(f"Exports made: {known.exports}; downloads of their files: {known.downloads}.")
    return "\n".join(lines)


def _types(known: Known) -> str:
    return ", ".join(known.categories) if known.categories else gap("names, contact data, health data")


def _contact(_: Known) -> str:
    return gap("name and contact data of the data protection officer or another contact")


def _consequences(_: Known) -> str:
    return gap("what may follow for the persons: identity theft, fraud, discrimination, loss of confidentiality")


def _measures(known: Known) -> str:
    return "\n".join([*(f"- {one}" for one in known.measures), f"- {gap('what else was or will be done')}"])


def _delay(known: Known) -> str:
    """GDPR article 33(1): who is late says why."""
    if known.aware_at is None or known.now is None:
        return ""
    is_late = (known.now - known.aware_at).total_seconds() > AUTHORITY_HOURS * 3600
    return gap("why this comes more than 72 hours after becoming aware") if is_late else ""


def _what_happened(known: Known) -> str:
    return f"{gap('what happened, in plain words')}\nDiscovered on {known.discovered_at:%Y-%m-%d}."


def _what_data(known: Known) -> str:
    return f"What was involved: {_types(known)}."


def _protect(_: Known) -> str:
    return gap("what persons should do to protect themselves: change passwords, watch statements, freeze credit")


def _reach_us(_: Known) -> str:
    return gap("a toll-free number, an e-mail address, a web site or a postal address")


def _residents(_: Known) -> str:
    return gap("the State, and how many of its residents are affected")


_HEADS: Final[Mapping[Audience, str]] = {
    Audience.AUTHORITY: "Notification of a personal data breach to the supervisory authority (GDPR art. 33)",
    Audience.CONTROLLER: "Notification of a personal data breach to the controller (GDPR art. 33(2), 45 CFR 164.410)",
    Audience.PERSONS: "Information about a breach that concerns your data (GDPR art. 34, 45 CFR 164.404)",
    Audience.HHS: "Notice of a breach of unsecured protected health information to the Secretary (45 CFR 164.408)",
    Audience.MEDIA: "Notice to the media of a breach of health information (45 CFR 164.406)",
}
_ART_33: Final = (
    ("Nature of the breach (art. 33(3)(a))", _nature),
    ("Times", _times),
    ("Persons and data (art. 33(3)(a))", _data),
    ("Contact (art. 33(3)(b))", _contact),
    ("Likely consequences (art. 33(3)(c))", _consequences),
    ("Measures taken and proposed (art. 33(3)(d))", _measures),
    ("Reasons for the delay (art. 33(1))", _delay),
)
_PLAIN: Final = (
    ("What happened", _what_happened),
    ("What data", _what_data),
    ("What may follow", _consequences),
    ("What you can do", _protect),
    ("What we do", _measures),
    ("How to reach us", _reach_us),
)
_SECTIONS: Final = {
    Audience.AUTHORITY: _ART_33,
    Audience.CONTROLLER: _ART_33,
    Audience.PERSONS: _PLAIN,
    Audience.HHS: (
        ("Nature of the breach", _nature),
        ("Times", _times),
        ("Persons and data", _data),
        ("Safeguards and actions taken", _measures),
        ("Contact", _contact),
    ),
    Audience.MEDIA: (("Residents", _residents), *_PLAIN),
}
