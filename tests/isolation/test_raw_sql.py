"""What the database itself refuses, asked past Django as the serving role."""

from contextlib import contextmanager

import psycopg
import pytest
from psycopg import errors, sql

from tests.architecture.catalog import CLOSED, GLOBAL, TENANT, Catalog
from tests.isolation.rows import ONE_OF, columns_of, connect, insert, make_row, references_of
from vaultsite.kernel.identifiers import uuid7
from vaultsite.kernel.tenancy.rls import APP

TABLES = sorted(TENANT)
#: Tables whose rows the database numbers.
NUMBERED = frozenset({"audit_brokerdelivery", "audit_outbox"})
GARBAGE = ["nonsense", "' OR true --", "00000000-0000-0000-0000", "\N{SNOWMAN}", "*", "%", "null", "{}"]


def set_scope(connection, tenant_id):
    connection.execute("SELECT set_config('vault.tenant_id', %s, true)", [str(tenant_id)])


def granted(table):
    with connect("vault_owner") as connection:
        return {command for role, command in Catalog(connection).grants[table] if role == APP}


def run(connection, template, table, *parameters):
    return connection.execute(sql.SQL(template).format(sql.Identifier(table)), parameters)


def tenants_seen(connection, table):
    return {row[0] for row in run(connection, "SELECT DISTINCT tenant_id FROM {}", table)}


@contextmanager
def refused(*kinds):
    """The statement fails, and as it should."""
    with pytest.raises(psycopg.Error) as failure:
        yield
    assert isinstance(failure.value, kinds), failure.value


@pytest.mark.parametrize("table", TABLES)
def test_both_tenants_have_rows_to_be_kept_apart(owner, populated, table):
    """Else the tests below would pass over empty tables."""
    assert {tenant.id for tenant in populated} <= tenants_seen(owner, table)


@pytest.mark.parametrize("table", TABLES)
def test_without_a_scope_no_row_is_seen_or_touched(app, populated, table):
    for command, template in READING_WRITING.items():
        with app.transaction(force_rollback=True):
            if command in granted(table):
                assert run(app, template, table).rowcount == 0, command
            else:
                with refused(errors.InsufficientPrivilege):
                    run(app, template, table)


#: One statement a command that would touch every visible row.
READING_WRITING = {
    "SELECT": "SELECT 1 FROM {}",
    "UPDATE": "UPDATE {} SET tenant_id = tenant_id",
    "DELETE": "DELETE FROM {}",
}


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("scope", ["none", "rival"])
def test_a_row_of_another_scope_cannot_be_inserted(app, owner, populated, table, scope):
    a, b = populated
    row = make_row(owner, table, a.id, a.rows)
    if scope == "rival":
        set_scope(app, b.id)
    with refused(errors.InsufficientPrivilege):
        insert(app, table, row)


@pytest.mark.parametrize("table", TABLES)
def test_a_scope_sees_its_own_rows_and_no_other(app, owner, a, b, table):
    set_scope(app, a.id)
    if "SELECT" not in granted(table):
        with refused(errors.InsufficientPrivilege):
            tenants_seen(app, table)
        return
    assert tenants_seen(app, table) == {a.id}
    assert run(app, "SELECT 1 FROM {} WHERE tenant_id = %s", table, b.id).rowcount == 0
    has_id = "id" in {name for name, *_ in columns_of(owner, table)}
    if has_id and table not in NUMBERED:
        assert run(app, "SELECT 1 FROM {} WHERE id = %s", table, b.rows[table]).rowcount == 0


@pytest.mark.parametrize("table", TABLES)
def test_another_tenants_row_can_be_neither_changed_nor_deleted(app, a, b, table):
    set_scope(app, a.id)
    commands = granted(table)
    for command in {"UPDATE", "DELETE"} & commands:
        with app.transaction(force_rollback=True):
            touched = run(app, READING_WRITING[command] + " WHERE tenant_id = %s", table, b.id).rowcount
            assert touched == 0, command


@pytest.mark.parametrize("table", TABLES)
def test_an_own_row_cannot_be_given_away(app, a, b, table):
    set_scope(app, a.id)
    with refused(errors.InsufficientPrivilege):
        run(app, "UPDATE {} SET tenant_id = %s", table, b.id)


@pytest.mark.parametrize("table", TABLES)
def test_truncating_and_new_objects_are_out_of_reach(app, a, table):
    set_scope(app, a.id)
    for statement in (
        "TRUNCATE {}",
        "CREATE TRIGGER t AFTER INSERT ON {} EXECUTE FUNCTION suppress_redundant_updates_trigger()",
    ):
        with app.transaction(force_rollback=True), refused(errors.InsufficientPrivilege):
            run(app, statement, table)
    for statement in ("ALTER TABLE {} DISABLE ROW LEVEL SECURITY", "DROP POLICY tenant ON {}", "DROP TABLE {}"):
        with app.transaction(force_rollback=True), refused(errors.InsufficientPrivilege):
            run(app, statement, table)


@pytest.mark.parametrize("table", TABLES)
def test_switching_row_security_off_is_an_error_and_no_way_around(app, table):
    app.execute("SET LOCAL row_security = off")
    with refused(errors.InsufficientPrivilege):
        run(app, "SELECT 1 FROM {}", table)


@pytest.mark.parametrize("table", TABLES)
def test_a_foreign_key_cannot_reach_into_another_tenant(app, owner, a, b, table):
    """T09: the composite key refuses what row-level security does not see."""
    for column, target in references_of(owner, table).items():
        others = ONE_OF[table] if column in ONE_OF.get(table, ()) else ()
        row = make_row(owner, table, a.id, a.rows) | dict.fromkeys(others) | {column: b.rows[target]}
        writer = app if "INSERT" in granted(table) else owner
        with writer.transaction(force_rollback=True):
            set_scope(writer, a.id)
            with refused(errors.ForeignKeyViolation), writer.transaction():
                insert(writer, table, row)
                writer.execute("SET CONSTRAINTS ALL IMMEDIATE")


@pytest.mark.parametrize(
    ("table", "names"),
    [
        ("datasets_dataset", ["name"]),
        ("datasets_blob", ["name"]),
        ("access_user", ["username"]),
        ("access_role", ["code"]),
        ("access_purpose", ["code"]),
        ("access_loginthrottle", ["key_hash"]),
        ("access_vaultsession", ["key_hash"]),
    ],
)
def test_a_name_taken_elsewhere_is_free_here(app, owner, populated, table, names):
    """T10: no unique constraint tells what another tenant has."""
    a, b = populated
    columns = sql.SQL(", ").join(map(sql.Identifier, names))
    query = sql.SQL("SELECT {} FROM {} WHERE id = %s").format(columns, sql.Identifier(table))
    taken = dict(zip(names, owner.execute(query, [b.rows[table]]).fetchone(), strict=True))
    set_scope(app, a.id)
    row = make_row(owner, table, a.id, a.rows) | taken
    insert(app, table, row)
    with refused(errors.UniqueViolation):
        insert(app, table, row | {"id": uuid7()})


def test_a_unique_violation_does_not_quote_the_row(app, owner, a):
    set_scope(app, a.id)
    row = make_row(owner, "datasets_dataset", a.id, a.rows) | {"name": "canary-7421"}
    insert(app, "datasets_dataset", row)
    with pytest.raises(errors.UniqueViolation) as failure:
        insert(app, "datasets_dataset", row | {"id": uuid7()})
    assert "canary-7421" not in str(failure.value)


@pytest.mark.parametrize("garbage", GARBAGE)
def test_a_garbage_tenant_is_an_error_and_shows_nothing(app, garbage):
    app.execute("SELECT set_config('vault.tenant_id', %s, true)", [garbage])
    with refused(errors.InvalidTextRepresentation):
        app.execute("SELECT 1 FROM datasets_dataset")


@pytest.mark.parametrize("empty", ["", "00000000-0000-0000-0000-000000000001"])
def test_an_empty_or_unknown_tenant_sees_nothing(app, populated, empty):
    app.execute("SELECT set_config('vault.tenant_id', %s, true)", [empty])
    for table in TABLES:
        if "SELECT" in granted(table):
            assert run(app, "SELECT 1 FROM {}", table).rowcount == 0


def test_a_partition_is_closed_whatever_the_scope(app, owner, a):
    partitions = owner.execute("SELECT relname FROM pg_class WHERE relispartition AND relkind = 'r'").fetchall()
    assert len(partitions) > 12
    set_scope(app, a.id)
    for (partition,) in partitions:
        for statement in ("SELECT 1 FROM {}", "DELETE FROM {}", "INSERT INTO {} DEFAULT VALUES"):
            with app.transaction(force_rollback=True), refused(errors.InsufficientPrivilege):
                run(app, statement, partition)


def test_events_are_read_through_the_parent_alone_and_never_changed(app, a):
    set_scope(app, a.id)
    assert tenants_seen(app, "audit_event") == {a.id}
    for statement in ("UPDATE {} SET status = status", "DELETE FROM {}"):
        with app.transaction(force_rollback=True), refused(errors.InsufficientPrivilege):
            run(app, statement, "audit_event")


def test_the_admin_log_follows_its_user(app, a, b):
    assert run(app, "SELECT 1 FROM {}", "django_admin_log").rowcount == 0
    set_scope(app, a.id)
    assert {user for (user,) in app.execute("SELECT user_id FROM django_admin_log")} == {a.rows["access_user"]}
    with refused(errors.InsufficientPrivilege):
        insert(
            app,
            "django_admin_log",
            {
                "action_time": "now",
                "object_repr": "",
                "action_flag": 1,
                "change_message": "",
                "user_id": b.rows["access_user"],
            },
        )


@pytest.mark.parametrize("table", sorted(CLOSED))
def test_tables_that_know_no_tenant_are_closed(app, a, table):
    set_scope(app, a.id)
    with refused(errors.InsufficientPrivilege):
        run(app, "SELECT 1 FROM {}", table)


@pytest.mark.parametrize("table", sorted(GLOBAL))
def test_global_tables_cannot_be_written(app, a, table):
    set_scope(app, a.id)
    with refused(errors.InsufficientPrivilege):
        run(app, "DELETE FROM {}", table)


def test_a_tenant_sees_itself_alone(app, a, b):
    assert app.execute("SELECT 1 FROM access_tenant").rowcount == 0
    set_scope(app, a.id)
    assert app.execute("SELECT id FROM access_tenant").fetchall() == [(a.id,)]
    with refused(errors.InsufficientPrivilege):
        app.execute("UPDATE access_tenant SET name = 'mine' WHERE id = %s", [b.id])


def test_a_copy_cannot_pass_by(app, b):
    with app.transaction(force_rollback=True), app.cursor().copy("COPY datasets_dataset TO STDOUT") as copy:
        assert list(copy) == []
    with (
        refused(errors.FeatureNotSupported, errors.InsufficientPrivilege),
        app.cursor().copy("COPY datasets_dataset FROM STDIN"),
    ):
        pass


def test_the_system_role_reaches_the_tables_of_its_work_and_no_other(populated):
    with connect("vault_owner") as owner:
        served = {table for table in TABLES if "system" in Catalog(owner).policies[table]}
    assert served >= {"datasets_ingest", "audit_outbox"}
    with connect("vault_system") as system:
        for table in TABLES:
            if table not in served:
                with system.transaction(force_rollback=True), refused(errors.InsufficientPrivilege):
                    run(system, "SELECT 1 FROM {}", table)
