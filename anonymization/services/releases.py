"""The release ledger: what is released about the people of a family is held against all that is still out there.

Recipients are taken to show each other everything they got, unless one is attested not to.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from functools import partial
from typing import Final
from uuid import UUID

import numpy as np
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Now

from access.selectors import hands_of
from access.services.authorize import authorize
from access.services.keyring import KeyPurpose, current_key, open_column, seal_column
from anonymization.models import RecipientAttestation, Release, ReleaseFamily, ReleaseSegment
from anonymization.privacy.errors import (
    InvalidRelease,
    OwnRelease,
    ReleaseNotFound,
    ReleaseWithdrawn,
    ReleaseWouldIsolate,
)
from anonymization.privacy.signatures import Promise, Released, Rows, collect, find_breach, row_type, segments_of
from anonymization.services.reasons import require_reason
from vaultsite.kernel.crypto.keys import SecretKey
from vaultsite.kernel.events.bus import emit
from vaultsite.kernel.events.event import Event, EventType, ResourceRef
from vaultsite.kernel.identifiers import uuid7
from vaultsite.kernel.tenancy.principal import Principal

_SEGMENT: Final = "anonymization.release"


def ledger_key() -> SecretKey:
    """The key under which ``admit`` is told of subjects and values, in the open scope; one a tenant: families merge."""
    return current_key(KeyPurpose.PSEUDONYM).key.derive(b"release-ledger")


def subject_key(key: SecretKey, subject: str) -> bytes:
    """How the ledger names a data subject, given ``ledger_key()``: 16 bytes."""
    return key.mac(b"subject\0" + subject.encode())[:16]


def value_key(key: SecretKey, value: str) -> bytes:
    """How the ledger names a sensitive value (of one column), given ``ledger_key()``: 16 bytes."""
    return key.mac(b"value\0" + value.encode())[:16]


def admit(
    *,
    family_id: UUID,
    recipient: UUID,
    k: int,
    l: int = 1,  # noqa: E741 - the letter of l-diversity
    classes: Iterable[tuple[bytes, bytes, Sequence[bytes]]],
    expires_at: datetime | None = None,
    dataset_id: UUID | None = None,
    version: str = "",
    export_id: UUID | None = None,
) -> Release:
    """Enter a release into the ledger, in the open scope, or raise ReleaseWouldIsolate.

    ``classes`` is streamed once: (subject key of at least 16 bytes, class key of any length, keys of the sensitive
    values, one a sensitive column), one tuple a released row; rows that were dropped are left out. ``l`` is promised of
    every sensitive column. The family stays locked until the scope ends, so that two releases are judged one after the
    other. ``expires_at``: when the recipient must have deleted the copy; None: never. The release stays in the ledger
    beyond that, until somebody else than the recipient attests that it is gone. Raises InvalidRelease, too.
    """
    if k < 1 or l < 1:
        raise InvalidRelease("k and l are at least 1")
    try:
        rows = collect(classes, key=ledger_key().derive(b"classes").reveal())
    except ValueError as exc:
        raise InvalidRelease(str(exc)) from None
    family = _hold(family_id)
    out = list(_told_together(family, recipient))
    mine = Released(Promise(k, l), len(rows), partial(segments_of, rows))
    breach = find_breach([*map(_released, out), mine])
    if breach is not None:
        raise ReleaseWouldIsolate(
            f"Of {breach.guarantee}={breach.required} only {breach.found} would be left",
            guarantee=breach.guarantee,
            required=breach.required,
            subjects_at_risk=breach.subjects,
            releases=len(out),
        )
    return _enter(
        Release(
            id=uuid7(),
            family_id=family.family_id,
            recipient=recipient,
            dataset_id=dataset_id,
            version=version,
            export_id=export_id,
            k=k,
            l_diversity=l,
            subjects=len(rows),
            classes=len(np.unique(rows["group"])),
            value_columns=rows["value"].shape[1],
            expires_at=expires_at,
        ),
        rows,
    )


def live_releases(family_id: UUID) -> QuerySet[Release]:
    """The releases of a family that may still be out there, in the open scope; oldest first.

    A copy that should be gone is one of them: that its time is over deletes nothing at its recipient's.
    """
    return Release.objects.filter(family_id=family_id, withdrawn_at=None).order_by("created_at", "id")


def copies_out() -> QuerySet[Release]:
    """The releases of all families that nobody attested to be gone, in the open scope: first those that should be gone
    longest, last those that may stay for ever.
    """
    return Release.objects.filter(withdrawn_at=None).order_by(F("expires_at").asc(nulls_last=True), "id")


def held_against(release: Release) -> QuerySet[Release]:
    """The live releases that one just admitted was held against, in the same open scope."""
    return _told_together(_hold(release.family_id), release.recipient).exclude(pk=release.pk)


def known_releases(*, after: UUID | None, limit: int) -> list[Release]:
    """Releases of all families, newest first, from the one after the id ``after`` on."""
    rows = Release.objects.order_by("-id")
    return list((rows.filter(pk__lt=after) if after else rows)[:limit])


def withdraw(release: Release, *, reason: str, withdrawn_by: UUID) -> Release:
    """Take a release out of the ledger, in the open scope: somebody attests that every copy was deleted.

    Raises ReleaseWithdrawn.
    """
    _hold(release.family_id)
    changed = Release.objects.filter(pk=release.pk, withdrawn_at=None).update(
        withdrawn_at=Now(), withdrawn_by=withdrawn_by, withdrawal_reason=reason
    )
    if not changed:
        raise ReleaseWithdrawn
    release.segments.all().delete()
    release.refresh_from_db()
    emit(_fact(EventType.RELEASE_WITHDRAWN, release, why=reason))
    return release


def withdraw_release(principal: Principal, *, release_id: UUID, reason: str) -> Release:
    """Attest that every copy of a release was deleted: nothing is held against it any more.

    Raises AccessDenied, ReasonMissing, PersonalDataInName, ReleaseNotFound, OwnRelease, ReleaseWithdrawn.
    """
    authorize(principal, "release.manage", ResourceRef(type="release", id=str(release_id)))
    reason = require_reason(reason)
    release = Release.objects.filter(pk=release_id).first()
    if release is None:
        raise ReleaseNotFound
    _require_another(principal, release.recipient)
    return withdraw(release, reason=reason, withdrawn_by=principal.id)


def report_deleted(release: Release) -> None:
    """The recipient says that it has deleted its copies, in the open scope. The release stays in the ledger: that it
    may leave is for somebody else to attest.
    """
    if Release.objects.filter(pk=release.pk, reported_at=None, withdrawn_at=None).update(reported_at=Now()):
        emit(_fact(EventType.RELEASE_REPORTED, release))


def _require_another(principal: Principal, recipient: UUID) -> None:
    """Whoever got a copy, by an own API key or in person, attests nothing about it. Raises OwnRelease."""
    if hands_of(principal.id) & hands_of(recipient):
        raise OwnRelease


def attest_recipient(
    principal: Principal, *, recipient: UUID, reason: str, expires_at: datetime | None = None
) -> RecipientAttestation:
    """Attest that a recipient shares nothing with others; takes the place of an earlier attestation.

    What it gets is then held against its own releases alone, and not against what others get. Raises AccessDenied,
    ReasonMissing, PersonalDataInName, OwnRelease.
    """
    authorize(principal, "release.manage", ResourceRef(type="recipient", id=str(recipient)))
    reason = require_reason(reason)
    _require_another(principal, recipient)
    _attestations(recipient).update(revoked_at=Now())
    row = RecipientAttestation.objects.create(
        recipient=recipient, reason=reason, attested_by=principal.id, expires_at=expires_at
    )
    emit(_attested(recipient, is_attested=True, why=reason))
    return row


def revoke_attestation(principal: Principal, *, recipient: UUID, reason: str) -> None:
    """From now on the recipient is taken to share again, what it got before included.

    Raises AccessDenied, ReasonMissing, PersonalDataInName.
    """
    authorize(principal, "release.manage", ResourceRef(type="recipient", id=str(recipient)))
    reason = require_reason(reason)
    _attestations(recipient).update(revoked_at=Now())
    emit(_attested(recipient, is_attested=False, why=reason))


def attested_recipients() -> QuerySet[RecipientAttestation]:
    """The attestations that hold now, in the open scope."""
    return RecipientAttestation.objects.filter(Q(expires_at=None) | Q(expires_at__gt=Now()), revoked_at=None)


def merge_releases(kept: UUID, gone: UUID) -> None:
    """The releases of two families that turned out to be one, in the open scope; they are ``kept``'s from now on.

    Releases that together break a promise stay out there; until one is withdrawn or has expired, none is added.
    """
    one, other = sorted((_hold(kept), _hold(gone)), key=lambda family: family.family_id != kept)
    if one.pk == other.pk:
        return
    Release.objects.filter(family_id=other.family_id).update(family_id=one.family_id)
    ReleaseFamily.objects.filter(pk=other.pk).update(merged_into=one.family_id)


def _hold(family_id: UUID) -> ReleaseFamily:
    """The row of a family, locked until the scope ends; of a family that became part of another, the other's."""
    ReleaseFamily.objects.get_or_create(family_id=family_id)
    family = ReleaseFamily.objects.select_for_update().get(family_id=family_id)
    return family if family.merged_into is None else _hold(family.merged_into)


def _told_together(family: ReleaseFamily, recipient: UUID) -> QuerySet[Release]:
    """The live releases that whoever gets one for ``recipient`` may have beside it."""
    live = live_releases(family.family_id)
    apart = set(attested_recipients().values_list("recipient", flat=True))
    return live.filter(recipient=recipient) if recipient in apart else live.exclude(recipient__in=apart)


def _released(release: Release) -> Released:
    return Released(Promise(release.k, release.l_diversity), release.subjects, partial(_segments, release))


def _segments(release: Release) -> Iterator[Rows]:
    """One at a time, so that as many releases as there are can be joined."""
    for number in range(release.segments.count()):
        sealed = release.segments.values_list("sealed", flat=True).get(number=number)
        yield np.frombuffer(open_column(_SEGMENT, _place(release, number), sealed), row_type(release.value_columns))


def _enter(release: Release, rows: Rows) -> Release:
    release.save(force_insert=True)
    for number, segment in enumerate(segments_of(rows)):
        sealed = seal_column(_SEGMENT, _place(release, number), segment.tobytes())
        ReleaseSegment.objects.create(release=release, number=number, sealed=sealed)
    emit(_fact(EventType.RELEASE_ADMITTED, release, k=release.k, l=release.l_diversity, subjects=release.subjects))
    return release


def _place(release: Release, number: int) -> bytes:
    return release.pk.bytes + number.to_bytes(4, "big")


def _fact(kind: EventType, release: Release, **facts: object) -> Event:
    resource = ResourceRef(type="release", id=str(release.pk), dataset_id=release.dataset_id, version=release.version)
    metadata = {"family": str(release.family_id), "recipient": str(release.recipient), **facts}
    return Event(type=kind, operation="update", resource=resource, metadata=metadata)


def _attested(recipient: UUID, **facts: object) -> Event:
    resource = ResourceRef(type="recipient", id=str(recipient))
    return Event(type=EventType.RECIPIENT_ATTESTED, operation="update", resource=resource, metadata=facts)


def _attestations(recipient: UUID) -> QuerySet[RecipientAttestation]:
    return RecipientAttestation.objects.filter(recipient=recipient, revoked_at=None)
