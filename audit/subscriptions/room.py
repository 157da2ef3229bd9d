"""How many comparisons the filters of one tenant make: each event of it is put to all of them."""

from typing import Final

from audit.models import EventSubscription, WebhookEndpoint
from audit.subscriptions.errors import InvalidFilter
from audit.subscriptions.grammar import compile_filter

#: Comparisons in the filters of a tenant's webhooks and event subscriptions together.
MOST_COMPARISONS: Final = 2000


def require_room(expression: str, *, instead_of: str = "") -> None:
    """Refuse a filter that cannot be read, or that makes the tenant's compare too much, in the open scope.

    ``instead_of`` is the filter that it replaces; one that asks for no more than that is never too much. Raises
    InvalidFilter.
    """
    asked, before = compile_filter(expression).comparisons, _comparisons(instead_of)
    if asked <= before:
        return
    texts = [
        *EventSubscription.objects.values_list("expression", flat=True),
        *WebhookEndpoint.objects.values_list("filter", flat=True),
    ]
    if sum(map(_comparisons, texts)) - before + asked > MOST_COMPARISONS:
        raise InvalidFilter(f"all filters together compare at most {MOST_COMPARISONS} times; IN compares once")


def _comparisons(stored: str) -> int:
    """None where a stored filter cannot be read: it is never asked."""
    try:
        return compile_filter(stored).comparisons
    except InvalidFilter:
        return 0
