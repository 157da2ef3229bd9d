"""Every probe there is: what it tries, in words, and the function that does."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final
from uuid import UUID

from compliance.posture.outcome import Outcome
from compliance.posture.probes import (
    audit_append_only,
    audit_unsealed,
    audit_verify,
    breach_alarm,
    catalog_sweep,
    cipher_vectors,
    cross_tenant,
    default_deny,
    detection,
    expired_lease,
    forged_token,
    guessing,
    held_delete,
    key_age,
    outgoing_tls,
    passwords,
    private_webhook,
    privileged_mfa,
    purge_destroys,
    rate_limit,
    revoked_key,
    sealed_writer,
    two_people,
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
            "The database's catalog is searched for tables, views, partitions, functions and roles outside of "
            "row-level security. There may be none.",
            catalog_sweep.probe,
        ),
        "default_deny": Probe(
            "Default deny",
            "Every action is asked for by somebody without a role and by an administrator of another tenant. "
            "Each is refused.",
            default_deny.probe,
        ),
        "expired_lease": Probe(
            "Expired lease read",
            "Records are asked for without a lease, for another purpose, after its end and after it was revoked. "
            "Only the living lease opens.",
            expired_lease.probe,
        ),
        "two_people": Probe(
            "Two people",
            "Somebody asks for access and approves it themselves. The approval is refused.",
            two_people.probe,
        ),
        "privileged_mfa": Probe(
            "MFA on privileged roles",
            "The rules of sign-in are asked for each mighty role, and who holds one is looked up. "
            "Each must have a second factor.",
            privileged_mfa.probe,
        ),
        "passwords": Probe(
            "Passwords",
            "A password is hashed and checked, and passwords that can be guessed are offered. "
            "Hashes are Argon2id with a salt, and weak passwords are refused.",
            passwords.probe,
        ),
        "guessing": Probe(
            "Guessing passwords",
            "Wrong passwords are counted for a name that nobody has. The name is locked before the tenth.",
            guessing.probe,
        ),
        "forged_token": Probe(
            "Forged tokens",
            "Access tokens that are expired, forged, unsigned, another tenant's or another surface's are shown. "
            "None opens anything.",
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
            "A record with a made-up address is written as everybody writes. The stored row does not show it, "
            "the detectors find it, and a changed or moved row does not open.",
            sealed_writer.probe,
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
        "audit_verify": Probe(
            "Audit verify",
            "The audit is recomputed from its stored bytes and compared with every checkpoint and witness. "
            "Nothing was changed, removed or put in.",
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
        "breach_alarm": Probe(
            "Breach alarm",
            "The release of a canary is reported. A critical alert and the event of a suspected breach come of it.",
            breach_alarm.probe,
        ),
        "private_webhook": Probe(
            "Webhook to a private address",
            "Webhooks to addresses inside and to the metadata of clouds are made and called. Both are refused.",
            private_webhook.probe,
        ),
        "outgoing_tls": Probe(
            "Outgoing calls in the clear",
            "Calls without TLS are tried, and how certificates are judged is looked up. "
            "Nothing leaves in the clear, and TLS is 1.2 or newer.",
            outgoing_tls.probe,
        ),
    }
)
