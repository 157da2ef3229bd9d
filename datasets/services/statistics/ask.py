"""Ask for statistics: authorize -> answer given before? -> spend -> compute -> keep the answer -> release."""

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

import orjson

from access.errors import AccessDenied
from access.policy.builtin import READ_RAW, RESTRICTED
from access.services.authorize import Decision, authorize
from access.services.keyring import KeyPurpose, current_key
from access.services.leases import spend_epsilon
from access.services.metering import leases_of
from anonymization.models import BudgetSpend
from anonymization.privacy.errors import TooManyRecords
from anonymization.privacy.opendp import load_opendp
from anonymization.services.budget import spend, store_answer, stored_answer
from datasets.errors import UnmetObligation, VersionNotFound
from datasets.models import Dataset, Version
from datasets.ports import consent_source
from datasets.query import Filter
from datasets.selectors import find_version_or_none, get_dataset, resource_of
from datasets.services.bound_releases import bind_statistics
from datasets.services.consent import KIND as CONSENT
from datasets.services.consent import ConsentGate, gate_of
from datasets.services.families import family_of
from datasets.services.keys import load_keys
from datasets.services.pack_store import PackReader
from datasets.services.restrictions import KIND as RESTRICTION
from datasets.services.restrictions import RestrictionGate, restriction_of
from datasets.services.row_conditions import KIND, joined, rows_released
from datasets.services.statistics.compute import compute
from datasets.services.statistics.request import MAX_RECORDS, StatisticsRequest, refusal
from datasets.services.uses import note_use
from datasets.services.version_quarantine import refuse_quarantined
from vaultsite.kernel.events.bus import emit
from vaultsite.kernel.events.event import Event, EventType
from vaultsite.kernel.tenancy.principal import Principal

#: What the answers say of themselves.
_TERMS: Final = {
    "neighbours": "all records of one subject, added or removed",
    "composition": "basic",
    "noise": "discrete Laplace",
}


@dataclass(frozen=True)
class Asked:
    """A decided and paid request; ``given`` is the answer that was given before, for nothing."""

    dataset: Dataset
    version: Version
    request: StatisticsRequest
    family_id: UUID
    purpose: str
    store: PackReader
    consent: ConsentGate | None = None
    restriction: RestrictionGate | None = None
    spent: BudgetSpend | None = None
    given: bytes | None = None


@dataclass(frozen=True)
class Statistics:
    """An answer, and whether it is the one that was given before."""

    content: dict[str, Any]
    is_repeated: bool


def open_statistics(
    principal: Principal,
    *,
    dataset_id: UUID,
    version: str,
    request: StatisticsRequest,
    purpose: str | None = None,
    most: int = MAX_RECORDS,
) -> Asked:
    """Decide on statistics and spend what they cost, in the open scope. What was spent stays spent.

    ``most``: versions with more records are refused.

    Raises DatasetNotFound, VersionNotFound, AccessDenied, PurposeRequired, UnknownPurpose, InvalidStatistics,
    ReleaseRulesMissing, OutsideReleaseRules, TooManyRecords, PrivacyUnavailable, BudgetExhausted; UnmetObligation or
    QuotaExhausted above what the decision or the lease it rests on lets it cost.
    """
    dataset = get_dataset(principal, dataset_id, action="statistics.query")
    found = find_version_or_none(dataset, version)
    decision = authorize(
        principal,
        "statistics.query",
        resource_of(dataset, found),
        purpose=purpose,
        facts={"queries": request.shape, **request.loss.as_json()},
    )
    if dataset.classification == RESTRICTED and READ_RAW not in principal.permissions:
        raise AccessDenied
    if found is None:
        raise VersionNotFound
    refuse_quarantined(found)
    request = _among_released(decision, bind_statistics(principal, dataset, request))
    _require_within(decision, request)
    _check(found, request, most)
    note_use(dataset, decision.purpose or "")
    family_id = family_of(dataset.pk)
    consent = gate_of(decision, dataset)
    restriction = restriction_of(decision, dataset)
    digest = _digest(found, request, consent, restriction)
    store = PackReader(load_keys(dataset.pk))
    asked = Asked(dataset, found, request, family_id, decision.purpose or "", store, consent, restriction)
    before = stored_answer(family_id, digest)
    if before is not None:
        return _with(asked, given=before[1])
    load_opendp()  # nothing is spent where nothing can be computed
    spent = spend(
        family_id,
        principal.id,
        request.loss.epsilon,
        request.loss.delta,
        query_digest=digest,
        dataset_id=dataset.pk,
        purpose=asked.purpose,
        queries=len(request.queries),
    )
    for lease in leases_of(decision):
        spend_epsilon(lease, request.loss.epsilon)
    return _with(asked, spent=spent)


def _among_released(decision: Decision, request: StatisticsRequest) -> StatisticsRequest:
    """The same questions about the records that the decision releases: to others and to stored answers, other ones."""
    asked, released = request.filter.node, rows_released(decision.obligations).node
    if released is None:
        return request
    return replace(request, filter=Filter(joined([released, asked] if asked else [released])))


def _require_within(decision: Decision, request: StatisticsRequest) -> None:
    """What the decision lets one request cost at most. Raises ObligationNotEnforced, UnmetObligation."""
    decision.require("epsilon", "quota", KIND, CONSENT, RESTRICTION)
    if any(request.loss.epsilon > Decimal(one.value) for one in decision.asked("epsilon")):
        raise UnmetObligation("It costs more epsilon than the decision allows")


def _with(asked: Asked, *, spent: BudgetSpend | None = None, given: bytes | None = None) -> Asked:
    return Asked(**(vars(asked) | {"spent": spent, "given": given}))


def _check(version: Version, request: StatisticsRequest, most: int) -> None:
    """What can be judged by what the version says of itself: its number of records is no secret to its readers."""
    if version.record_count > most:
        raise TooManyRecords(f"At most {most} records")
    for index, query in enumerate(request.queries):
        if query.loss.delta * version.record_count > 1:
            raise refusal(f"/queries/{index}/delta", "at most 1 divided by the number of records")


def _digest(
    version: Version, request: StatisticsRequest, consent: ConsentGate | None, restriction: RestrictionGate | None
) -> bytes:
    """The same for the same queries over the same content; keyed, because filters hold values.

    What was answered for a purpose while somebody agreed to it is not given again once they do not, nor what was
    answered while records were said to name people otherwise.
    """
    key = current_key(KeyPurpose.PSEUDONYM).key.derive(b"statistics")
    content = {"root": bytes(version.root).hex(), "dataset": str(version.dataset_id), **request.as_json()}
    if consent is not None:
        stamps = [[one, consent_source().stamp(one)] for one in consent.purposes]
        content["consent"] = [*stamps, str(consent.link)]
    if restriction is not None:
        content["restriction"] = restriction.stamp()
    return key.mac(orjson.dumps(content, option=orjson.OPT_SORT_KEYS))


def answer(asked: Asked) -> dict[str, Any]:
    """The statistics, with noise. Needs no open scope, and takes long on large versions."""
    if asked.given is not None:
        content: dict[str, Any] = orjson.loads(asked.given)
        return content
    results = compute(asked.store, asked.version, asked.request, consent=asked.consent, restriction=asked.restriction)
    said = {"left_out": left_out} if (left_out := _left_out(asked)) else {}
    privacy = {**asked.request.loss.as_json(), **_TERMS, **said}
    return {"version": asked.version.label, "results": results, "privacy": privacy}


def _left_out(asked: Asked) -> str:
    """Why records may not be counted, in words; how many would tell what the noise hides."""
    gates = ((asked.consent, "records without consent"), (asked.restriction, "records restricted by their people"))
    return ", ".join(words for gate, words in gates if gate is not None)


def release(asked: Asked, content: dict[str, Any]) -> Statistics:
    """Keep the answer before it leaves, in an open scope; what another request answered meanwhile comes instead."""
    if asked.spent is not None:
        store_answer(asked.spent, orjson.dumps(content))
        first = stored_answer(asked.family_id, bytes(asked.spent.query_digest))
        if first is not None and first[0].pk != asked.spent.pk:
            content = orjson.loads(first[1])
    facts: dict[str, Any] = {"queries": len(asked.request.queries), "is_repeated": asked.spent is None}
    gates = ((CONSENT, asked.consent), (RESTRICTION, asked.restriction))
    withheld = {kind: gate.take_count() for kind, gate in gates if gate is not None and asked.given is None}
    if withheld:
        # Told to the audit alone: an exact number beside noisy ones would tell what the noise hides.
        facts["records_withheld"] = withheld
    emit(
        Event(
            type=EventType.ACCESS_COMPLETED,
            operation="read",
            resource=resource_of(asked.dataset, asked.version),
            purpose=asked.purpose,
            metadata=facts,
        )
    )
    return Statistics(content, is_repeated=asked.spent is None)
