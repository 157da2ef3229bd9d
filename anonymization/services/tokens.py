"""Tokens for values and values for tokens: the decisions, the audit, and what other parts call inside a scope."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Final

from access.services.authorize import authorize
from anonymization.ports import find_dataset
from anonymization.services.token_vault.issue import Issued, Issuer
from anonymization.services.token_vault.reveal import Revealed, reveal_tokens
from anonymization.services.token_vault.space import OpenSpace, find_space, open_space
from anonymization.tokens.errors import PurposeMismatch
from anonymization.tokens.form import TokenForm, TokenScope
from vaultsite.kernel.errors import VaultError
from vaultsite.kernel.events.bus import emit
from vaultsite.kernel.events.event import Event, EventType, ResourceRef
from vaultsite.kernel.identifiers import uuid7
from vaultsite.kernel.tenancy.principal import Principal
from vaultsite.kernel.tenancy.scope import current_scope

__all__ = [
    "MAX_BATCH",
    "MAX_VALUE",
    "Issued",
    "Revealed",
    "TokenForm",
    "TokenScope",
    "detokenize",
    "detokenize_values",
    "issue_tokens",
    "tokenize",
    "tokenize_values",
]

#: Values of one request.
MAX_BATCH: Final = 1_000
#: Longest value, in characters: what is longer is a text, and belongs into a dataset.
MAX_VALUE: Final = 4_096


def tokenize(principal: Principal, *, scope: TokenScope, form: TokenForm, values: Sequence[str]) -> list[Issued]:
    """A token, or a refusal, for each value, in their order; decided on and audited with counts.

    Raises AccessDenied, PurposeRequired, UnknownPurpose, PurposeMismatch, ScopeTooWide, the not-found error of
    datasets, and as Issuer does.
    """
    resource = _decide(principal, "token.create", scope, {"count": len(values), "kind": str(form.kind)})
    form.require_scope(scope)
    space = open_space(scope)
    issued = Issuer(space, form).issue(values)
    counts = {
        "kind": str(form.kind),
        "issued": sum(one.is_new for one in issued),
        "returned": sum(one.token is not None for one in issued),
    }
    event = Event(type=EventType.TOKENS_ISSUED, operation="write", resource=resource, metadata=counts)
    _record(event, scope, space, [one.refusal for one in issued])
    return issued


def detokenize(principal: Principal, *, scope: TokenScope, tokens: Sequence[str]) -> list[Revealed]:
    """The value, or a refusal, for each token, in their order; each is counted in the audit and beside its token.

    Raises AccessDenied, PurposeRequired, UnknownPurpose, PurposeMismatch, the not-found error of datasets, and as
    reveal_tokens does.
    """
    resource = _decide(principal, "token.reveal", scope, {"count": len(tokens)})
    space = find_space(scope)
    revealed = reveal_tokens(space, tokens)
    _record_revealed(resource, scope, space, revealed)
    return revealed


def tokenize_values(scope: TokenScope, values: Sequence[str], *, refused: str | None = None) -> list[str]:
    """A token for each value, inside an open scope whose decision was made: the usual form of that scope.

    Meant for reading records again and again, so occurrences are judged within the batch and not added up. ``refused``
    stands in for values that get no token; without it the first refusal is raised. Raises as Issuer does.
    """
    return [_token_of(one, refused) for one in issue_tokens(scope, values, counts=False)]


def issue_tokens(
    scope: TokenScope, values: Sequence[str], *, form: TokenForm | None = None, counts: bool = True
) -> list[Issued]:
    """As tokenize_values, for any form, with a refusal beside each value that gets none. Raises ScopeTooWide."""
    form = form or TokenForm.usual(scope)
    form.require_scope(scope)
    return Issuer(open_space(scope), form, counts=counts).issue(values) if values else []


def detokenize_values(scope: TokenScope, tokens: Sequence[str]) -> list[str | None]:
    """The value of each token, None for unknown and expired ones, inside an open scope whose decision was made.

    Each is counted, as for detokenize. Raises as reveal_tokens does.
    """
    space = find_space(scope)
    revealed = reveal_tokens(space, tokens)
    _record_revealed(ResourceRef("token", dataset_id=scope.dataset_id), scope, space, revealed)
    return [one.value for one in revealed]


def _token_of(issued: Issued, refused: str | None) -> str:
    if issued.token is not None:
        return issued.token
    if refused is None:
        assert issued.refusal is not None
        raise issued.refusal
    return refused


def _decide(principal: Principal, action: str, scope: TokenScope, facts: dict[str, object]) -> ResourceRef:
    """Decide for the scope's own purpose: tokens of one are not touched by a request for another."""
    resource = ResourceRef("token")
    if scope.dataset_id is not None:
        resource = find_dataset(principal, scope.dataset_id, action=action)
    stated = current_scope().request.purpose
    authorize(principal, action, resource, purpose=stated or scope.purpose or None, facts=facts)
    if scope.purpose and stated and scope.purpose != stated:
        raise PurposeMismatch
    return resource


def _record(event: Event, scope: TokenScope, space: OpenSpace | None, refusals: Iterable[VaultError | None]) -> None:
    """The event of counts; and one more, as a warning, when anything was refused."""
    codes = Counter(refusal.code for refusal in refusals if refusal is not None)
    facts = {**event.metadata, "token_scope": str(space.row.pk) if space else "", "refused": dict(codes)}
    purpose = scope.purpose or current_scope().purpose or ""
    event = replace(event, purpose=purpose, metadata=facts)
    emit(event)
    if codes:
        reason = min(codes)
        warning = replace(event, id=uuid7(), type=EventType.TOKENS_REFUSED, severity="warning", status="denied")
        emit(replace(warning, failure_reason=reason))


def _record_revealed(
    resource: ResourceRef, scope: TokenScope, space: OpenSpace | None, revealed: Sequence[Revealed]
) -> None:
    counts = {"revealed": sum(one.refusal is None for one in revealed)}
    event = Event(type=EventType.TOKENS_REVEALED, operation="read", resource=resource, metadata=counts)
    _record(event, scope, space, [one.refusal for one in revealed])
