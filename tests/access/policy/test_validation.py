"""What is said about a policy before it is saved, and what the readable form writes."""

from typing import Any

import pytest

from access.policy.cedar.schema import schema_text
from access.policy.cedar.validation import Known, Verdict, validate
from access.policy.errors import InvalidPolicyText
from access.policy.form import RuleForm
from tests.access.policy.questions import question

KNOWN = Known(frozenset({"viewer"}), frozenset({"analytics"}), frozenset({"pii", "public"}))
READ = 'action == Action::"record.read"'


def verdict(text: str) -> Verdict:
    return validate("policy:tried@1", text, KNOWN, question("policy.read"))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("permit(principal", "unexpected end"),
        ("permit(principal, action, resource)", "unexpected end"),
        ('permit(principal, action, resource) when { resource.classification == "pii" };', "not found"),
        (f'permit(principal, {READ}, resource) when {{ resource.colour == "red" }};', "not found"),
        (f"permit(principal, {READ}, resource) when {{ resource.classification == 5 }};", "not compatible"),
        ('permit(principal, action == Action::"record.eat", resource);', "unrecognized action"),
        ('permit(principal, action == Action::"user.read", resource is Dataset);', "applicable action"),
        ('@row_limit("5") permit(principal, action == Action::"user.read", resource);', "nothing enforces @row_limit"),
        (f'@k("5") permit(principal, {READ}, resource);', "nothing enforces @k"),
        (f'@consent("fun") permit(principal, {READ}, resource);', "consent to 'fun', and there is no such purpose"),
        (f'@consent("Not a code") permit(principal, {READ}, resource);', "@consent asks for nothing"),
        (f'@consent("analytics") forbid(principal, {READ}, resource);', "a forbid releases nothing"),
        ('@consent("analytics") permit(principal, action == Action::"dataset.update", resource);', "nothing enforces"),
        (f'@shred("x") permit(principal, {READ}, resource);', "@shred asks for nothing that is enforced"),
        (f'@mask("email") forbid(principal, {READ}, resource);', "a forbid releases nothing"),
        (f'permit(principal in Role::"nobody", {READ}, resource);', "there is no role"),
        (f'permit(principal, {READ}, resource) when {{ principal in Role::"nobody" }};', "there is no role"),
        (f'permit(principal, {READ}, resource) when {{ context.purpose == "fun" }};', "there is no purpose"),
        (f'permit(principal, {READ}, resource) when {{ resource.classification == "x" }};', "no classification"),
        (f"permit(principal, {READ}, resource) when {{ false }};", "always false"),
        (f"permit(principal, {READ}, resource) unless {{ true }};", "always false"),
        (
            f'permit(principal, {READ}, resource) when {{ resource.owner == "a" && "b" == resource.owner }};',
            "two things at once",
        ),
        ('permit(principal, action == Action::"policy.manage", resource);', "no action that access policies govern"),
        (
            'forbid(principal, action == Action::"dataset.read", resource) when { resource.classification like "p*" };',
            "lists of datasets",
        ),
        ("x" * 20_001, "at most"),
    ],
)
def test_a_policy_that_cannot_be_used_is_told_why(text: str, says: str) -> None:
    assert any(says in problem.detail for problem in verdict(text).problems)


@pytest.mark.parametrize(
    "text",
    [
        "permit(principal, action, resource);",
        f'forbid(principal, {READ}, resource) unless {{ resource.tags.contains("ok") && context.hour > 5 }};',
        'permit(principal is User in Role::"viewer", action in [Action::"read"], resource is Dataset);',
        f'@anonymize("redact") @audit_level("detailed") permit(principal, {READ}, resource);',
        '@epsilon("0.5") permit(principal, action == Action::"statistics.query", resource);',
        f'@consent("analytics") permit(principal, {READ}, resource);',
        'forbid(principal, action == Action::"dataset.read", resource) unless { resource.consent == "declared" };',
    ],
)
def test_a_policy_that_can_be_used_has_no_problems(text: str) -> None:
    assert verdict(text).is_usable


def test_who_reads_a_policy_is_warned_of_what_it_opens_and_closes() -> None:
    assert any("raw" in one for one in verdict(f"permit(principal, {READ}, resource);").warnings)
    closing = verdict(f'forbid(principal, {READ}, resource) when {{ resource.residency == "us" }};')
    assert any("resource.residency" in one for one in closing.warnings)


def test_the_schema_has_every_action_and_kind_of_principal() -> None:
    text = schema_text()
    for name in ("entity User", "entity Service", "entity Dataset", '"record.read"', '"policy.evaluate"'):
        assert name in text


FORMS = [
    RuleForm("permit", who="role", who_id="viewer", actions=("record.read",), obligations=("anonymize:mask",)),
    RuleForm("permit", who="user", who_id="018f0000-0000-7000-8000-0000000000aa", actions=("read",), own_only=True),
    RuleForm("forbid", actions=("record.read", "export.create"), residencies=("us", "cn"), needs_mfa=True),
    RuleForm("permit", actions=("user.read",), from_hour=8, to_hour=18, workdays_only=True, network="10.0.0.0/8"),
    RuleForm("forbid", classifications=("pii",), tags=("gdpr", "café"), purposes=("analytics",), zone="eu"),
    RuleForm("permit", actions=("record.read",), dataset_id="018f0000-0000-7000-8000-0000000000aa"),
]


@pytest.mark.parametrize("form", FORMS)
def test_the_readable_form_writes_a_policy_that_can_be_used(form: RuleForm) -> None:
    assert verdict(form.as_cedar()).problems == ()
    assert RuleForm.of(form.as_json()) == form


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"who": "role", "who_id": ""}, "who_id"),
        ({"who": "role", "who_id": '" || true'}, "who_id"),
        ({"who": "planet", "who_id": "x"}, "who"),
        ({"actions": ("record.eat",)}, "actions"),
        ({"dataset_id": "x"}, "dataset_id"),
        ({"tags": ('a"b',)}, "tags"),
        ({"tags": ("a\\",)}, "tags"),
        ({"purposes": ("",)}, "purposes"),
        ({"from_hour": 10, "to_hour": 9}, "from_hour"),
        ({"to_hour": 25}, "from_hour"),
        ({"network": "10.0.0.0/99"}, "network"),
        ({"zone": "a b"}, "zone"),
    ],
)
def test_the_readable_form_names_the_member_that_cannot_be_meant(changed: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidPolicyText) as refused:
        RuleForm(**{"effect": "permit", **changed}).as_cedar()
    assert [problem.field for problem in refused.value.errors] == [field]
