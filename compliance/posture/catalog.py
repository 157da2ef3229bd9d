"""Every probe there is: what it tries, in words, and the function that does."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final
from uuid import UUID

from compliance.posture.outcome import Outcome
from compliance.posture.probes import (
    audit_append_only,
    audit_fields,
    audit_unsealed,
    audit_verify,
    breach_alarm,
    catalog_sweep,
    cipher_vectors,
    clocks,
    consent_ends,
    cross_tenant,
    default_deny,
    detection,
    emergency,
    expired_lease,
    factor_replay,
    forged_token,
    guessing,
    held_delete,
    incident_clock,
    key_age,
    masked_card,
    outgoing_tls,
    passwords,
    private_webhook,
    privileged_mfa,
    purge_destroys,
    rate_limit,
    residency,
    restore_drill,
    retention_due,
    revoked_key,
    sealed_writer,
    session_idle,
    tampered_chunk,
    two_people,
    unique_id,
)


@dataclass(frozen=True)
class Probe:
    """``tried`` says what is done and what must come of it; ``run`` does it for one tenant, no scope being open."""

    title: str
    tried: str
    run: Callable[[UUID], Outcome]


PROBES: Final[Mapping[str, Probe]] = MappingProxyType(
    {
        "cross_tenant": Probe(
            "Cross-tenant read",
            "Rows of another tenant are planted, then read, changed, removed, taken over and written from this one "
            "with the serving role, and every table is read as a tenant that does not exist. Nothing may come of it.",
            cross_tenant.probe,
        ),
        "catalog_sweep": Probe(
            "Catalog sweep",
            "The database's catalog is searched for tables, views, partitions, functions and roles outside of row- "
            "level security. There may be none.",
            catalog_sweep.probe,
        ),
        "default_deny": Probe(
            "Default deny",
            "Every action is asked for by somebody without a role and by an administrator of another tenant. Each is "
            "refused.",
            default_deny.probe,
        ),
        "expired_lease": Probe(
            "Expired lease read",
            "Records are asked for without a lease, for another purpose, after its end and after it was revoked. Only "
            "the living lease opens.",
            expired_lease.probe,
        ),
        "consent_ends": Probe(
            "Consent that ended",
            "Records of somebody who agreed, of somebody who was not asked, and of the first after they withdrew are "
            "read for a purpose that rests on consent. Only the first is released.",
            consent_ends.probe,
        ),
        "two_people": Probe(
            "Two people",
            "Somebody asks for access and approves it themselves. The approval is refused.",
            two_people.probe,
        ),
        "emergency": Probe(
            "Emergency access",
            "Access in an emergency is called for, confirmed by the caller and by somebody else, used, ended, and "
            "tried again. It takes two people, is told aloud, and is over once it is ended.",
            emergency.probe,
        ),
        "privileged_mfa": Probe(
            "MFA on privileged roles",
            "The rules of sign-in are asked for each mighty role, and who holds one is looked up. Each must have a "
            "second factor.",
            privileged_mfa.probe,
        ),
        "factor_replay": Probe(
            "Codes shown again",
            "Codes of a second factor and a recovery code are shown twice, too late and too early. Each opens once, "
            "in its time.",
            factor_replay.probe,
        ),
        "passwords": Probe(
            "Passwords",
            "A password is hashed and checked, and passwords that can be guessed are offered. Hashes are Argon2id "
            "with a salt, and weak passwords are refused.",
            passwords.probe,
        ),
        "guessing": Probe(
            "Guessing passwords",
            "Wrong passwords are counted for a name that nobody has. The name is locked before the tenth.",
            guessing.probe,
        ),
        "session_idle": Probe(
            "Idle sessions",
            "A session is made and opened after half an hour without use, after its end, and by a key from before it "
            "changed. None of it opens.",
            session_idle.probe,
        ),
        "unique_id": Probe(
            "Unique identity",
            "A name that somebody has is given to another, by the service and past it. Both are refused.",
            unique_id.probe,
        ),
        "forged_token": Probe(
            "Forged tokens",
            "Access tokens that are expired, forged, unsigned, another tenant's or another surface's are shown. None "
            "opens anything.",
            forged_token.probe,
        ),
        "rate_limit": Probe(
            "Rate limit",
            "One request more than a limit allows is made. It is refused.",
            rate_limit.probe,
        ),
        "cipher_vectors": Probe(
            "Known answers of ciphers",
            "Every cipher, hash and signature is given the inputs of its publication. The outputs are the published "
            "ones, and what was changed does not open.",
            cipher_vectors.probe,
        ),
        "sealed_writer": Probe(
            "Canary through a writer",
            "A record with a made-up address is written as everybody writes. The stored row does not show it, the "
            "detectors find it, and a changed or moved row does not open.",
            sealed_writer.probe,
        ),
        "tampered_chunk": Probe(
            "Tampered chunk",
            "A chunk is sealed as everybody's are, then changed, cut off, and taken for another, of another dataset "
            "too. It opens only where it was written, as it was written.",
            tampered_chunk.probe,
        ),
        "residency": Probe(
            "Residency",
            "The stores of objects are compared with the regions of their datasets, an object is asked for in another "
            "store, and a transfer is judged without its safeguard. None is out of place, read or covered.",
            residency.probe,
        ),
        "revoked_key": Probe(
            "Revoked key decrypt",
            "Something is sealed, its key is destroyed, and opening it is tried. It does not open.",
            revoked_key.probe,
        ),
        "key_age": Probe(
            "Key age",
            "The keys that seal now are looked up. None is past its age.",
            key_age.probe,
        ),
        "held_delete": Probe(
            "Held-data delete",
            "A dataset under legal hold is deleted and purged. Both are refused.",
            held_delete.probe,
        ),
        "retention_due": Probe(
            "Retention",
            "A dataset past its period is judged, with and without a minimum, and one within its minimum is deleted. "
            "The first is due, the second is not, the third is refused.",
            retention_due.probe,
        ),
        "purge_destroys": Probe(
            "Deletion for good",
            "A dataset is purged. It is not found again, and its keys are gone.",
            purge_destroys.probe,
        ),
        "detection": Probe(
            "Detection of personal data",
            "A text with made-up personal data of common kinds is redacted. None of it is left.",
            detection.probe,
        ),
        "masked_card": Probe(
            "Masked card numbers",
            "A record with a card number is shown under grants that mask and redact. The digits between the first six "
            "and the last four are in neither.",
            masked_card.probe,
        ),
        "audit_verify": Probe(
            "Audit verify",
            "The audit is recomputed from its stored bytes and compared with every checkpoint and witness. Nothing "
            "was changed, removed or put in.",
            audit_verify.probe,
        ),
        "audit_append_only": Probe(
            "Append-only audit",
            "Events, leaves and checkpoints are changed and removed with the serving role. The database refuses.",
            audit_append_only.probe,
        ),
        "audit_unsealed": Probe(
            "Unsealed audit rows",
            "Events without a place in the log are counted. None waits longer than the sealer takes.",
            audit_unsealed.probe,
        ),
        "audit_fields": Probe(
            "Fields of the audit",
            "Something is done and something is refused, and what the audit says of both is read. Who, what, when, "
            "from where, to which thing and with which result stand there.",
            audit_fields.probe,
        ),
        "clocks": Probe(
            "Clocks",
            "The clocks of the worker, the database and the store of limits are compared, and the newest event is "
            "looked up. They agree within seconds, and nothing is of the future.",
            clocks.probe,
        ),
        "breach_alarm": Probe(
            "Breach alarm",
            "The release of a canary is reported. A critical alert and the event of a suspected breach come of it.",
            breach_alarm.probe,
        ),
        "incident_clock": Probe(
            "Clocks of incidents",
            "An incident is opened, its clocks are read before and after the end the law gives them, and it is closed "
            "too early. They run out in time, and it stays open.",
            incident_clock.probe,
        ),
        "private_webhook": Probe(
            "Webhook to a private address",
            "Webhooks to addresses inside and to the metadata of clouds are made and called. Both are refused.",
            private_webhook.probe,
        ),
        "outgoing_tls": Probe(
            "Outgoing calls in the clear",
            "Calls without TLS are tried, and how certificates are judged is looked up. Nothing leaves in the clear, "
            "and TLS is 1.2 or newer.",
            outgoing_tls.probe,
        ),
        "restore_drill": Probe(
            "Restore drill",
            "The newest drill, a whole restore into an empty second vault, is looked up, and objects of the newest "
            "backup are read where they lie. It passed within 30 days, the backup is of today, and the objects are "
            "whole.",
            restore_drill.probe,
        ),
    }
)
