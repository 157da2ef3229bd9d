"""Upkeep of token scopes: new keys, an end for all tokens, an exception for a frequent value, and forgetting."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from django.db.models import F, Max, Q, QuerySet
from django.db.models.functions import Now
from django.utils import timezone

from access.services.authorize import authorize
from access.services.key_rotation import rotate_key
from access.services.keyring import KeyPurpose
from access.terms import Store, term_source
from anonymization.models import Token, TokenResealing, TokenSpace
from anonymization.services.descriptions import refuse_personal_data
from anonymization.services.token_vault.resealing import queue_resealing
from anonymization.services.token_vault.space import Generation, add_generation, load_space
from anonymization.tokens.errors import TokenSpaceNotFound
from anonymization.tokens.statements import Tally, add_tallies
from vaultsite.kernel.errors import KeyDestroyed
from vaultsite.kernel.events.bus import emit
from vaultsite.kernel.events.event import Event, EventType, ResourceRef
from vaultsite.kernel.tenancy.principal import Principal
from vaultsite.kernel.tenancy.scope import current_scope, current_tenant_id, tenant_scope
from vaultsite.kernel.upkeep import add_up

#: Tokens removed in one transaction.
BATCH: Final = 5_000
#: How long a request may take that began before its scope's tokens were ended.
_IN_FLIGHT: Final = timedelta(hours=1)
#: Tokens that a term ends, from a day before it does: those that are promised have their makers' end back by then.
_ENDS_BY_TERM: Final = Q(is_shortened=True, expires_at__lte=Now() + timedelta(days=1))


def get_space(principal: Principal, space_id: UUID, *, action: str) -> TokenSpace:
    """One scope, decided on for ``action``. Raises AccessDenied, TokenSpaceNotFound."""
    space = TokenSpace.objects.filter(pk=space_id).first()
    authorize(principal, action, _resource(space_id, space.dataset_id if space else None))
    if space is None:
        raise TokenSpaceNotFound
    return space


def rotate_space(principal: Principal, *, space_id: UUID) -> TokenResealing:
    """New keys for a scope: equal values get new tokens from now on, and the old ones go on opening.

    What the vault holds of the scope's dataset is sealed anew by the job returned. Raises AccessDenied,
    TokenSpaceNotFound, KeyUnavailable.
    """
    space = get_space(principal, space_id, action="token.manage")
    # The spaces of a dataset share its keys: one rotation at a time makes the next ones.
    list(TokenSpace.objects.select_for_update().filter(dataset_id=space.dataset_id).order_by("pk"))
    key_scope = space.dataset_id if space.dataset_id is not None else current_tenant_id()
    rotate_key(KeyPurpose.TOKEN_INDEX, key_scope)
    rotate_key(KeyPurpose.FORMAT, key_scope)
    latest = space.generations.aggregate(Max("number"))["number__max"]
    generation = add_generation(space, number=latest + 1)
    emit(_changed(EventType.TOKENS_ROTATED, space, {"generation": generation.number}))
    return queue_resealing(key_scope, requested_by=principal.id)


def expire_space(principal: Principal, *, space_id: UUID) -> None:
    """Every token that the scope has now is expired; new ones can be made. Raises AccessDenied, TokenSpaceNotFound."""
    space = get_space(principal, space_id, action="token.manage")
    TokenSpace.objects.filter(pk=space.pk).update(expired_before=Now())
    emit(_changed(EventType.TOKENS_CHANGED, space, {"change": "expired"}))


def allow_frequent(principal: Principal, *, space_id: UUID, reason: str) -> TokenSpace:
    """Let values of the scope be frequent, for the reason recorded; an empty one takes it back.

    Raises AccessDenied, TokenSpaceNotFound, PersonalDataInText.
    """
    space = get_space(principal, space_id, action="anonymization.manage")
    refuse_personal_data(reason=reason)
    space.frequent_reason = reason
    space.frequent_by, space.frequent_at = (principal.id, timezone.now()) if reason else (None, None)
    space.save(update_fields=["frequent_reason", "frequent_by", "frequent_at"])
    emit(_changed(EventType.TOKENS_CHANGED, space, {"change": "frequent-allowed" if reason else "frequent-refused"}))
    return space


def forget_tokens(*, values: Iterable[str] = (), tokens: Iterable[str] = (), dataset_id: UUID | None = None) -> int:
    """Remove every token of these values, and these tokens, inside the open scope; returns how many rows went.

    For erasure: in every scope of the tenant, or of ``dataset_id`` alone. Values are compared as they were tokenized,
    letter by letter. Where an index key was destroyed nothing can be searched, so all tokens of its
    generation are removed.
    """
    spaces = TokenSpace.objects.order_by("pk")
    wanted, named = ([text.encode("utf-8", "surrogatepass") for text in texts] for texts in (values, tokens))
    removed = 0
    for space in spaces.filter(dataset_id=dataset_id) if dataset_id else spaces:
        opened = load_space(space)
        removed += sum(_forget_values(space, one, wanted) for one in opened.generations)
        with suppress(KeyDestroyed):  # then no token of the scope is found any more, by anybody
            indexes = [opened.token_index(token) for token in named]
            removed += _remove_all(Token.objects.filter(space=space, token_index__in=indexes), "erased")
    return removed


def tokens_of(values: Iterable[str]) -> list[UUID]:
    """The rows that ``forget_tokens`` would remove of these values, in every scope of the tenant; in the open scope."""
    wanted = [text.encode("utf-8", "surrogatepass") for text in values]
    found: list[UUID] = []
    for space in TokenSpace.objects.order_by("pk"):
        for generation in load_space(space).generations:
            found += _rows_of(space, generation, wanted)[0].order_by("pk").values_list("pk", flat=True)
    return found


def remove_tokens(ids: Sequence[UUID]) -> int:
    """Remove these rows of the token vault, for erasure, in the open scope; returns how many there were."""
    return _remove_all(Token.objects.filter(pk__in=ids), "erased")


def _forget_values(space: TokenSpace, generation: Generation, values: Sequence[bytes]) -> int:
    return _remove_all(*_rows_of(space, generation, values))


def _rows_of(space: TokenSpace, generation: Generation, values: Sequence[bytes]) -> tuple[QuerySet[Token], str]:
    """The tokens of these values, and why they go: where nothing can be searched any more, all of the generation."""
    rows = Token.objects.filter(space=space, generation=generation.number)
    try:
        indexes = [generation.value_index(value) for value in values]
    except KeyDestroyed:
        return rows, "keys-destroyed"
    return rows.filter(value_index__in=indexes), "erased"


def expire_tokens(of_tenant: UUID | None = None) -> int:
    """Over all tenants or of one: remove tokens past their end, a batch of each scope; returns how many.

    What a legal hold keeps stays, and opens no more. What must be kept, and only a term would end, has its maker's end
    again before that.
    """
    late = Token.objects.using("system").filter(Q(expires_at__lte=Now()) | _ENDS_BY_TERM).order_by()
    ended = TokenSpace.objects.using("system").filter(expired_before__isnull=False).order_by()
    if of_tenant:
        late, ended = late.filter(tenant_id=of_tenant), ended.filter(tenant_id=of_tenant)
    spaces = set(late.values_list("tenant_id", "space_id").distinct())
    spaces |= set(ended.values_list("tenant_id", "pk"))
    return add_up(_expire, sorted(spaces))


def _expire(tenant_id: UUID, space_id: UUID) -> int:
    """One batch of a scope; the next run takes the next one."""
    with tenant_scope(tenant_id, Principal.system(tenant_id)):
        space = TokenSpace.objects.filter(pk=space_id).first()
        if space is None or term_source().keeps_tokens(space.dataset_id):
            return 0
        late = Token.objects.filter(space=space, expires_at__lte=Now())
        if term_source().promises_tokens(space.dataset_id):
            _give_back(Token.objects.filter(_ENDS_BY_TERM, space=space))
            late = late.filter(is_shortened=False)
        removed = _remove(late, "expired")
        if space.expired_before is not None:
            count = _remove(Token.objects.filter(space=space, created_at__lt=space.expired_before), "expired")
            removed += count
            if count == 0 and space.expired_before < timezone.now() - _IN_FLIGHT:
                TokenSpace.objects.filter(pk=space.pk, expired_before=space.expired_before).update(expired_before=None)
        if removed:
            term_source().tell_ended(Store.TOKENS, removed)
    return removed


def _give_back(rows: QuerySet[Token]) -> None:
    """Up to BATCH of the rows end again when their makers said."""
    found = list(rows.order_by("pk").select_for_update(skip_locked=True).values_list("pk", flat=True)[:BATCH])
    Token.objects.filter(pk__in=found).update(expires_at=F("own_end"), own_end=None, is_shortened=False)


def _remove_all(rows: QuerySet[Token], reason: str) -> int:
    removed = 0
    while count := _remove(rows, reason, skip_locked=False):
        removed += count
    return removed


def _remove(rows: QuerySet[Token], reason: str, *, skip_locked: bool = True) -> int:
    """Delete up to BATCH of the rows, with counters and an event for each scope; what is in use waits for the next."""
    taken = rows.order_by("pk").select_for_update(skip_locked=skip_locked)
    found = list(taken.values_list("pk", "space_id", "kind")[:BATCH])
    if not found:
        return 0
    Token.objects.filter(pk__in=[pk for pk, _, _ in found]).delete()
    by_space: dict[UUID, dict[str, Tally]] = defaultdict(lambda: defaultdict(Tally))
    for _, space_id, kind in found:
        by_space[space_id][kind].removed += 1
    for space in TokenSpace.objects.filter(pk__in=by_space).order_by("pk"):
        tallies = by_space[space.pk]
        add_tallies(space.pk, current_scope().principal.id, dict(tallies))
        count = sum(tally.removed for tally in tallies.values())
        emit(_changed(EventType.TOKENS_REMOVED, space, {"reason": reason, "removed": count}, operation="delete"))
    return len(found)


def _changed(kind: EventType, space: TokenSpace, facts: Mapping[str, Any], *, operation: str = "update") -> Event:
    resource = _resource(space.pk, space.dataset_id)
    return Event(type=kind, operation=operation, resource=resource, purpose=space.purpose, metadata=facts)


def _resource(space_id: UUID, dataset_id: UUID | None) -> ResourceRef:
    return ResourceRef("token_scope", str(space_id), dataset_id=dataset_id)
