"""Scopes rotate, expire and forget, and nothing that was given out is lost by it."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from access.errors import AccessDenied, KeyInUse
from access.models import EncryptionKey, KeyPurpose, KeyState
from access.services.key_rotation import confirm_destruction, request_destruction, rewrap_keys, rotate_key
from access.services.keyring import destroy_keys, drop_tenant
from anonymization.models import Token, TokenResealing, TokenSpace, TokenUse
from anonymization.services.token_vault import resealing
from anonymization.services.token_vault.overview import list_spaces
from anonymization.services.token_vault.resealing import run_resealing
from anonymization.services.token_vault.upkeep import (
    allow_frequent,
    expire_space,
    expire_tokens,
    forget_tokens,
    get_space,
    rotate_space,
)
from anonymization.services.tokens import TokenForm, TokenScope, detokenize_values, issue_tokens, tokenize_values
from anonymization.tokens.errors import TokenSpaceNotFound, ValueTooFrequent
from anonymization.tokens.form import TokenKind
from audit.models import AuditEvent
from tests.factories.access import acting, age
from tests.factories.datasets import someone
from vaultsite.kernel.crypto.aead import read_key_id
from vaultsite.kernel.errors import IntegrityFailure, KeyDestroyed
from vaultsite.kernel.jobs import MAX_ATTEMPTS

NAMES = ["Ada Lovelace", "Grace Hopper"]
CARD = TokenForm(TokenKind.FORMAT, shape="card")


def space_of(tenant):
    with acting(tenant):
        return TokenSpace.objects.get()


def event_types(tenant):
    with acting(tenant):
        return set(AuditEvent.objects.values_list("type", flat=True))


def test_after_a_rotation_values_get_new_tokens_and_old_ones_open(tenant, as_officer, officer, scope):
    old = as_officer(tokenize_values, scope, NAMES)
    (card,) = as_officer(issue_tokens, scope, ["4111111111111111"], form=CARD)
    job = as_officer(rotate_space, officer, space_id=space_of(tenant).pk)
    run_resealing(tenant.pk, job.pk)
    new = as_officer(tokenize_values, scope, NAMES)
    (new_card,) = as_officer(issue_tokens, scope, ["4111111111111111"], form=CARD)
    assert not set(new) & set(old)
    assert all(token.startswith("tok_2_") for token in new)
    assert new_card.token != card.token
    assert as_officer(detokenize_values, scope, [*old, *new, card.token, new_card.token]) == [
        *NAMES,
        *NAMES,
        "4111111111111111",
        "4111111111111111",
    ]
    assert {"data.token.rotated", "data.key.rotation"} <= event_types(tenant)


def test_a_rotation_seals_everything_anew_batch_by_batch(tenant, as_officer, officer, scope, monkeypatch):
    monkeypatch.setattr(resealing, "_BATCH", 3)
    values = [f"person number {index}" for index in range(10)]
    tokens = as_officer(tokenize_values, scope, values)
    job = as_officer(rotate_space, officer, space_id=space_of(tenant).pk)
    again = as_officer(rotate_space, officer, space_id=space_of(tenant).pk)
    assert again.pk == job.pk, "a job that has not begun serves both"
    run_resealing(tenant.pk, job.pk)
    with acting(tenant):
        (active,) = EncryptionKey.objects.filter(purpose=KeyPurpose.TOKEN, state=KeyState.ACTIVE)
        row = TokenResealing.objects.get()
        assert (row.status, row.moved_count, row.new_key) == ("succeeded", 10, active.pk)
        assert {read_key_id(bytes(sealed)) for sealed in Token.objects.values_list("sealed", flat=True)} == {active.pk}
    assert as_officer(detokenize_values, scope, tokens) == values


def test_a_resealing_that_stopped_half_way_goes_on(tenant, as_officer, officer, scope, monkeypatch):
    monkeypatch.setattr(resealing, "_BATCH", 3)
    monkeypatch.setattr(resealing, "TURN_SECONDS", 0.0)
    as_officer(tokenize_values, scope, [f"person number {index}" for index in range(7)])
    job = as_officer(rotate_space, officer, space_id=space_of(tenant).pk)
    for turn in (3, 6, 7):
        run_resealing(tenant.pk, job.pk)
        with acting(tenant):
            assert TokenResealing.objects.get().moved_count == turn
            assert EncryptionKey.objects.filter(purpose=KeyPurpose.TOKEN).count() == 2, "one successor for all turns"
    run_resealing(tenant.pk, job.pk)
    with acting(tenant):
        assert TokenResealing.objects.get().status == "succeeded"


def test_a_resealing_given_up_says_so(tenant, as_officer, officer, scope):
    as_officer(tokenize_values, scope, NAMES)
    job = as_officer(rotate_space, officer, space_id=space_of(tenant).pk)
    with acting(tenant):
        TokenResealing.objects.filter(pk=job.pk).update(attempt=MAX_ATTEMPTS)
    run_resealing(tenant.pk, job.pk)
    with acting(tenant):
        (event,) = AuditEvent.objects.filter(type="data.key.rotation")
        assert (event.status, event.failure_reason) == ("failure", "VAULT_SYS_9011")


def test_a_kek_rotation_rewraps_the_keys_of_tokens(tenant, as_officer, scope):
    tokens = as_officer(tokenize_values, scope, NAMES)
    with acting(tenant):
        kek = rotate_key(KeyPurpose.KEK, tenant.pk)
        rewrap_keys(kek.pk, limit=100)
        purposes = ("token", "token_index", "format")
        rows = EncryptionKey.objects.filter(purpose__in=purposes)
        assert {row.wrapped_by_id for row in rows} == {kek.pk}
        assert rows.count() == 3
    assert as_officer(detokenize_values, scope, tokens) == NAMES


def test_a_retired_key_of_tokens_ends_only_with_the_loss_accepted(tenant, as_officer, officer, scope):
    (token,) = as_officer(tokenize_values, scope, NAMES[:1])
    as_officer(rotate_space, officer, space_id=space_of(tenant).pk)
    first, second = someone(tenant, "tenant_admin"), someone(tenant, "tenant_admin")
    with acting(tenant):
        key = EncryptionKey.objects.get(purpose=KeyPurpose.TOKEN_INDEX, state=KeyState.DECRYPT_ONLY)
    with acting(tenant, first):
        request_destruction(first, key_id=key.pk, reason="rotated")
    with pytest.raises(KeyInUse), acting(tenant, second):
        confirm_destruction(second, key_id=key.pk, count_uses=lambda _: 0)
    assert as_officer(detokenize_values, scope, [token]) == NAMES[:1]


def test_expired_tokens_open_no_more_and_are_removed(tenant, as_officer, scope):
    soon = TokenForm(TokenKind.DETERMINISTIC, expires_at=timezone.now() + timedelta(hours=1))
    (one,) = as_officer(issue_tokens, scope, NAMES[:1], form=soon)
    (kept,) = as_officer(tokenize_values, scope, NAMES[1:])
    assert one.expires_at == soon.expires_at
    with acting(tenant):
        row = Token.objects.exclude(expires_at=None).get()
    row_class = type(row)
    row_class._base_manager.using("owner").filter(pk=row.pk).update(expires_at=timezone.now() - timedelta(seconds=1))
    assert as_officer(detokenize_values, scope, [one.token, kept]) == [None, NAMES[1]]
    (fresh,) = as_officer(tokenize_values, scope, NAMES[:1])
    assert fresh != one.token, "an expired token never comes back"
    row_class._base_manager.using("owner").filter(tenant=tenant).update(
        expires_at=timezone.now() - timedelta(seconds=1)
    )
    assert expire_tokens() >= 3
    with acting(tenant):
        assert not Token.objects.exists()
        assert sum(TokenUse.objects.values_list("removed", flat=True)) == 3, "the one that was replaced too"
    assert "data.token.removed" in event_types(tenant)


def test_a_scope_expires_as_a_whole_and_goes_on(tenant, as_officer, officer, scope):
    old = as_officer(tokenize_values, scope, NAMES)
    space = space_of(tenant)
    as_officer(expire_space, officer, space_id=space.pk)
    assert as_officer(detokenize_values, scope, old) == [None, None]
    new = as_officer(tokenize_values, scope, NAMES)
    assert not set(old) & set(new)
    assert as_officer(detokenize_values, scope, new) == NAMES
    assert expire_tokens() >= 2
    age(space, expired_before=timedelta(hours=2))
    expire_tokens()
    with acting(tenant):
        assert Token.objects.count() == 2
        assert TokenSpace.objects.get().expired_before is None
    assert as_officer(detokenize_values, scope, [*old, *new]) == [None, None, *NAMES]


def test_forgetting_a_value_takes_all_its_tokens(tenant, as_officer, officer, scope):
    tokens = as_officer(tokenize_values, scope, NAMES)
    as_officer(rotate_space, officer, space_id=space_of(tenant).pk)
    tokens += as_officer(tokenize_values, scope, NAMES)
    wide = TokenScope()
    tokens_wide = as_officer(tokenize_values, wide, [NAMES[0], NAMES[0], NAMES[1]])
    assert as_officer(forget_tokens, values=[NAMES[0]]) == 4
    assert as_officer(detokenize_values, scope, tokens) == [None, NAMES[1], None, NAMES[1]]
    assert as_officer(detokenize_values, wide, tokens_wide) == [None, None, NAMES[1]]
    assert as_officer(forget_tokens, tokens=[tokens_wide[2]]) == 1
    assert as_officer(detokenize_values, wide, tokens_wide) == [None] * 3
    assert as_officer(forget_tokens, values=["nobody"], tokens=["nothing"]) == 0


def test_forgetting_in_one_dataset_leaves_the_others(tenant, as_officer, scope):
    (token,) = as_officer(tokenize_values, scope, NAMES[:1])
    (wide,) = as_officer(tokenize_values, TokenScope(), NAMES[:1])
    assert as_officer(forget_tokens, values=NAMES, dataset_id=scope.dataset_id) == 1
    assert as_officer(detokenize_values, scope, [token]) == [None]
    assert as_officer(detokenize_values, TokenScope(), [wide]) == NAMES[:1]


def test_the_end_of_a_datasets_keys_is_the_end_of_its_tokens(tenant, as_officer, scope):
    (token,) = as_officer(tokenize_values, scope, NAMES[:1])
    as_officer(destroy_keys, scope.dataset_id)
    with pytest.raises(KeyDestroyed):
        as_officer(detokenize_values, scope, [token])
    assert as_officer(forget_tokens, values=["whoever"]) == 1
    with acting(tenant):
        assert not Token.objects.exists()


def test_a_destroyed_index_key_of_old_tokens_leaves_no_unsearchable_row(tenant, as_officer, officer, scope):
    """Erasure by value cannot find them any more, so all tokens of that generation go; new ones go on."""
    as_officer(tokenize_values, scope, NAMES)
    space = space_of(tenant)
    for _ in range(2):
        as_officer(rotate_space, officer, space_id=space.pk)
        tokens = as_officer(tokenize_values, scope, NAMES)
    with acting(tenant):
        second = EncryptionKey.objects.get(purpose=KeyPurpose.TOKEN_INDEX, version=2)
        EncryptionKey.objects.filter(pk=second.pk).update(state=KeyState.DESTROYED, wrapped=None)
    drop_tenant(tenant.pk)
    assert as_officer(detokenize_values, scope, tokens) == NAMES
    assert as_officer(forget_tokens, values=["whoever"]) == 2
    assert as_officer(detokenize_values, scope, tokens) == NAMES


def test_a_frequent_value_needs_a_recorded_reason(tenant, as_officer, officer, scope):
    values = ["the usual suspect"] * 20 + [f"person number {index}" for index in range(20)]
    with pytest.raises(ValueTooFrequent):
        as_officer(tokenize_values, scope, values)
    assert as_officer(tokenize_values, scope, values, refused="[WITHHELD]").count("[WITHHELD]") == 20
    steward = someone(tenant, "data_steward")
    space = space_of(tenant)
    with acting(tenant, steward):
        allow_frequent(steward, space_id=space.pk, reason="A synthetic set whose author is known")
    assert len(set(as_officer(tokenize_values, scope, values))) == 21
    space = space_of(tenant)
    assert (space.frequent_by, bool(space.frequent_at)) == (steward.id, True)
    with acting(tenant, steward):
        allow_frequent(steward, space_id=space.pk, reason="")
    with pytest.raises(ValueTooFrequent):
        as_officer(tokenize_values, scope, values)
    assert "data.token.changed" in event_types(tenant)


@pytest.mark.parametrize("work", [rotate_space, expire_space])
def test_upkeep_needs_its_permission(tenant, as_officer, officer, scope, work):
    as_officer(tokenize_values, scope, NAMES)
    steward = someone(tenant, "data_steward")
    with pytest.raises(AccessDenied), acting(tenant, steward):
        work(steward, space_id=space_of(tenant).pk)
    with pytest.raises(TokenSpaceNotFound):
        as_officer(work, officer, space_id=uuid4())


def test_another_tenants_scope_is_none(tenant, rival, as_officer, officer, scope):
    as_officer(tokenize_values, scope, NAMES)
    stranger, foreign = someone(rival, "privacy_officer"), space_of(tenant).pk
    with pytest.raises(TokenSpaceNotFound), acting(rival, stranger):
        get_space(stranger, foreign, action="token.manage")


def test_the_overview_counts_and_names_no_value(tenant, as_officer, officer, scope):
    tokens = as_officer(tokenize_values, scope, NAMES)
    as_officer(detokenize_values, scope, [*tokens, "nothing"])
    (view,) = as_officer(list_spaces, officer, after=None, limit=10)
    kinds = {one.kind: one for one in view.kinds}
    assert (kinds["deterministic"].issued, kinds["deterministic"].live, kinds["deterministic"].revealed) == (2, 2, 2)
    assert (view.generation, view.rotated_at, view.unknown) == (1, None, 1)
    assert [(one.principal_id, one.revealed) for one in view.revealers] == [(officer.id, 2)]
    assert as_officer(list_spaces, officer, after=view.space.pk, limit=10) == []


def test_a_row_moved_or_changed_is_found_out(tenant, as_officer, scope):
    tokens = as_officer(tokenize_values, scope, NAMES)
    with acting(tenant):
        first, second = Token.objects.order_by("pk")
        Token.objects.filter(pk=first.pk).update(sealed=bytes(second.sealed))
    with pytest.raises(IntegrityFailure):
        as_officer(detokenize_values, scope, tokens)
