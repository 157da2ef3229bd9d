"""What the scope of an incident found, as its page shows it: every figure with the events behind it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlencode
from uuid import UUID

from django.urls import reverse

from compliance.models import IncidentScope
from vaultsite.kernel.jobs import JobStatus

#: Lines of each list.
LINES: Final = 100
#: As the audit's form reads times.
_MOMENT: Final = "%Y-%m-%d %H:%M:%S"


def scope_context(scopes: list[IncidentScope]) -> dict[str, Any]:
    """The newest scope that ended well, and whether one is under way or failed since."""
    done = next((one for one in scopes if one.status == JobStatus.SUCCEEDED), None)
    newest = scopes[0] if scopes else None
    result = done.result if done else {}
    most = max((one["records"] + one["downloaded"] for one in result.get("accesses", ())), default=0)
    return {
        "scope": done,
        "scope_under_way": newest if newest and not newest.is_final else None,
        "scope_failed": newest if newest and newest.status == JobStatus.FAILED else None,
        "accesses": [_access(done, one, most) for one in result.get("accesses", ())[:LINES]] if done else [],
        "exports": result.get("exports", ())[:LINES],
        "derived": result.get("derived", ())[:LINES],
        "people_found": result.get("people", {}),
        "categories": list(result.get("categories", {}).items())[:30],
        "special": set(result.get("special", ())),
        "unread": result.get("unread", ())[:LINES],
    }


def _access(scope: IncidentScope, one: Mapping[str, Any], most: int) -> dict[str, Any]:
    """One figure of the scope with the audit narrowed to its events."""
    criteria = scope.criteria
    asked = {
        "actor": one["principal"],
        "dataset": one["dataset"],
        "since": _shown(criteria["since"]),
        "until": _shown(criteria["until"]),
    }
    query = urlencode({name: value for name, value in asked.items() if value})
    amount = one["records"] + one["downloaded"]
    return {
        **one,
        "amount": amount,
        "percent": 100 * amount // most if most else 0,
        "actor_id": UUID(one["principal"]),
        "events_url": f"{reverse('admin:audit_auditevent_changelist')}?{query}",
    }


def _shown(moment: str | None) -> str:
    return datetime.fromisoformat(moment).strftime(_MOMENT) if moment else ""
