"""Foreign keys that cannot leave their tenant.

PostgreSQL checks foreign keys without row-level security, so a plain key may point at another tenant's row. A composite
key (tenant_id, x_id) -> (tenant_id, id) cannot.
"""

from typing import Any

from django.apps import apps
from django.db import models
from django.db.backends.ddl_references import Statement, Table
from django.db.models import BaseConstraint


class TenantForeignKey(models.ForeignKey):  # type: ignore[type-arg]
    """A relation inside one tenant: the database's promise is the CompositeForeignKey beside it, not this field."""

    def __init__(self, to: Any, on_delete: Any, **kwargs: Any) -> None:
        kwargs["db_constraint"] = False
        kwargs.setdefault("db_index", False)
        kwargs.setdefault("related_name", "+")
        super().__init__(to, on_delete, **kwargs)


class CompositeForeignKey(BaseConstraint):
    """(tenant_id, field) references (tenant_id, id) of ``to``, checked at commit.

    ``on_delete`` is the database's action: ``NO ACTION`` (default) or ``CASCADE``.
    """

    TEMPLATE = (
        "ALTER TABLE %(table)s ADD CONSTRAINT %(name)s FOREIGN KEY (tenant_id, %(column)s) "
        "REFERENCES %(target)s (tenant_id, id) ON DELETE %(action)s DEFERRABLE INITIALLY DEFERRED"
    )

    def __init__(self, *, name: str, field: str, to: str, on_delete: str = "NO ACTION") -> None:
        if on_delete not in {"NO ACTION", "CASCADE"}:
            msg = f"unknown action {on_delete!r}"
            raise ValueError(msg)
        super().__init__(name=name)
        self.field = field
        self.to = to
        self.on_delete = on_delete

    def constraint_sql(self, model: Any, schema_editor: Any) -> Any:
        schema_editor.deferred_sql.append(self.create_sql(model, schema_editor))

    def create_sql(self, model: Any, schema_editor: Any) -> Any:
        state = model._meta.apps  # noqa: SLF001 - the migration's registry, which knows historical tables
        target = state.get_model(self.to)._meta.db_table  # noqa: SLF001
        return Statement(
            self.TEMPLATE,
            table=Table(model._meta.db_table, schema_editor.quote_name),  # noqa: SLF001
            name=schema_editor.quote_name(self.name),
            column=schema_editor.quote_name(model._meta.get_field(self.field).column),  # noqa: SLF001
            target=Table(target, schema_editor.quote_name),
            action=self.on_delete,
        )

    def remove_sql(self, model: Any, schema_editor: Any) -> Any:
        return Statement(
            "ALTER TABLE %(table)s DROP CONSTRAINT %(name)s",
            table=Table(model._meta.db_table, schema_editor.quote_name),  # noqa: SLF001
            name=schema_editor.quote_name(self.name),
        )

    def validate(self, *_: Any, **__: Any) -> None:
        """The database judges at commit."""

    def deconstruct(self) -> tuple[str, tuple[()], dict[str, Any]]:
        path, _, kwargs = super().deconstruct()
        kwargs |= {"field": self.field, "to": self.to}
        if self.on_delete != "NO ACTION":
            kwargs["on_delete"] = self.on_delete
        return path, (), kwargs

    def __eq__(self, other: object) -> bool:
        return isinstance(other, CompositeForeignKey) and self.deconstruct() == other.deconstruct()

    def __hash__(self) -> int:
        return hash(self.name)


def tenant_foreign_keys(model: type[models.Model]) -> list[TenantForeignKey]:
    return [field for field in model._meta.local_fields if isinstance(field, TenantForeignKey)]  # noqa: SLF001


def installed_tenant_models() -> list[type[models.Model]]:
    """Every concrete model with a ``tenant`` field, whichever app it is in."""
    return [
        model
        for model in apps.get_models(include_auto_created=True)
        if any(field.name == "tenant" for field in model._meta.local_fields)  # noqa: SLF001
    ]
