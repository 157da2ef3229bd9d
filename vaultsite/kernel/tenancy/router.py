"""Sends statements inside durable_effect() to the second connection."""

from typing import Any

from vaultsite.kernel.tenancy.scope import active_alias


class ScopeRouter:
    """Every model lives in one database; the alias says which connection and role serves it."""

    def db_for_read(self, model: Any, **hints: Any) -> str | None:
        return self._alias(hints)

    def db_for_write(self, model: Any, **hints: Any) -> str | None:
        return self._alias(hints)

    def allow_relation(self, obj1: Any, obj2: Any, **hints: Any) -> bool:
        return True

    def allow_migrate(self, db: str, app_label: str, **hints: Any) -> bool:
        return db == "owner"

    @staticmethod
    def _alias(hints: dict[str, Any]) -> str | None:
        instance = hints.get("instance")
        if instance is not None and instance._state.db == "system":  # noqa: SLF001 - Django's documented state
            return "system"
        return active_alias()
