"""Row-level security as Django constraints, so that makemigrations writes it and the autodetector guards it."""

from collections.abc import Sequence
from typing import Any, Final

from django.db.backends.ddl_references import Statement, Table
from django.db.models import BaseConstraint

#: Roles of the cluster; created by ``manage.py create_roles``.
OWNER: Final = "vault_owner"
APP: Final = "vault_app"
SYSTEM: Final = "vault_system"

ALL: Final = ("SELECT", "INSERT", "UPDATE", "DELETE")
#: Rows of the current tenant. The scalar sub-select makes PostgreSQL call the function once per statement.
BY_TENANT: Final = "tenant_id = (SELECT vault_tenant())"

_COMMANDS: Final = frozenset(ALL)


def protect_sql(table: str, *, using: str, grants: Sequence[str], system: Sequence[str]) -> list[str]:
    """Statements that put ``table`` (quoted) under row-level security; see RowLevelSecurity for the arguments."""
    unknown = (set(grants) | set(system)) - _COMMANDS
    if unknown:
        msg = f"not a command: {sorted(unknown)}"
        raise ValueError(msg)
    statements = [
        f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY",
        f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY",
        f"CREATE POLICY tenant ON {table} TO {APP} USING ({using}) WITH CHECK ({using})",
        # Under FORCE an owner without a policy sees no rows, and ADD FOREIGN KEY would pass over a violating row.
        f"CREATE POLICY owner ON {table} TO {OWNER} USING (true) WITH CHECK (true)",
        f"REVOKE ALL ON {table} FROM PUBLIC",
    ]
    if grants:
        statements.append(f"GRANT {', '.join(grants)} ON {table} TO {APP}")
    if system:
        statements.append(f"CREATE POLICY system ON {table} TO {SYSTEM} USING (true) WITH CHECK (true)")
        statements.append(f"GRANT {', '.join(system)} ON {table} TO {SYSTEM}")
    return statements


def expose_sql(table: str, *, system: bool) -> list[str]:
    """The reverse of protect_sql."""
    policies = ["tenant", "owner", *(["system"] if system else [])]
    return [
        f"REVOKE ALL ON {table} FROM {APP}, {SYSTEM}",
        *(f"DROP POLICY {policy} ON {table}" for policy in policies),
        f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY",
        f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY",
    ]


class RowLevelSecurity(BaseConstraint):
    """Rows are visible and writable only under their own tenant.

    ``grants`` are the commands the application may use, ``system`` those of vault_system across tenants (jobs, outbox).
    ``using`` replaces the usual condition, for the few tables that find their tenant another way.
    """

    def __init__(
        self,
        *,
        name: str,
        grants: Sequence[str] = ALL,
        system: Sequence[str] = (),
        using: str = BY_TENANT,
    ) -> None:
        super().__init__(name=name)
        self.grants = tuple(grants)
        self.system = tuple(system)
        self.using = using

    def constraint_sql(self, model: Any, schema_editor: Any) -> Any:
        schema_editor.deferred_sql.append(self.create_sql(model, schema_editor))

    def create_sql(self, model: Any, schema_editor: Any) -> Any:
        return self._statement(model, schema_editor, self._protect)

    def remove_sql(self, model: Any, schema_editor: Any) -> Any:
        return self._statement(model, schema_editor, self._expose)

    def _protect(self, table: str) -> list[str]:
        return protect_sql(table, using=self.using, grants=self.grants, system=self.system)

    def _expose(self, table: str) -> list[str]:
        return expose_sql(table, system=bool(self.system))

    @staticmethod
    def _statement(model: Any, schema_editor: Any, make: Any) -> Statement:
        template = "; ".join(make("%(table)s")).replace("%(table)s", "\0").replace("%", "%%").replace("\0", "%(table)s")
        return Statement(template, table=Table(model._meta.db_table, schema_editor.quote_name))  # noqa: SLF001

    def validate(self, *_: Any, **__: Any) -> None:
        """The database judges; there is nothing to check on one instance."""

    def deconstruct(self) -> tuple[str, tuple[()], dict[str, Any]]:
        path, _, kwargs = super().deconstruct()
        if self.grants != ALL:
            kwargs["grants"] = self.grants
        if self.system:
            kwargs["system"] = self.system
        if self.using != BY_TENANT:
            kwargs["using"] = self.using
        return path, (), kwargs

    def __eq__(self, other: object) -> bool:
        return isinstance(other, RowLevelSecurity) and self.deconstruct() == other.deconstruct()

    def __hash__(self) -> int:
        return hash(self.name)
