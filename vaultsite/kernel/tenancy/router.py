"""Sends statements inside durable_effect() to the second connection."""

from typing import Any

from vaultsite.kernel.tenancy.scope import active_alias


class ScopeRouter:
    """Every model lives in one database; the alias says which connection and role serves it."""

    def db_for_read(self, _model: Any, **hints: Any) -> str | None:
        return self._alias(hints)

    def db_for_write(self, _model: Any, **hints: Any) -> str | None:
        return self._alias(hints)

    def allow_relation(self, _obj1: Any, _obj2: Any, **_: Any) -> bool:
        return True

    def allow_migrate(self, db: str, _app_label: str, **_: Any) -> bool:
        return db == "owner"

    @staticmethod
    def _alias(hints: dict[str, Any]) -> str | None:
        instance = hints.get("instance")
        if instance is not None and instance._state.db == "system":  # noqa: SLF001 - Django's documented state
            return "system"
        return active_alias()
