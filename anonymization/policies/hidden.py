"""Fields that an access policy hides whatever else is shown, under whatever spelling and however deep they stand."""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from anonymization.findings import unescape_token
from anonymization.operators.base import Keys
from anonymization.operators.strategy import Strategy, make_strategy
from anonymization.policies.compiled import CompiledPolicy
from anonymization.policies.document import Match, Rule, read_document
from anonymization.policies.schema import FORMAT, KEEP

_RULE: Final = Rule(Match(), "redact", {}, whole_field=True)
_PLAIN: Final = re.compile(r"[^\w]|_")
_INDEX: Final = re.compile(r"[0-9]+")


@dataclass
class HiddenFields(CompiledPolicy):
    """Cuts out whole fields and leaves everything else to the others.

    A name hides every member of that name, at any depth, with everything below it. A pointer hides one place; steps
    into lists need not be written. Case, hyphens and underscores make no difference in either.
    """

    names: frozenset[str] = frozenset()
    places: tuple[tuple[str, ...], ...] = ()
    redact: Strategy = field(kw_only=True)

    @classmethod
    def hiding(cls, fields: Sequence[str], keys: Keys) -> "HiddenFields":
        """``fields`` are names of members, or JSON pointers into the record."""
        document = read_document({"format": FORMAT, "default": {"strategy": KEEP}})
        reference = f"mask:{','.join(fields)}"
        return cls(
            reference=reference,
            document=replace(document, digest=hashlib.sha256(reference.encode()).digest()),
            default=None,
            rules=(),
            names=frozenset(_plain(one) for one in fields if not one.startswith("/")),
            places=tuple(_steps(one) for one in fields if one.startswith("/")),
            redact=make_strategy("redact", keys=keys),
        )

    @property
    def names_whole_fields(self) -> bool:
        return True

    def _rule_for_all_of(self, pointer: str) -> tuple[Rule, Strategy | None] | None:
        return (_RULE, self.redact) if self._hides(pointer) else None

    def _hides(self, pointer: str) -> bool:
        steps = _steps(pointer)
        if not self.names.isdisjoint(steps):
            return True
        return any(steps[: len(place)] == place for place in self.places)


def _steps(pointer: str) -> tuple[str, ...]:
    """The names on the way, without the places in lists."""
    tokens = [unescape_token(token) for token in pointer.split("/")[1:]]
    return tuple(_plain(token) for token in tokens if not _INDEX.fullmatch(token))


def _plain(name: str) -> str:
    return _PLAIN.sub("", name.casefold()) or name
