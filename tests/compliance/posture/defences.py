"""Every defence that a probe tries, and how to switch it off and on again."""

import hashlib
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.hashes import SHA512
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand
from django.conf import settings
from django.db.models import Q
from django.db.models.functions import Now
from django.test import override_settings
from django.utils import timezone

from access import selectors
from access.auth import access_tokens
from access.factors import totp
from access.limits.limiter import Limiter, Verdict
from access.models import EncryptionKey, Tenant, TotpDevice, User
from access.models import lease as leases
from access.services import access_requests, break_glass, clock, keyring, prove, throttle
from access.services import authorize as decisions
from anonymization.services import texts
from anonymization.services.anonymizer import Anonymizer
from anonymization.tokens import ff1
from audit.alerts import open as alerts
from compliance.backup.repository import Repository
from compliance.backup.sealed_files import Written
from compliance.consents import source
from compliance.incidents import clocks as incident_clocks
from compliance.models import ConsentKey
from compliance.retention import evaluate
from datasets.services import consent, places, preconditions, purge
from datasets.services.drafts import scan
from datasets.services.exports import download as export_download
from datasets.services.exports import request as export_request
from datasets.services.keeping import refuse_kept
from datasets.services.keys import DatasetKeys
from datasets.services.places import Place
from tests.audit.proofs.logs import event_at, tamper
from tests.factories.access import acting
from tests.factories.backup import copy_into, new_place
from tests.factories.leases import person
from tests.isolation.rows import connect
from vaultsite.kernel import outgoing
from vaultsite.kernel.crypto import aead
from vaultsite.kernel.crypto.aead import Sealed, object_key
from vaultsite.kernel.events.buffer import EventBuffer
from vaultsite.kernel.events.event import Event
from vaultsite.kernel.regions import parse_regions

Patch = pytest.MonkeyPatch
Defence = Callable[[Tenant, Patch], Any]


def _owner(statement: str) -> None:
    with connect("vault_owner") as connection:
        connection.execute(statement)


@contextmanager
def _statements(off: str, on: str) -> Iterator[None]:
    _owner(off)
    try:
        yield
    finally:
        _owner(on)


def _by(off: str, on: str) -> Defence:
    return lambda _tenant, _patch: _statements(off, on)


def _setting(where: Any, name: str, value: Any) -> Defence:
    @contextmanager
    def switched(_tenant: Tenant, patch: Patch) -> Iterator[None]:
        with patch.context() as inner:
            inner.setattr(where, name, value)
            yield

    return switched


class _Anywhere:
    """A rule of transfers that nothing has to be covered for."""

    def require_cover(self, shipment: object) -> None:
        pass


def _within_borders(where: Any, name: str) -> Defence:
    """The vault stands in a region with countries, and whoever asks ``where`` for the rule gets a lax one."""

    @contextmanager
    def switched(_tenant: Tenant, patch: Patch) -> Iterator[None]:
        with patch.context() as inner:
            inner.setitem(settings.VAULT, "REGIONS", BORDERED)
            inner.setattr(where, name, _Anywhere)
            yield

    return switched


class _Lenient:
    """A policy engine with one rule too many: everybody may destroy keys."""

    def __init__(self, engine: Any) -> None:
        self._engine = engine

    def decide(self, question: Any, *given: Any, **named: Any) -> Any:
        answer = self._engine.decide(question, *given, **named)
        return replace(answer, is_allowed=True) if question.action == "key.destroy" else answer


@contextmanager
def _person_without_factor(tenant: Tenant, _patch: Patch) -> Iterator[None]:
    bare = person(tenant, "tenant_admin")
    try:
        yield
    finally:
        with acting(tenant):
            User.objects.filter(pk=bare.id).update(is_active=False)


@contextmanager
def _weak_hashes(_tenant: Tenant, _patch: Patch) -> Iterator[None]:
    with override_settings(PASSWORD_HASHERS=["django.contrib.auth.hashers.PBKDF2PasswordHasher"]):
        yield


@contextmanager
def _old_key(tenant: Tenant, _patch: Patch) -> Iterator[None]:
    keys = EncryptionKey._base_manager.using("owner").filter(tenant_id=tenant.pk, purpose="platform", state="active")
    before = keys.get().expires_at
    keys.update(expires_at=timezone.now() - timedelta(days=2))
    try:
        yield
    finally:
        keys.update(expires_at=before)


@contextmanager
def _changed_event(tenant: Tenant, _patch: Patch) -> Iterator[None]:
    event_id = event_at(tenant.pk, 2)
    tamper("UPDATE audit_event SET body = body || ' '::bytea WHERE id = %s", event_id)
    try:
        yield
    finally:
        tamper("UPDATE audit_event SET body = substr(body, 1, length(body) - 1) WHERE id = %s", event_id)


@contextmanager
def _stopped_sealer(_tenant: Tenant, patch: Patch) -> Iterator[None]:
    """What the sealer has not taken yet counts as late at once."""
    with patch.context() as inner:
        inner.setitem(settings.VAULT, "AUDIT_LATE_SECONDS", -60)
        yield


@contextmanager
def _lossy_backup(tenant: Tenant, patch: Patch) -> Iterator[None]:
    """Whatever writes a backup loses the end of each object, and does not notice."""
    with tempfile.TemporaryDirectory() as folder, patch.context() as inner:
        place = new_place(Path(folder))
        inner.setattr(settings, "BACKUP_FOLDER", place.folder)
        inner.setattr(settings, "BACKUP_KEY_FILE", place.key_file)
        write = Repository.write

        def lossy(repository: Repository, name: str, pieces: Iterable[bytes]) -> Written:
            whole = b"".join(pieces)
            written = write(repository, name, [whole[:-1] if name.startswith("objects/") else whole])
            return replace(written, size=len(whole), sha256=hashlib.sha256(whole).hexdigest())

        inner.setattr(Repository, "write", lossy)
        copy_into(place.open(), tenant, b"an object of a probe's backup")
        yield


@contextmanager
def _one_person_is_enough(_tenant: Tenant, patch: Patch) -> Iterator[None]:
    """Emergency access is confirmed by whoever called for it: neither the service nor the table minds."""
    name = "access_breakglass_two_people"
    with connect("vault_owner") as connection:
        found = "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = %s"
        (definition,) = connection.execute(found, [name]).fetchone() or ("",)
    off = f"ALTER TABLE access_breakglass DROP CONSTRAINT {name}"
    on = f"ALTER TABLE access_breakglass ADD CONSTRAINT {name} {definition}"
    with _statements(off, on), patch.context() as inner:
        inner.setattr(break_glass, "require_other_person", lambda *_: None)
        yield


def _opened_unchecked(keys: DatasetKeys, kind: str, place: Place, sealed: Sealed) -> bytes:
    """What ``places._opened`` gives, without a look at commitment, tags or length: bare AES in counter mode."""
    key, view = object_key(keys._data_key(place.key_id), place.secret), bytes(sealed)
    start = aead._SALT_END + aead.COMMITMENT_BYTES
    label = aead.LABEL + view[aead.HEADER_BYTES : aead._SALT_END] + view[: aead.HEADER_BYTES]
    size = aead.KEY_BYTES + aead.NONCE_BYTES
    block = HKDFExpand(SHA512(), size, label + keys._context(kind, place.digest).encode()).derive(key.reveal())
    counter = block[aead.KEY_BYTES :] + (2).to_bytes(4, "big")
    cipher = Cipher(algorithms.AES(block[: aead.KEY_BYTES]), modes.CTR(counter)).decryptor()
    return cipher.update(view[start:])[: -aead.TAG_BYTES]


def _spent_twice(device: TotpDevice, step: int) -> bool:
    """``spend_step`` without a look at what was used."""
    return bool(TotpDevice.objects.filter(pk=device.pk).update(last_step=step))


def _hour_ahead() -> Any:
    return Now() + timedelta(hours=1)


def _whoever_agreed_once(purpose: str) -> Any:
    return ConsentKey.objects.filter(consent__purpose__code=purpose)


#: One region, which has borders: the default store stands in it.
BORDERED: Final = parse_regions({"eu": {"default": True, "countries": ["DE", "FR"]}})
_NO_SUSPICION: Final = {name: replace(kind, suspects_breach=False) for name, kind in alerts.KINDS.items()}
_LENIENT_ENGINE: Final = decisions.policy_engine

#: Probe -> how the defence it tries is switched off.
OFF: Final[Mapping[str, Defence]] = {
    "cross_tenant": _by(
        "ALTER POLICY tenant ON access_lease USING (true)",
        "ALTER POLICY tenant ON access_lease USING (tenant_id = (SELECT vault_tenant()))",
    ),
    "catalog_sweep": _by(
        "ALTER TABLE access_lease NO FORCE ROW LEVEL SECURITY", "ALTER TABLE access_lease FORCE ROW LEVEL SECURITY"
    ),
    "default_deny": _setting(decisions, "policy_engine", lambda: _Lenient(_LENIENT_ENGINE())),
    "expired_lease": _setting(leases, "LIVE_LEASE", Q(revoked_at=None)),
    "two_people": _setting(access_requests, "require_other_person", lambda *_: None),
    "consent_ends": _setting(source, "keys_of_live", _whoever_agreed_once),
    "emergency": _one_person_is_enough,
    "session_idle": _setting(selectors, "IDLE", timedelta(days=1)),
    "unique_id": _by(
        "ALTER TABLE access_user DROP CONSTRAINT access_user_username",
        "ALTER TABLE access_user ADD CONSTRAINT access_user_username UNIQUE (tenant_id, username)",
    ),
    "factor_replay": _setting(prove, "spend_step", _spent_twice),
    "privileged_mfa": _person_without_factor,
    "passwords": _weak_hashes,
    "guessing": _setting(throttle.Brake, "lock_after", lambda *_: None),
    "forged_token": _setting(access_tokens, "_require_time", lambda *_: None),
    "rate_limit": _setting(Limiter, "take", lambda *_: Verdict(())),
    "cipher_vectors": _setting(ff1, "_ROUNDS", 8),
    "sealed_writer": _setting(scan, "detect_records", lambda records: [[] for _ in records]),
    "tampered_chunk": _setting(places, "_opened", _opened_unchecked),
    "revoked_key": _setting(keyring, "forget_tenant_on_commit", lambda: None),
    "key_age": _old_key,
    "held_delete": _setting(preconditions, "BEFORE", {**preconditions.BEFORE, "delete": (refuse_kept,)}),
    "retention_due": _setting(evaluate, "_due", lambda _: evaluate._NEVER),
    "purge_destroys": _setting(purge, "destroy_keys", lambda _: 0),
    "detection": _setting(texts, "findings_of_text", lambda *_, **__: []),
    "masked_card": _setting(Anonymizer, "show_own", lambda _, record, *__, **___: record),
    "audit_verify": _changed_event,
    "audit_append_only": _by("GRANT UPDATE ON audit_event TO vault_app", "REVOKE UPDATE ON audit_event FROM vault_app"),
    "audit_unsealed": _stopped_sealer,
    "audit_fields": _setting(EventBuffer, "primary_after", lambda *_: None),
    "residency": _setting(places, "require_store", lambda *_: None),
    "clocks": _setting(clock, "Now", _hour_ahead),
    "breach_alarm": _setting(alerts, "KINDS", _NO_SUSPICION),
    "incident_clock": _setting(incident_clocks, "AUTHORITY_HOURS", 240),
    "private_webhook": _setting(outgoing, "_is_public", lambda _: True),
    "outgoing_tls": _setting(outgoing, "_is_allowed_loopback", lambda _: True),
    "restore_drill": _lossy_backup,
}
#: Further defences of some of them, each on its own.
MORE: Final[Sequence[tuple[str, Defence]]] = (
    ("emergency", _setting(break_glass, "_loud", lambda kind, _, resource, __: Event(kind, "update", resource))),
    ("factor_replay", _setting(totp, "TOLERANCE", 50)),
    ("factor_replay", _setting(prove, "spend_recovery_code", lambda *_: True)),
    ("consent_ends", _setting(decisions, "CONSENTED", frozenset())),
    ("consent_ends", _setting(consent, "consents_asked", lambda _: ())),
    ("residency", _within_borders(export_request, "transfer_rule")),
    ("residency", _within_borders(export_download, "transfer_rule")),
)
