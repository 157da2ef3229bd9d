"""Which records are released where consent is asked for: those whose people have agreed to the purpose.

A record is linked to people by the identifiers that the subject index holds of it, or by the one field that the
dataset's declaration names. Each of them must have agreed; a record that names nobody is left out, unless the
declaration releases it. What is left out is counted, whatever filter the reader has: a count of those that also meet
a filter would tell what is in them.
"""

import time
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import orjson

from access.services.authorize import Decision
from access.services.policies_in_force import policies_in_force
from anonymization.findings import Finding
from datasets.models import ConsentLink, Dataset, SubjectIndexEntry
from datasets.ports import consent_source
from datasets.query.ast import Path, parse_path
from datasets.query.evaluate import MISSING, value_at
from datasets.services.ingest.subjects import subject_key, subject_keys
from datasets.services.keys import DatasetKeys, load_keys
from datasets.tree.record import TreeRecord
from vaultsite.kernel.tenancy.principal import Principal
from vaultsite.kernel.tenancy.scope import tenant_scope

#: The kind of obligation that is met here.
KIND: Final = "consent"
#: How long an answer may be used, in seconds: a withdrawal counts at the next request, and in streams after this.
FRESH_SECONDS: Final = 2.0
#: Records asked about at once.
_PAGE: Final = 2_000
#: Ids kept of the records left out last, to tell those of a page from those of the next.
_KEPT_IDS: Final = 100_000
#: Stands for somebody nobody can tell: keys have 32 bytes, so no consent has this one.
_SOMEBODY: Final = b"?"
#: A record as it stands in one version: its id and nonce.
_Seen = tuple[str, bytes]


@dataclass(frozen=True)
class Link:
    """How records name people: the whole subject index (``subject`` None), or one field."""

    subject: Path | None = None
    subject_type: str = ""
    releases_unlinked: bool = False

    @classmethod
    def of(cls, dataset: Dataset) -> "Link":
        """What is declared of the dataset, in the open scope."""
        row = ConsentLink.objects.filter(dataset_id=dataset.pk).first()
        if row is None:
            return cls()
        return cls(parse_path(row.subject) if row.subject else None, row.subject_type, row.releases_unlinked)


@dataclass
class ConsentGate:
    """Tells the records that purposes release from the others, and counts those. Needs no open scope.

    To each of ``purposes`` everybody in a record must have agreed: to the one it is read for, and to those that access
    policies name beside it.
    """

    purposes: tuple[str, ...]
    keys: DatasetKeys
    link: Link
    _page: list[TreeRecord] = field(default_factory=list)
    _verdicts: dict[_Seen, bool] = field(default_factory=dict)
    _looked_at: float = float("-inf")
    _left_out: int = 0
    _ids: deque[str] = field(default_factory=lambda: deque(maxlen=_KEPT_IDS))

    def look_ahead(self, records: Iterable[TreeRecord]) -> None:
        """Ask about many stored records at once; what is asked about one by one after that costs nothing."""
        self._page = list(records)
        self._look_again()

    def _look_again(self) -> None:
        self._verdicts, self._looked_at = {}, time.monotonic()
        for start in range(0, len(self._page), _PAGE):
            self._look(self._page[start : start + _PAGE])

    def admits(self, record: TreeRecord, findings: Sequence[Finding] = ()) -> bool:
        """Whether the record is released. ``findings``: those of a staged record, which is in no index yet."""
        seen = (record.id, record.nonce)
        if time.monotonic() - self._looked_at > FRESH_SECONDS:
            self._look_again()
        if not record.nonce or seen not in self._verdicts:
            self._look([record], findings)
        is_admitted = self._verdicts[seen]
        if not is_admitted:
            self._left_out += 1
            self._ids.append(record.id)
        return is_admitted

    def again(self) -> "ConsentGate":
        """The same for another pass over the same records, which counts for itself."""
        return ConsentGate(self.purposes, self.keys, self.link)

    def take_count(self, *, until: str | None = None) -> int:
        """How many records were left out since it was asked last, up to the id ``until`` (None: all of them).

        Records are looked at in order of id; those beyond ``until`` are counted the next time.
        """
        beyond = [] if until is None else [one for one in self._ids if one > until]
        counted = self._left_out - len(beyond)
        self._left_out = len(beyond)
        self._ids = deque(beyond, _KEPT_IDS)
        return counted

    def _look(self, records: Sequence[TreeRecord], findings: Sequence[Finding] = ()) -> None:
        with tenant_scope(self.keys.tenant_id, Principal.system(self.keys.tenant_id)):
            people = self._people(records, findings)
            asked = frozenset[bytes]().union(*people.values())
            agreed = self._agreed(asked) if asked else asked
        for seen, named in people.items():
            self._verdicts[seen] = named <= agreed if named else self.link.releases_unlinked

    def _agreed(self, asked: frozenset[bytes]) -> frozenset[bytes]:
        for purpose in self.purposes:
            asked &= consent_source().consented(purpose, asked)
        return asked

    def _people(self, records: Sequence[TreeRecord], findings: Sequence[Finding]) -> dict[_Seen, frozenset[bytes]]:
        if self.link.subject is not None:
            return {(record.id, record.nonce): self._declared(record) for record in records}
        staged = {(record.id, record.nonce): self._found(record, findings) for record in records if not record.nonce}
        return staged | self._indexed([record for record in records if record.nonce])

    def _declared(self, record: TreeRecord) -> frozenset[bytes]:
        assert self.link.subject is not None
        value = value_at(orjson.loads(record.canonical), self.link.subject)
        values = value if isinstance(value, list) else [value]
        return frozenset(self._key(one) for one in values if one is not MISSING and one is not None and one != "")

    def _key(self, value: Any) -> bytes:
        """A list names each of its values; whom an object, a truth value or a list in a list names, nobody can tell."""
        if isinstance(value, bool | dict | list):
            return _SOMEBODY
        return subject_key(self.keys.index, self.link.subject_type, str(value))

    def _found(self, record: TreeRecord, findings: Sequence[Finding]) -> frozenset[bytes]:
        plain: dict[str, Any] = orjson.loads(record.canonical)
        return frozenset(subject_keys(self.keys.index, plain["data"], plain["metadata"], findings))

    def _indexed(self, records: Sequence[TreeRecord]) -> dict[_Seen, frozenset[bytes]]:
        """By leaf: what another version of the same record names is no matter of this one."""
        leaves = {record.leaf: (record.id, record.nonce) for record in records}
        named: dict[_Seen, set[bytes]] = {seen: set() for seen in leaves.values()}
        rows = SubjectIndexEntry.objects.filter(
            dataset_id=self.keys.dataset_id, record_id__in={record.id for record in records}
        )
        for leaf, key in rows.values_list("leaf", "key"):
            seen = leaves.get(bytes(leaf))
            if seen is not None:
                named[seen].add(bytes(key))
        return {seen: frozenset(keys) for seen, keys in named.items()}


def gate_of(decision: Decision, dataset: Dataset) -> ConsentGate | None:
    """What a decision to release records of the dataset asks of them, in the open scope; None: nobody's consent.

    A decision that was made before the purpose came to rest on consent is held to it as well.
    """
    purposes = consents_asked(decision)
    return ConsentGate(purposes, load_keys(dataset.pk), Link.of(dataset)) if purposes else None


def consents_asked(decision: Decision) -> tuple[str, ...]:
    """The purposes to which people must have agreed: those the decision names, and its own if that rests on consent."""
    named = {one.value for one in decision.asked(KIND)}
    if decision.purpose in policies_in_force().consent_purposes:
        named.add(decision.purpose or "")
    return tuple(sorted(named))
