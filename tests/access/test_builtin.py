"""The matrix of roles and actions, written out once more by hand."""

import pytest

from access.policy.builtin import PERMISSIONS, ROLES, RULES, operator_for, permits

# Columns: list/read datasets, change datasets, delete, read records, write records, rejects, text tools, audit,
# read users, manage users, manage roles, API keys, keys, manage groups, use delegations.
COLUMNS = (
    "dataset.read", "dataset.update", "dataset.delete", "record.read", "record.write", "ingest.rejects.read",
    "pii.detect", "audit.read", "user.read", "user.manage", "role.manage", "apikey.manage", "key.read",
    "group.manage", "delegation.use",
)  # fmt: skip
MATRIX = {
    #                    read upd del rec wri rej pii aud usr man rol api key grp del
    "tenant_admin":     "  x   .   .   x   .   .   x   x   x   x   x   x   x   x   x",
    "data_steward":     "  x   x   x   x   x   x   x   x   .   .   .   .   .   .   x",
    "data_scientist":   "  x   .   .   x   .   .   x   .   .   .   .   .   .   .   x",
    "ml_engineer":      "  x   .   .   x   x   .   x   .   .   .   .   .   .   .   x",
    "analyst":          "  x   .   .   x   .   .   x   .   .   .   .   .   .   .   x",
    "privacy_officer":  "  x   .   .   x   .   x   x   x   x   .   .   .   .   .   x",
    "legal_counsel":    "  x   .   .   x   .   .   .   x   x   .   .   .   .   .   x",
    "security_officer": "  .   .   .   .   .   .   .   x   x   x   .   x   x   x   x",
    "auditor":          "  x   .   .   .   .   .   .   x   x   .   .   .   x   .   x",
    "viewer":           "  x   .   .   .   .   .   .   .   .   .   .   .   .   .   x",
    "service":          "  x   .   .   x   x   .   x   .   .   .   .   .   .   .   x",
    "directory":        "  .   .   .   .   .   .   .   .   .   .   .   .   .   .   .",
}  # fmt: skip
READS = {
    "data_steward": None,
    "privacy_officer": None,
    "tenant_admin": "mask",
    "data_scientist": "mask",
    "ml_engineer": "mask",
    "legal_counsel": "mask",
    "service": "mask",
    "analyst": "redact",
}


def test_the_matrix_names_every_role() -> None:
    assert set(MATRIX) == set(ROLES)


@pytest.mark.parametrize("role", MATRIX)
def test_a_role_permits_exactly_its_row(role: str) -> None:
    expected = {action for action, cell in zip(COLUMNS, MATRIX[role].split(), strict=True) if cell == "x"}
    assert {action for action in COLUMNS if permits(ROLES[role].permissions, action)} == expected


@pytest.mark.parametrize("role", READS)
def test_who_reads_records_sees_them_this_way(role: str) -> None:
    assert operator_for(ROLES[role].permissions) == READS[role]


def test_nobody_else_reads_records() -> None:
    assert {role for role in ROLES if permits(ROLES[role].permissions, "record.read")} == set(READS)


def test_a_second_role_shows_more_only_when_it_reads_raw() -> None:
    analyst, scientist, steward = (ROLES[role].permissions for role in ("analyst", "data_scientist", "data_steward"))
    assert operator_for(analyst | scientist) == "redact"
    assert operator_for(analyst | scientist | steward) is None


def test_roles_hold_only_known_permissions_and_every_permission_is_held() -> None:
    held = frozenset().union(*(role.permissions for role in ROLES.values()))
    assert held == PERMISSIONS


def test_scopes_only_narrow() -> None:
    viewer = ROLES["viewer"].permissions
    assert permits(viewer, "dataset.read", {"dataset.read"})
    assert not permits(viewer, "dataset.list", {"dataset.read"})
    assert not permits(viewer, "record.read", {"record.read"})


def test_an_unknown_action_is_permitted_to_nobody() -> None:
    assert not permits(PERMISSIONS, "dataset.explode")


def test_whatever_releases_record_content_needs_a_purpose() -> None:
    assert {action for action, rule in RULES.items() if rule.needs_purpose} == {
        "analytics.export",
        "ingest.rejects.read",
        "record.read",
        "statistics.query",
        "token.create",
        "token.reveal",
    }
