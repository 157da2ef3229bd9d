"""Where personal data leaves the EEA, and what covers it (GDPR Art. 30(1)(e)): by parties and the log of transfers."""

from collections.abc import Iterable
from typing import Any, Final

from django.db.models import Count

from compliance.models import Safeguard, Transfer, TransferOutcome
from compliance.register.parties import KnownParty

#: What nobody has said yet is said to be missing: a register is never complete by silence.
MISSING: Final = "to be completed"
_LABELS: Final = dict(Safeguard.choices)


def transfers_to(parties: Iterable[KnownParty], *, purpose: str = "") -> list[dict[str, Any]]:
    """One line for each party outside the EEA; ``made``: how often the log says that records went there.

    ``purpose``: those for it alone.
    """
    rows = Transfer.objects.filter(outcome=TransferOutcome.MADE, **{"purpose": purpose} if purpose else {})
    made = dict(rows.values_list("party").annotate(count=Count("pk")).order_by())
    return [
        {
            "to": one.facts.name,
            "country": one.facts.country,
            "safeguard": MISSING if one.lacks_safeguard else _LABELS[one.facts.safeguard],
            "made": made.get(one.id, 0),
        }
        for one in parties
        if one.is_transfer
    ]
