"""The database itself: nothing is outside row-level security, and the sweep that says so can fail."""

import pytest

from tests.architecture.catalog import TENANT, sweep


def test_every_table_is_as_its_heading_demands(owner):
    assert sweep(owner) == []


@pytest.mark.parametrize("table", sorted(TENANT))
@pytest.mark.parametrize(
    "damage",
    [
        "DROP POLICY tenant ON {table}",
        "DROP POLICY owner ON {table}",
        "ALTER POLICY tenant ON {table} USING (true)",
        "ALTER POLICY tenant ON {table} TO PUBLIC",
        "ALTER POLICY tenant ON {table} WITH CHECK (true)",
        "CREATE POLICY also ON {table} TO vault_app USING (true)",
        "ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY",
        "ALTER TABLE {table} DISABLE ROW LEVEL SECURITY",
        "GRANT TRUNCATE ON {table} TO vault_app",
        "GRANT SELECT ON {table} TO PUBLIC",
        "GRANT SELECT (tenant_id) ON {table} TO PUBLIC",
    ],
)
def test_the_sweep_names_a_damaged_tenant_table(owner, table, damage):
    owner.execute(damage.format(table=table))

    violations = sweep(owner)

    assert violations
    assert all(violation.startswith(table) for violation in violations), violations


@pytest.mark.parametrize(
    ("damage", "named"),
    [
        ("CREATE TABLE forgotten (tenant_id uuid)", "forgotten is under no heading"),
        ("CREATE TABLE forgotten (tenant_id uuid)", "forgotten has no forced row-level security"),
        ("CREATE TABLE forgotten (id int)", "forgotten is under no heading"),
        ("CREATE VIEW peek AS SELECT * FROM datasets_dataset", "peek is a view without security_invoker"),
        ("CREATE MATERIALIZED VIEW copy AS SELECT * FROM datasets_dataset", "copy is a materialized view"),
        ("GRANT SELECT ON audit_event_default TO vault_app", "audit_event_default grants SELECT"),
        ("ALTER TABLE audit_event_default NO FORCE ROW LEVEL SECURITY", "audit_event_default, a partition"),
        ("CREATE POLICY tenant ON audit_event_default TO vault_app USING (true)", "audit_event_default, a partition"),
        ("GRANT SELECT ON ALL SEQUENCES IN SCHEMA public TO vault_app", "audit_outbox_id_seq grants SELECT"),
        ("GRANT INSERT ON django_content_type TO vault_app", "django_content_type grants INSERT"),
        ("CREATE INDEX unled ON datasets_dataset (name)", "unled of datasets_dataset starts with name"),
        ("CREATE UNIQUE INDEX oracle ON datasets_dataset (name, tenant_id)", "oracle of datasets_dataset starts with"),
        ("CREATE INDEX slow ON datasets_ingest USING gin (progress)", "slow of datasets_ingest is a gin index"),
        (
            "ALTER TABLE datasets_branch ADD CONSTRAINT loose FOREIGN KEY (head_id) REFERENCES datasets_version (id)",
            "loose of datasets_branch may point at another tenant's datasets_version",
        ),
        (
            "CREATE FUNCTION lend() RETURNS int LANGUAGE sql SECURITY DEFINER AS 'SELECT 1'",
            "lend() runs with its owner's rights",
        ),
        ("GRANT EXECUTE ON FUNCTION audit_create_partition(date) TO vault_app", "audit_create_partition(date) may be"),
        ("GRANT CREATE ON SCHEMA public TO vault_app", "vault_app may create objects"),
        ("ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO vault_app", "default privileges grant"),
    ],
)
def test_the_sweep_names_what_should_not_be_there(owner, damage, named):
    owner.execute(damage)

    assert any(violation.startswith(named) for violation in sweep(owner)), sweep(owner)
