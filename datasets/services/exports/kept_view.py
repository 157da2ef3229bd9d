"""By which view an export was made, and whether the same decision would show its reader the same today."""

from collections.abc import Iterable
from functools import partial

from access.services.authorize import Decision, Obligation
from anonymization.errors import ObligationUnmet
from anonymization.services.anonymizer import build_anonymizer
from datasets.errors.exports import ExportOutdated, StricterObligations
from datasets.models import ConsentLink, Export, GuaranteedExport
from datasets.ports import consent_source
from datasets.services.consent import KIND as CONSENT
from datasets.services.consent import consents_asked
from datasets.services.read import declared_fields
from datasets.services.restrictions import KIND as RESTRICTION
from datasets.services.restrictions import is_restricted_since
from datasets.services.row_conditions import KIND
from vaultsite.kernel.jobs import Claim


def decided(export: Export | GuaranteedExport) -> Decision:
    """The decision that was made when the export was asked for."""
    obligations = tuple(Obligation.of(text) for text in export.obligations)
    return Decision(
        "allow_with_conditions" if obligations else "allow",
        obligations,
        reason="decided when the export was asked for",
        policy_ids=tuple(export.policies),
        purpose=export.purpose,
    )


def compared(obligations: Iterable[object]) -> set[str]:
    """What two decisions are told apart by: whom a restriction leaves out changes, and ``require_consents`` looks."""
    return {text for one in obligations if not (text := str(one)).startswith(f"{RESTRICTION}:")}


def keep_view(export: Export | GuaranteedExport, held: Claim, view_hash: bytes) -> None:
    """Write down in the first turn by what records are shown; raises StricterObligations when it is another by now."""
    if export.view_hash is None:
        held.save(view_hash=view_hash)
    elif bytes(export.view_hash) != view_hash:
        raise StricterObligations


def is_shown_so_today(export: Export | GuaranteedExport) -> bool:
    """Whether the same obligations, met today, would show what was written: rules and the schema may have changed."""
    try:
        anonymizer = build_anonymizer(
            [one for one in decided(export).obligations if one.type not in {KIND, CONSENT, RESTRICTION}],
            dataset_id=export.dataset_id,
            purpose=export.purpose,
            declared=partial(declared_fields, export.dataset),
        )
    except ObligationUnmet:
        return False
    return export.view_hash is not None and bytes(export.view_hash) == anonymizer.content_hash


def require_consents(export: Export | GuaranteedExport, today: Decision) -> None:
    """Raises ExportOutdated where somebody who may be in it has withdrawn consent since it was asked for.

    So it does where they restricted the purpose, or the dataset's records were since said to name people otherwise.
    """
    if today.asked(RESTRICTION) and is_restricted_since(export.purpose, export.dataset_id, export.created_at):
        raise ExportOutdated
    purposes = consents_asked(today)
    if not purposes:
        return
    declared = ConsentLink.objects.filter(dataset_id=export.dataset_id, declared_at__gt=export.created_at)
    since = (export.dataset_id, export.created_at)
    if declared.exists() or any(consent_source().is_withdrawn_since(one, *since) for one in purposes):
        raise ExportOutdated
