"""Where personal data leaves the EEA, and what covers it (GDPR Art. 30(1)(e)), as the parties of the register say."""

from collections.abc import Iterable
from typing import Final

from compliance.models import Safeguard
from compliance.register.parties import KnownParty

#: What nobody has said yet is said to be missing: a register is never complete by silence.
MISSING: Final = "to be completed"
_LABELS: Final = dict(Safeguard.choices)


def transfers_to(parties: Iterable[KnownParty]) -> list[dict[str, str]]:
    """One line for each party outside the EEA."""
    return [
        {
            "to": one.facts.name,
            "country": one.facts.country,
            "safeguard": MISSING if one.lacks_safeguard else _LABELS[one.facts.safeguard],
        }
        for one in parties
        if one.is_transfer
    ]
