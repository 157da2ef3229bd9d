"""How long one organization keeps what its stores hold: asked by stores, answered by the app that knows policies."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID

from django.conf import settings
from django.utils import timezone

#: The setting that says for how many days a store keeps what no policy shortens; tokens end as their makers say.
_USUAL: Final[Mapping[str, str]] = {
    "exports": "EXPORT_DAYS",
    "analytics": "EXPORT_DAYS",
    "audit_exports": "EXPORT_DAYS",
    "drafts": "DRAFT_DAYS",
}


class Store(StrEnum):
    """What ends by a term of its own, beside the datasets."""

    EXPORTS = "exports"
    ANALYTICS = "analytics"
    AUDIT_EXPORTS = "audit_exports"
    DRAFTS = "drafts"
    TOKENS = "tokens"

    @property
    def usual_days(self) -> int | None:
        """What the vault's settings say; None: no setting does."""
        name = _USUAL.get(self.value)
        return None if name is None else int(getattr(settings, name))

    @property
    def setting(self) -> str:
        """The variable that says so; empty: none does."""
        name = _USUAL.get(self.value)
        return f"VAULT_{name}" if name else ""


class TermSource(ABC):
    """Knows the policies over stores."""

    @abstractmethod
    def days_of(self, store: Store) -> int | None:
        """For how many days the organization of the open scope keeps what ``store`` holds; None: as is usual."""

    @abstractmethod
    def tell_ended(self, store: Store, count: int) -> None:
        """So many things of the store ended by their age, in the open scope, which removes them."""

    @abstractmethod
    def keeps_tokens(self, dataset_id: UUID | None) -> bool:
        """Whether a legal hold keeps the tokens of a dataset (None: of the whole organization), in the open scope.

        Until that scope ends no hold comes that would.
        """

    @abstractmethod
    def promises_tokens(self, dataset_id: UUID | None) -> bool:
        """Whether a minimum has what tokens of a dataset (None: of any) stand in kept, in the open scope.

        Then no term ends them. Asked after ``keeps_tokens``, whose locks hold for this as well.
        """


_source: TermSource | None = None


def register_term_source(source: TermSource) -> None:
    """Called once at start-up."""
    global _source  # noqa: PLW0603 - one port, filled once
    _source = source


def term_source() -> TermSource:
    """The source that was registered. Nothing ends without it: no hold known is not the same as none."""
    if _source is None:
        msg = "no TermSource is registered"
        raise RuntimeError(msg)
    return _source


def days_kept(store: Store) -> int:
    """For how many days ``store``, which has a setting, keeps what is made now, in the open scope."""
    usual, asked = store.usual_days, term_source().days_of(store)
    if usual is None:
        msg = f"no setting says how long {store} are kept"
        raise ValueError(msg)
    return usual if asked is None else min(usual, asked)


def end_of_new(store: Store) -> datetime:
    """When what ``store`` holds ends if it is made, or changed, now."""
    return timezone.now() + timedelta(days=days_kept(store))
