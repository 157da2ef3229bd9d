"""Rules of row-level security as a Django constraint."""

import pytest
from django.db import connections

from datasets.models import Dataset
from vaultsite.kernel.tenancy.rls import ALL, BY_TENANT, RowLevelSecurity, expose_sql, protect_sql


def test_a_table_is_forced_before_anybody_gets_a_right():
    statements = protect_sql('"t"', using=BY_TENANT, grants=("SELECT",), system=())
    assert statements[:2] == ['ALTER TABLE "t" ENABLE ROW LEVEL SECURITY', 'ALTER TABLE "t" FORCE ROW LEVEL SECURITY']
    assert statements[-1] == 'GRANT SELECT ON "t" TO vault_app'
    assert f"USING ({BY_TENANT}) WITH CHECK ({BY_TENANT})" in " ".join(statements)


def test_the_condition_asks_for_the_tenant_once_a_statement():
    assert "(SELECT vault_tenant())" in BY_TENANT


def test_without_grants_nobody_but_the_owner_has_a_right():
    statements = protect_sql('"t"', using="false", grants=(), system=())
    assert not [statement for statement in statements if statement.startswith("GRANT")]
    assert 'REVOKE ALL ON "t" FROM PUBLIC' in statements


@pytest.mark.parametrize("command", ["TRUNCATE", "REFERENCES", "TRIGGER", "ALL", "select"])
@pytest.mark.parametrize("who", ["grants", "system"])
def test_only_the_four_commands_can_be_granted(command, who):
    rights = {"grants": (), "system": (), who: (command,)}
    with pytest.raises(ValueError, match="not a command"):
        protect_sql('"t"', using=BY_TENANT, **rights)


@pytest.mark.parametrize("system", [(), ("SELECT",)])
def test_what_is_protected_can_be_exposed_again(vault_database, system):
    """On a table of its own, as the owner, rolled back."""
    with connections["owner"].cursor() as cursor:
        cursor.execute("BEGIN; CREATE TABLE fleeting (tenant_id uuid)")
        try:
            for statement in protect_sql("fleeting", using=BY_TENANT, grants=ALL, system=system):
                cursor.execute(statement)
            cursor.execute("SELECT count(*) FROM pg_policies WHERE tablename = 'fleeting'")
            assert cursor.fetchone() == (2 + len(system),)
            for statement in expose_sql("fleeting", system=bool(system)):
                cursor.execute(statement)
            cursor.execute("SELECT count(*) FROM pg_policies WHERE tablename = 'fleeting'")
            assert cursor.fetchone() == (0,)
            cursor.execute("SELECT relrowsecurity OR relforcerowsecurity FROM pg_class WHERE relname = 'fleeting'")
            assert cursor.fetchone() == (False,)
        finally:
            cursor.execute("ROLLBACK")


@pytest.mark.parametrize(
    "changed", [{}, {"grants": ("SELECT",)}, {"system": ("UPDATE",)}, {"using": "id = (SELECT vault_tenant())"}]
)
def test_a_migration_can_write_it_down_and_read_it_back(changed):
    original = RowLevelSecurity(name="x_rls", **changed)
    path, args, kwargs = original.deconstruct()
    assert path == "vaultsite.kernel.tenancy.rls.RowLevelSecurity"
    assert RowLevelSecurity(*args, **kwargs) == original
    assert (RowLevelSecurity(name="x_rls") == original) is not bool(changed)


def test_percent_signs_of_a_condition_survive():
    rule = RowLevelSecurity(name="x_rls", using="name LIKE 'a%'")
    with connections["owner"].schema_editor(collect_sql=True) as editor:
        assert "USING (name LIKE 'a%')" in str(rule.create_sql(Dataset, editor))
        assert '"datasets_dataset"' in str(rule.create_sql(Dataset, editor))
