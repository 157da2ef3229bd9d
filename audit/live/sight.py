"""Which events somebody may be told of who may not read the audit: those of datasets they may see."""

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from access.ports import dataset_directory
from audit.alerts.kinds import WITHHELD
from audit.catalog.topics import LIFECYCLE, topic_of
from vaultsite.kernel.tenancy.principal import Principal

Envelope = dict[str, Any]

#: Members of the context that say how the vault decides, which is not everybody's to know.
_WITHHELD: Final = frozenset({"policy_evaluated", "obligations"})


def visible_events(principal: Principal, events: Sequence[Envelope]) -> list[Envelope]:
    """Those of ``events`` that ``principal`` may be told of, in the open scope; one query.

    They are about a dataset that the principal may see now, and tell of its life, or of what the principal did, and of
    no alert. Who else acted, and by which policies, is left out.
    """
    about = {UUID(event["partitionkey"]) for event in events if "partitionkey" in event}
    visible = dataset_directory().visible(principal, about) if about else frozenset()
    return [
        _without_others(principal, event)
        for event in events
        if "partitionkey" in event and UUID(event["partitionkey"]) in visible and _is_theirs(principal, event)
    ]


def _is_theirs(principal: Principal, event: Envelope) -> bool:
    if event["type"] in WITHHELD:
        return False
    return event["data"]["actor"]["id"] == str(principal.id) or topic_of(event["type"]) == LIFECYCLE


def _without_others(principal: Principal, event: Envelope) -> Envelope:
    data = event["data"]
    if data["actor"]["id"] == str(principal.id):
        return event
    context = {name: value for name, value in data["context"].items() if name not in _WITHHELD}
    return event | {
        "data": data | {"actor": {"type": data["actor"]["type"]}, "context": context, "metadata": {}},
    }
