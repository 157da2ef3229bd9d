"""The evaluation: forbid wins, nothing is allowed without a permit, what is not known never helps."""

from datetime import timedelta
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from access.policy.builtin import PERMISSIONS, READ_MASKED, READ_RAW, READ_REDACTED, RULES, SHOWING, operator_for
from access.policy.cedar.compiled import UNGOVERNED, CompiledPolicies
from access.policy.cedar.evaluation import evaluate
from access.policy.cedar.statement import read_statement
from access.policy.decision import Decision, Obligation
from access.policy.errors import InvalidAnnotation, InvalidPolicyText, ObligationNotEnforced
from access.policy.obligations import as_annotation, read_annotations
from access.ports import HeldGrant
from tests.access.policy.questions import DATASET, NOON, policies, question

NO_POLICIES = CompiledPolicies()
PERMIT_ALL = "permit(principal, action, resource);"


@given(st.frozensets(st.sampled_from(sorted(PERMISSIONS)), max_size=6), st.sampled_from(sorted(RULES)))
def test_without_policies_roles_alone_decide(permissions: frozenset[str], action: str) -> None:
    answer = evaluate(question(action, permissions=tuple(permissions)), NO_POLICIES)
    assert answer.is_allowed is bool(RULES[action].permissions & permissions)
    if answer.is_allowed:
        assert answer.decided_by == (f"builtin:{action}",)
    if answer.is_allowed and action in SHOWING:
        operator = operator_for(permissions)
        assert answer.obligations == ((Obligation("anonymize", operator),) if operator else ())


def test_a_forbid_goes_before_every_permit() -> None:
    asked = question(permissions=(READ_RAW,))
    answer = evaluate(asked, policies(PERMIT_ALL, 'forbid(principal, action == Action::"record.read", resource);'))
    assert (answer.is_allowed, answer.is_forbidden, answer.decided_by) == (False, True, ("policy:p1@1",))


def test_nothing_is_allowed_without_a_permit() -> None:
    assert not evaluate(question(), NO_POLICIES).is_allowed
    assert not evaluate(question(), policies('permit(principal in Role::"other", action, resource);')).is_allowed


@pytest.mark.parametrize(
    "condition",
    [
        'resource.residency == "eu"',
        'resource.tags.contains("gdpr")',
        'resource.consent == "given"',
        'resource.owner == "somebody"',
        'principal.department == "research"',
        'principal.clearance == "high"',
        "principal.auth_age < 600",
        'context.zone == "eu"',
        'context.ip.isInRange(ip("10.0.0.0/8"))',
    ],
)
def test_what_is_not_known_permits_nothing_and_forbids(condition: str) -> None:
    """T21: a missing attribute is never good for anybody."""
    asked = question(permissions=(READ_RAW,))
    permitted = evaluate(
        question(), policies(f"permit(principal, action, resource is Dataset) when {{ {condition} }};")
    )
    assert not permitted.is_allowed
    forbidden = evaluate(asked, policies(f"forbid(principal, action, resource is Dataset) when {{ {condition} }};"))
    assert (forbidden.is_allowed, forbidden.failed) == (False, ("policy:p0@1",))


@pytest.mark.parametrize("value", [float("nan"), 10**30, ["research"], {"x": 1}, True, None, "x" * 1_000_000])
def test_an_attribute_of_the_wrong_type_or_size_helps_nobody(value: object) -> None:
    """T21: whatever stands where a text should be."""
    asked = question(subject={"attributes": {"department": value}})
    policy = 'permit(principal, action, resource) when { principal.department == "research" };'
    assert not evaluate(asked, policies(policy)).is_allowed
    denying = 'forbid(principal, action, resource) when { principal.department.contains("research") };'
    with_role = question(permissions=(READ_RAW,), subject={"attributes": {"department": 5}})
    assert not evaluate(with_role, policies(denying)).is_allowed


def test_conditions_on_time_address_zone_and_second_factor_hold() -> None:
    text = (
        "permit(principal, action, resource) when { principal.mfa && principal.auth_age < 600 && context.hour == 12 &&"
        ' context.weekday == 3 && context.zone == "eu" && context.ip.isInRange(ip("10.0.0.0/8")) &&'
        ' context.time < datetime("2026-11-19") };'
    )
    fits = {"subject": {"mfa": True, "auth_age": 5}, "zone": "eu", "ip_address": "10.1.2.3"}
    assert evaluate(question(**fits), policies(text)).is_allowed
    for changed in (
        {"zone": "us"},
        {"ip_address": "11.1.2.3"},
        {"ip_address": "garbage"},
        {"time": NOON + timedelta(hours=1)},
        {"subject": {"mfa": False, "auth_age": 5}},
        {"subject": {"mfa": True, "auth_age": 601}},
    ):
        assert not evaluate(question(**{**fits, **changed}), policies(text)).is_allowed


def test_actions_are_named_one_by_one_or_by_their_group() -> None:
    grouped = policies('permit(principal, action in Action::"read", resource is Dataset);')
    assert evaluate(question("version.read"), grouped).is_allowed
    assert not evaluate(question("dataset.delete"), grouped).is_allowed


def test_obligations_of_a_policy_add_to_those_of_the_role() -> None:
    text = '@mask("email,/data/ssn") @row_limit("10") permit(principal, action == Action::"record.read", resource);'
    answer = evaluate(question(permissions=(READ_MASKED,)), policies(text))
    assert answer.obligations == (
        Obligation("anonymize", "mask"),
        Obligation("mask", fields=("email", "/data/ssn")),
        Obligation("row_limit", value="10"),
    )
    assert answer.decided_by == ("builtin:record.read", "policy:p0@1")


def test_a_grant_lifts_what_the_role_asks_for_and_brings_its_own() -> None:
    lease = HeldGrant("l", frozenset({"record.read"}), (Obligation("quota", value="l"),), "analytics", None, "lease")
    asked = question(permissions=(READ_REDACTED,), grants=(lease,))
    answer = evaluate(asked, NO_POLICIES)
    assert (answer.decided_by, answer.obligations) == (("lease:l",), (Obligation("quota", value="l"),))


def test_of_a_grant_each_action_hears_what_concerns_it() -> None:
    asked = (Obligation("anonymize", "mask"), Obligation("quota", value="l"), Obligation("epsilon", value="1"))
    lease = HeldGrant("l", frozenset({"record.read", "statistics.query"}), asked, "analytics", None, "lease")
    read = evaluate(question(grants=(lease,)), NO_POLICIES)
    counted = evaluate(question("statistics.query", grants=(lease,)), NO_POLICIES)
    assert [one.type for one in read.obligations] == ["anonymize", "quota"]
    assert [one.type for one in counted.obligations] == ["quota", "epsilon"]


def test_a_role_that_shows_raw_spends_no_lease() -> None:
    lease = HeldGrant("l", frozenset({"record.read"}), (Obligation("quota", value="l"),), None, None, "lease")
    answer = evaluate(question(permissions=(READ_RAW,), grants=(lease,)), NO_POLICIES)
    assert (answer.decided_by, answer.obligations) == (("builtin:record.read",), ())


def test_a_grant_is_for_its_purpose_and_its_actions_alone() -> None:
    lease = HeldGrant("l", frozenset({"record.read"}), (), "analytics", None, "lease")
    assert evaluate(question(grants=(lease,)), NO_POLICIES).is_allowed
    assert not evaluate(question(grants=(lease,), purpose="debugging"), NO_POLICIES).is_allowed
    assert not evaluate(question("dataset.delete", grants=(lease,)), NO_POLICIES).is_allowed


def test_restricted_records_are_raw_or_nothing_and_a_grant_may_show_them() -> None:
    restricted = {"classification": "restricted"}
    assert not evaluate(question(permissions=(READ_MASKED,), **restricted), NO_POLICIES).is_allowed
    assert evaluate(question(permissions=(READ_RAW,), **restricted), NO_POLICIES).is_allowed
    raw = HeldGrant("l", frozenset({"record.read"}), kind="lease")
    masked = HeldGrant("m", frozenset({"record.read"}), (Obligation("anonymize", "mask"),), kind="lease")
    assert evaluate(question(grants=(raw,), **restricted), NO_POLICIES).is_allowed
    assert not evaluate(question(grants=(masked,), **restricted), NO_POLICIES).is_allowed


def test_a_forbid_binds_grants_too() -> None:
    lease = HeldGrant("l", frozenset({"record.read"}), kind="break_glass")
    forbid = f'forbid(principal, action, resource == Dataset::"{DATASET}");'
    assert not evaluate(question(grants=(lease,)), policies(forbid)).is_allowed


def test_no_policy_can_lock_out_those_who_manage_policies() -> None:
    forbid = policies("forbid(principal, action, resource);")
    for action in UNGOVERNED:
        asked = question(action, permissions=tuple(RULES[action].permissions), type="access_policy", dataset_id=None)
        assert evaluate(asked, forbid).is_allowed


def test_what_lies_in_a_dataset_is_reached_by_policies_over_it() -> None:
    forbid = policies(f'forbid(principal, action, resource in Dataset::"{DATASET}");')
    inside = question("token.reveal", permissions=("token.reveal",), type="token", id="t")
    outside = question("token.reveal", permissions=("token.reveal",), type="token", id="t", dataset_id=uuid4())
    assert not evaluate(inside, forbid).is_allowed
    assert evaluate(outside, forbid).is_allowed


def test_slices_hold_only_what_can_matter_and_are_parsed_once() -> None:
    held = policies(
        'permit(principal in Role::"a", action == Action::"record.read", resource);',
        'permit(principal in Role::"b", action == Action::"record.read", resource);',
        'permit(principal, action == Action::"dataset.read", resource);',
    )
    found = held.slice_for("record.read", frozenset({"a", "unnamed"}))
    assert [one for one in found.statements if one.startswith("policy:")] == ["policy:p0@1"]
    assert held.slice_for("record.read", frozenset({"a", "other"})) is found


@pytest.mark.parametrize(
    "annotation",
    [
        '@shred("x")',
        '@filter_rows("")',
        '@quota("l")',
        '@row_limit("0")',
        '@row_limit("-1")',
        '@row_limit("1e3")',
        '@epsilon("0")',
        '@k("many")',
        '@anonymize("")',
        '@anonymize("name@0")',
        '@mask("")',
        '@mask("a b")',
        '@audit_level("loud")',
    ],
)
def test_an_obligation_that_nothing_enforces_cannot_be_written(annotation: str) -> None:
    with pytest.raises(InvalidAnnotation):
        read_statement("policy:x@1", f'{annotation} permit(principal, action == Action::"record.read", resource);')


@pytest.mark.parametrize("text", ["", "permit(", PERMIT_ALL * 2, "permit(principal == ?principal, action, resource);"])
def test_a_text_is_exactly_one_statement(text: str) -> None:
    with pytest.raises(InvalidPolicyText):
        read_statement("policy:x@1", text)


@pytest.mark.parametrize(
    "obligation",
    [
        Obligation("anonymize", "mask"),
        Obligation("anonymize", policy="pii masks@3"),
        Obligation("mask", fields=("a", "/data/b")),
        Obligation("row_limit", value="10"),
        Obligation("epsilon", value="0.5"),
        Obligation("audit_level", value="detailed"),
    ],
)
def test_obligations_are_written_and_read_alike(obligation: Obligation) -> None:
    assert Obligation.of(str(obligation)) == obligation
    name, _, value = as_annotation(obligation)[1:-1].partition("(")
    assert read_annotations({name: value.strip('"')}) == (obligation,)


def test_who_cannot_discharge_an_obligation_treats_it_as_a_denial() -> None:
    decision = Decision("allow_with_conditions", (Obligation("anonymize", "mask"), Obligation("row_limit", value="1")))
    decision.require("anonymize", "row_limit")
    with pytest.raises(ObligationNotEnforced):
        decision.require("anonymize")
    assert decision.asked("row_limit") == (Obligation("row_limit", value="1"),)
