"""Terms over stores: what each store holds ends by them, is counted, and is kept where something keeps it."""

from datetime import timedelta

import pytest
from django.utils import timezone

from access.terms import Store
from anonymization.models import Token
from anonymization.services.token_vault.upkeep import expire_tokens
from anonymization.services.tokens import TokenScope, tokenize_values
from audit.models import AuditEvent
from audit.selectors import read_body
from compliance.models import RetentionStoreStep, StoreTerm
from compliance.retention.run import run_retention
from compliance.retention.store_pass import StorePass
from compliance.retention.store_terms import Terms, end_term, preview_term, set_term
from datasets.errors import DatasetHeld
from datasets.models import Draft, Export
from datasets.services.drafts.expire import expire_drafts
from datasets.services.exports.expiry import expire_exports
from datasets.services.exports.request import withdraw_export
from tests.compliance.holds.cases import place, release, version, whole
from tests.compliance.retention.stores import (
    MAKERS,
    PURPOSE,
    aged,
    end_of,
    filled,
    make_token,
    set_days,
    stands,
)
from tests.factories.access import acting
from tests.factories.datasets import jsonl, make_dataset, rows_of, someone, upload
from tests.factories.drafts import make_draft, put
from tests.factories.exports import export
from tests.factories.guaranteed import guaranteed, people
from tests.factories.retention import make_policy, officer, run_now
from vaultsite.kernel.errors import InvalidInput

DAYS = 5
DAY = timedelta(days=1)


def step_of(tenant, run, store: Store) -> RetentionStoreStep:
    with acting(tenant):
        return RetentionStoreStep.objects.get(run=run, store=store)


def tried(tenant, store: Store, **terms):
    ahead = terms.pop("ahead_days", 0)
    with acting(tenant, officer(tenant)) as scope:
        return preview_term(scope.principal, name=store, terms=Terms(**terms), ahead_days=ahead)


@pytest.mark.parametrize("store", [one for one in Store if one is not Store.DRAFTS])
def test_what_is_older_than_its_term_goes_by_a_run_and_is_counted(tenant, store) -> None:
    old, young = aged(tenant, store, MAKERS[store](tenant), DAYS + 1), None
    if store is not Store.TOKENS:
        young = MAKERS[store](tenant)
    would = tried(tenant, store, days=DAYS, grace_days=0)
    assert (would.ending, would.shortened) == (1, 1 if young is None else 2)
    assert stands(tenant, store, old)
    set_days(tenant, store, DAYS)
    assert stands(tenant, store, old), "nothing goes before a run"
    run = run_now(tenant)
    assert not stands(tenant, store, old)
    if young is not None:
        assert stands(tenant, store, young)
        assert end_of(tenant, young) <= timezone.now() + DAYS * DAY
    step = step_of(tenant, run, store)
    assert (step.days, step.shortened, step.ended, step.held) == (DAYS, would.shortened, 1, 0)
    assert run.counts == {f"ended:{store}": 1}
    again = step_of(tenant, run_now(tenant), store)
    assert (again.shortened, again.ended) == (0, 0)
    with acting(tenant):
        (told,) = AuditEvent.objects.filter(type="data.retention.applied")
        assert read_body(told)["metadata"].items() >= {"store": store.value, "ended": 1}.items()


def test_a_draft_is_warned_of_before_its_shorter_term_ends_it(tenant, settings) -> None:
    old = aged(tenant, Store.DRAFTS, MAKERS[Store.DRAFTS](tenant), 40)
    set_days(tenant, Store.DRAFTS, settings.DRAFT_WARNING_DAYS + 1)
    run = run_now(tenant)
    assert step_of(tenant, run, Store.DRAFTS).shortened == 1
    with acting(tenant):
        draft = Draft.objects.get(pk=old.pk)
        assert AuditEvent.objects.filter(type="data.draft.expiring").count() == 1
    left = draft.expires_at - timezone.now()
    assert (draft.warned_at is not None, settings.DRAFT_WARNING_DAYS * DAY - left < DAY) == (True, True)
    Draft._base_manager.using("owner").filter(pk=old.pk).update(expires_at=timezone.now())
    assert step_of(tenant, run_now(tenant), Store.DRAFTS).ended == 1
    assert not stands(tenant, Store.DRAFTS, old)


@pytest.mark.parametrize("store", [Store.EXPORTS, Store.AUDIT_EXPORTS, Store.DRAFTS, Store.ANALYTICS])
def test_what_is_made_under_a_term_ends_by_it(tenant, store) -> None:
    set_days(tenant, store, DAYS)
    made = MAKERS[store](tenant)
    assert timedelta(0) <= timezone.now() + DAYS * DAY - end_of(tenant, made) < DAY


def test_what_ended_between_two_runs_is_counted_by_the_next(tenant) -> None:
    set_days(tenant, Store.EXPORTS, DAYS)
    made = MAKERS[Store.EXPORTS](tenant)
    Export._base_manager.using("owner").filter(pk=made.pk).update(expires_at=timezone.now() - DAY)
    assert expire_exports(tenant.pk) == 1
    assert step_of(tenant, run_now(tenant), Store.EXPORTS).ended == 1


def test_what_stood_already_has_the_days_of_grace(tenant) -> None:
    old = aged(tenant, Store.EXPORTS, MAKERS[Store.EXPORTS](tenant), 30)
    Export._base_manager.using("owner").filter(pk=old.pk).update(expires_at=timezone.now() + 30 * DAY)
    term = set_days(tenant, Store.EXPORTS, DAYS, grace_days=3)
    run_now(tenant)
    assert end_of(tenant, old) == term.changed_at + 3 * DAY
    with acting(tenant, officer(tenant)) as scope:
        end_term(scope.principal, name="exports")
    assert end_of(tenant, old) == term.changed_at + 3 * DAY, "what was shortened stays so"
    usual = end_of(tenant, MAKERS[Store.EXPORTS](tenant))
    assert usual > timezone.now() + DAYS * DAY


@pytest.mark.parametrize(
    ("store", "days", "field"),
    [("exports", 0, "/days"), ("exports", 10_000, "/days"), ("drafts", 1, "/days"), ("tokens", 36_501, "/days")],
)
def test_a_term_shortens_and_leaves_time_to_warn(tenant, store, days, field) -> None:
    with pytest.raises(InvalidInput) as refused, acting(tenant, officer(tenant)) as scope:
        set_term(scope.principal, name=store, terms=Terms(days=days, legal_basis="Because"))
    assert [one.field for one in refused.value.errors] == [field]


def test_recipients_keep_tables_no_longer_than_the_term(tenant) -> None:
    set_days(tenant, Store.ANALYTICS, DAYS)
    dataset = make_dataset(tenant)
    upload(tenant, dataset, jsonl(people(40)))
    assert guaranteed(tenant, dataset, retention_days=90).retention_days == DAYS
    assert guaranteed(tenant, dataset, retention_days=2).retention_days == 2


def test_files_of_held_data_do_not_end_and_are_not_removed(tenant) -> None:
    dataset, steward = filled(tenant), someone(tenant, "data_steward")
    made = aged(tenant, Store.EXPORTS, export(tenant, dataset, principal=steward), DAYS + 1)
    hold = place(tenant, whole(dataset))
    set_days(tenant, Store.EXPORTS, DAYS)
    step = step_of(tenant, run_now(tenant), Store.EXPORTS)
    assert (step.ended, step.held, stands(tenant, Store.EXPORTS, made)) == (0, 1, True)
    with pytest.raises(DatasetHeld), acting(tenant, steward):
        withdraw_export(steward, made.pk)
    release(tenant, hold)
    assert step_of(tenant, run_now(tenant), Store.EXPORTS).ended == 1


def test_a_held_version_keeps_files_of_itself_alone(tenant) -> None:
    dataset = filled(tenant)
    of_first = aged(tenant, Store.EXPORTS, export(tenant, dataset), DAYS + 1)
    first = of_first.version.label
    upload(tenant, dataset, jsonl(rows_of(9)))
    of_second = aged(tenant, Store.EXPORTS, export(tenant, dataset), DAYS + 1)
    place(tenant, version(dataset, first))
    set_days(tenant, Store.EXPORTS, DAYS)
    run_now(tenant)
    assert [stands(tenant, Store.EXPORTS, one) for one in (of_first, of_second)] == [True, False]


@pytest.mark.parametrize("is_of_dataset", [True, False])
def test_tokens_of_held_data_stay_and_open_no_more(tenant, is_of_dataset) -> None:
    dataset = make_dataset(tenant)
    token = make_token(tenant, dataset if is_of_dataset else None)
    hold = place(tenant, whole(dataset))
    Token._base_manager.using("owner").filter(pk=token.pk).update(expires_at=timezone.now() - DAY)
    assert expire_tokens(tenant.pk) == 0
    fresh = make_token(tenant, dataset if is_of_dataset else None)
    assert fresh.pk != token.pk, "an expired token never comes back"
    assert stands(tenant, Store.TOKENS, token), "not even to make room for a new one"
    release(tenant, hold)
    assert expire_tokens(tenant.pk) == 1
    assert [stands(tenant, Store.TOKENS, one) for one in (token, fresh)] == [False, True]


def test_a_scope_that_was_ended_under_a_hold_does_not_open_again(tenant) -> None:
    dataset = make_dataset(tenant)
    token = make_token(tenant, dataset)
    place(tenant, whole(dataset))
    with acting(tenant):
        space = token.space
    ended = timezone.now() + timedelta(seconds=1)
    type(space)._base_manager.using("owner").filter(pk=space.pk).update(expired_before=ended - 2 * DAY)
    Token._base_manager.using("owner").filter(pk=token.pk).update(created_at=ended - 3 * DAY)
    assert expire_tokens(tenant.pk) == 0
    with acting(tenant):
        space.refresh_from_db()
    assert space.expired_before is not None


def test_tokens_of_what_must_be_kept_are_not_shortened(tenant) -> None:
    dataset, other = make_dataset(tenant, tags=("kept",)), make_dataset(tenant)
    make_policy(tenant, minimum_days=3650, tags=("kept",))
    kept, free = make_token(tenant, dataset), make_token(tenant, other)
    for token in (kept, free):
        aged(tenant, Store.TOKENS, token, DAYS + 1)
    would = tried(tenant, Store.TOKENS, days=DAYS, grace_days=0)
    assert (would.shortened, would.promised) == (1, 1)
    set_days(tenant, Store.TOKENS, DAYS)
    run_now(tenant)
    assert [stands(tenant, Store.TOKENS, one) for one in (kept, free)] == [True, False]
    assert end_of(tenant, kept) is None


def test_tokens_that_a_term_shortened_before_they_had_to_be_kept_have_their_own_end_again(tenant) -> None:
    shortened, own, free = (make_token(tenant, make_dataset(tenant, tags=tags)) for tags in (("kept",), ("kept",), ()))
    rows = Token._base_manager.using("owner")
    rows.filter(pk=own.pk).update(expires_at=timezone.now() + DAY)
    set_days(tenant, Store.TOKENS, DAYS)
    run_now(tenant)
    assert end_of(tenant, shortened) <= timezone.now() + DAYS * DAY
    make_policy(tenant, minimum_days=3650, tags=("kept",))
    rows.filter(tenant_id=tenant.pk).update(expires_at=timezone.now() - DAY)
    assert expire_tokens(tenant.pk) == 2
    assert [stands(tenant, Store.TOKENS, one) for one in (shortened, own, free)] == [True, False, False]
    assert end_of(tenant, shortened) is None
    run_now(tenant)
    assert end_of(tenant, shortened) is None, "and it is not shortened again"


def test_a_held_draft_outlives_its_term(tenant) -> None:
    dataset = make_dataset(tenant)
    draft = make_draft(tenant, dataset)
    put(tenant, draft, rows_of(3))
    place(tenant, whole(dataset))
    set_days(tenant, Store.DRAFTS, DAYS)
    Draft._base_manager.using("owner").filter(pk=draft.pk).update(expires_at=timezone.now() - DAY)
    assert expire_drafts(tenant.pk) == 0
    assert timezone.now() < end_of(tenant, draft) <= timezone.now() + DAYS * DAY


def test_a_run_that_is_followed_by_another_worker_tells_of_a_store_once(tenant, monkeypatch) -> None:
    old = aged(tenant, Store.EXPORTS, MAKERS[Store.EXPORTS](tenant), DAYS + 1)
    set_days(tenant, Store.EXPORTS, DAYS)
    set_days(tenant, Store.AUDIT_EXPORTS, DAYS)
    real, calls = StorePass._tell, []

    def dies(self, term_id):
        calls.append(term_id)
        if len(calls) == 2:
            raise OSError("the worker loses its disk")
        real(self, term_id)

    monkeypatch.setattr(StorePass, "_tell", dies)
    with pytest.raises(OSError, match="disk"):
        run_now(tenant)
    monkeypatch.undo()
    run = run_now(tenant)
    run_retention(tenant.pk, run.pk)
    with acting(tenant):
        steps = dict(RetentionStoreStep.objects.filter(run=run).values_list("store", "ended"))
        assert AuditEvent.objects.filter(type="data.export.expired").count() == 1
        assert set(StoreTerm.objects.values_list("ended", "shortened")) == {(0, 0)}
    assert steps == {"audit_exports": 0, "exports": 1}
    assert not stands(tenant, Store.EXPORTS, old)


def test_another_organization_is_not_touched(tenant, rival) -> None:
    theirs = aged(rival, Store.EXPORTS, MAKERS[Store.EXPORTS](rival), DAYS + 1)
    before = end_of(rival, theirs)
    set_days(tenant, Store.EXPORTS, DAYS)
    run_now(tenant)
    assert (stands(rival, Store.EXPORTS, theirs), end_of(rival, theirs)) == (True, before)


def test_a_scope_of_tokens_goes_on_under_a_term(tenant) -> None:
    dataset = make_dataset(tenant)
    set_days(tenant, Store.TOKENS, DAYS)
    privacy = someone(tenant, "privacy_officer")
    with acting(tenant, privacy):
        first = tokenize_values(TokenScope(dataset.pk, PURPOSE), ["Grace Hopper"])
    run_now(tenant)
    with acting(tenant, privacy):
        assert tokenize_values(TokenScope(dataset.pk, PURPOSE), ["Grace Hopper"]) == first
        ends = Token.objects.values_list("expires_at", flat=True).get()
    assert timezone.now() < ends <= timezone.now() + DAYS * DAY
