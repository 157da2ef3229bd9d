"""The built-in rules: one table of actions, one table of roles."""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from vaultsite.kernel.events.event import EventType

#: The three ways to be shown records, from everything to least.
READ_RAW: Final = "record.read.raw"
READ_MASKED: Final = "record.read.masked"
READ_REDACTED: Final = "record.read.redacted"

SHOWN: Final = frozenset({READ_RAW, READ_MASKED, READ_REDACTED})
#: Actions that release something made of records: decided with the obligations of the principal's own view of them.
SHOWING: Final = frozenset({"record.read", "analytics.export", "ingest.rejects.read"})

#: Records of datasets with this classification are shown raw or not at all.
RESTRICTED: Final = "restricted"


@dataclass(frozen=True)
class Rule:
    """What an action takes: one of ``permissions``, and a purpose where data is released.

    ``operation`` is the word the audit uses (read, write, update, delete), ``event`` the type of the decision event.
    """

    permissions: frozenset[str]
    event: EventType
    operation: str
    needs_purpose: bool = False


def _rule(permission: str, event: EventType, operation: str) -> Rule:
    return Rule(frozenset({permission}), event, operation)


def _purposeful(permission: str, event: EventType, operation: str) -> Rule:
    return Rule(frozenset({permission}), event, operation, needs_purpose=True)


RULES: Final[Mapping[str, Rule]] = MappingProxyType(
    {
        "dataset.list": _rule("dataset.list", EventType.ACCESS_READ, "read"),
        "dataset.read": _rule("dataset.read", EventType.ACCESS_READ, "read"),
        "dataset.create": _rule("dataset.create", EventType.ACCESS_WRITE, "write"),
        "dataset.update": _rule("dataset.update", EventType.ACCESS_WRITE, "update"),
        "dataset.delete": _rule("dataset.delete", EventType.ACCESS_DELETE, "delete"),
        "version.read": _rule("version.read", EventType.ACCESS_READ, "read"),
        "record.read": Rule(
            frozenset({READ_RAW, READ_MASKED, READ_REDACTED}), EventType.ACCESS_READ, "read", needs_purpose=True
        ),
        "record.write": _rule("record.write", EventType.ACCESS_WRITE, "write"),
        "branch.write": _rule("branch.write", EventType.ACCESS_WRITE, "write"),
        "branch.protect": _rule("branch.protect", EventType.ACCESS_WRITE, "update"),
        "merge.write": _rule("record.write", EventType.ACCESS_WRITE, "write"),
        "merge.review": _rule("merge.review", EventType.ACCESS_WRITE, "update"),
        "schema.write": _rule("schema.write", EventType.ACCESS_WRITE, "update"),
        "record.erase": _rule("record.erase", EventType.ACCESS_DELETE, "delete"),
        # A receipt names the records that were erased, nothing of what was in them.
        "erasure.read": Rule(frozenset({"record.erase", "audit.read"}), EventType.ACCESS_READ, "read"),
        "export.create": _rule("export.create", EventType.ACCESS_READ, "export"),
        "export.read": _rule("export.create", EventType.ACCESS_READ, "read"),
        "lineage.write": _rule("lineage.write", EventType.ACCESS_WRITE, "write"),
        "dataset.archive": _rule("dataset.delete", EventType.ACCESS_WRITE, "update"),
        "dataset.restore": _rule("dataset.delete", EventType.ACCESS_WRITE, "update"),
        "dataset.purge": _rule("dataset.delete", EventType.ACCESS_DELETE, "delete"),
        "ingest.read": _rule("ingest.read", EventType.ACCESS_READ, "read"),
        # A reject report quotes lines that no detector has seen.
        "ingest.rejects.read": Rule(frozenset({READ_RAW}), EventType.ACCESS_READ, "read", needs_purpose=True),
        "pii.detect": _rule("pii.detect", EventType.ACCESS_READ, "read"),
        "pii.anonymize": _rule("pii.anonymize", EventType.ACCESS_READ, "read"),
        "anonymization.read": _rule("anonymization.read", EventType.ADMIN_READ, "read"),
        "anonymization.manage": _rule("anonymization.manage", EventType.ADMIN_WRITE, "update"),
        "detection.read": _rule("detection.read", EventType.ADMIN_READ, "read"),
        "detection.manage": _rule("detection.manage", EventType.ADMIN_WRITE, "update"),
        "finding.review": _rule("finding.review", EventType.ACCESS_WRITE, "update"),
        "quarantine.review": _rule("quarantine.review", EventType.ACCESS_WRITE, "update"),
        "rescan.manage": _rule("rescan.manage", EventType.ADMIN_WRITE, "update"),
        "token.create": _purposeful("token.create", EventType.ACCESS_WRITE, "write"),
        "token.reveal": _purposeful("token.reveal", EventType.ACCESS_READ, "read"),
        "token.read": _rule("token.read", EventType.ADMIN_READ, "read"),
        "token.manage": _rule("token.manage", EventType.ADMIN_WRITE, "update"),
        "statistics.query": _purposeful("statistics.query", EventType.ACCESS_READ, "read"),
        "budget.read": _rule("budget.read", EventType.ADMIN_READ, "read"),
        "budget.manage": _rule("budget.manage", EventType.ADMIN_WRITE, "update"),
        "analytics.export": _purposeful("analytics.export", EventType.ACCESS_READ, "export"),
        "release.read": _rule("release.read", EventType.ADMIN_READ, "read"),
        "release.manage": _rule("release.manage", EventType.ADMIN_WRITE, "update"),
        # Whoever asks about people has to know what may be asked.
        "release.rules.read": Rule(
            frozenset({"release.read", "analytics.export", "statistics.query"}), EventType.ADMIN_READ, "read"
        ),
        "audit.read": _rule("audit.read", EventType.AUDIT_READ, "read"),
        "audit.verify": _rule("audit.verify", EventType.AUDIT_READ, "read"),
        "audit.export": _rule("audit.export", EventType.AUDIT_READ, "export"),
        # What happens to datasets that somebody may see anyway, and what becomes of their own jobs.
        "live.read": _rule("dataset.list", EventType.ACCESS_READ, "read"),
        # Who reads the audit may see where it goes.
        "subscription.read": Rule(frozenset({"subscription.manage", "audit.read"}), EventType.ADMIN_READ, "read"),
        "subscription.manage": _rule("subscription.manage", EventType.ADMIN_WRITE, "update"),
        "webhook.read": Rule(frozenset({"webhook.read", "webhook.manage"}), EventType.ADMIN_READ, "read"),
        "webhook.manage": _rule("webhook.manage", EventType.ADMIN_WRITE, "update"),
        # How many backups there are, and whether they would help: nothing of what they hold.
        "backup.read": _rule("backup.read", EventType.ADMIN_READ, "read"),
        "alert.read": _rule("alert.read", EventType.ADMIN_READ, "read"),
        "alert.manage": _rule("alert.manage", EventType.ADMIN_WRITE, "update"),
        "incident.read": Rule(
            frozenset({"incident.read", "incident.manage", "incident.draft"}), EventType.ADMIN_READ, "read"
        ),
        "incident.manage": _rule("incident.manage", EventType.ADMIN_WRITE, "update"),
        # The wording of what authorities and persons are told.
        "incident.draft": _rule("incident.draft", EventType.ADMIN_WRITE, "update"),
        "hold.read": _rule("hold.read", EventType.ADMIN_READ, "read"),
        "hold.place": _rule("hold.place", EventType.ADMIN_WRITE, "write"),
        "hold.confirm": _rule("hold.confirm", EventType.ADMIN_WRITE, "update"),
        # Events that could not be delivered are named by type and id, nothing of what they say.
        "delivery.read": Rule(frozenset({"delivery.manage", "audit.read"}), EventType.ADMIN_READ, "read"),
        "delivery.manage": _rule("delivery.manage", EventType.ADMIN_WRITE, "update"),
        # Which records are canaries is a secret of those who set them.
        "canary.manage": _rule("canary.manage", EventType.ADMIN_WRITE, "update"),
        # What waits for somebody, and finding their way: whoever works with the vault in a browser.
        "home.read": Rule(frozenset({"access.request", "audit.read", "user.read"}), EventType.ADMIN_READ, "read"),
        "search.use": Rule(frozenset({"access.request", "audit.read", "user.read"}), EventType.ADMIN_READ, "read"),
        # What somebody asked for and was given themselves.
        "access.own": _rule("access.request", EventType.ADMIN_READ, "read"),
        "access.request": _rule("access.request", EventType.ADMIN_WRITE, "write"),
        "access.read": Rule(frozenset({"access.read", "access.approve"}), EventType.ADMIN_READ, "read"),
        "access.approve": _rule("access.approve", EventType.ADMIN_WRITE, "update"),
        "permission.manage": _rule("permission.manage", EventType.ADMIN_WRITE, "write"),
        "emergency.request": _rule("emergency.request", EventType.ADMIN_WRITE, "write"),
        "emergency.confirm": _rule("emergency.confirm", EventType.ADMIN_WRITE, "update"),
        "emergency.read": Rule(
            frozenset({"emergency.request", "emergency.confirm", "access.read"}), EventType.ADMIN_READ, "read"
        ),
        "review.read": Rule(frozenset({"review.decide", "review.manage", "access.read"}), EventType.ADMIN_READ, "read"),
        "review.decide": _rule("review.decide", EventType.ADMIN_WRITE, "update"),
        "review.manage": _rule("review.manage", EventType.ADMIN_WRITE, "write"),
        "user.read": _rule("user.read", EventType.ADMIN_READ, "read"),
        "user.manage": _rule("user.manage", EventType.ADMIN_WRITE, "write"),
        # What a directory does by SCIM to the people and groups it brought, and to no others.
        "directory.read": Rule(frozenset({"user.provision", "group.provision"}), EventType.ADMIN_READ, "read"),
        "user.provision": _rule("user.provision", EventType.ADMIN_WRITE, "update"),
        "group.provision": _rule("group.provision", EventType.ADMIN_WRITE, "update"),
        "role.read": _rule("role.read", EventType.ADMIN_READ, "read"),
        "role.manage": _rule("role.manage", EventType.ADMIN_WRITE, "write"),
        "group.read": Rule(frozenset({"group.manage", "user.read"}), EventType.ADMIN_READ, "read"),
        "group.manage": _rule("group.manage", EventType.ADMIN_WRITE, "write"),
        # Giving a group or role that somebody who manages them has delegated.
        "delegation.use": _rule("delegation.use", EventType.ADMIN_WRITE, "write"),
        "apikey.read": _rule("apikey.read", EventType.ADMIN_READ, "read"),
        "apikey.manage": _rule("apikey.manage", EventType.ADMIN_WRITE, "write"),
        "session.read": _rule("session.manage", EventType.ADMIN_READ, "read"),
        "session.revoke": _rule("session.manage", EventType.ADMIN_WRITE, "delete"),
        "signin.read": Rule(frozenset({"signin.manage", "user.read"}), EventType.ADMIN_READ, "read"),
        "signin.manage": _rule("signin.manage", EventType.ADMIN_WRITE, "update"),
        "identity_provider.read": Rule(
            frozenset({"identity_provider.manage", "user.read"}), EventType.ADMIN_READ, "read"
        ),
        "identity_provider.manage": _rule("identity_provider.manage", EventType.ADMIN_WRITE, "update"),
        "policy.read": _rule("policy.read", EventType.ADMIN_READ, "read"),
        "policy.manage": _rule("policy.manage", EventType.ADMIN_WRITE, "update"),
        "policy.evaluate": _rule("policy.evaluate", EventType.ADMIN_READ, "read"),
        # Who may give a program a key may say which programs there are.
        "serviceaccount.read": _rule("apikey.read", EventType.ADMIN_READ, "read"),
        "serviceaccount.manage": _rule("apikey.manage", EventType.ADMIN_WRITE, "write"),
        "purpose.read": _rule("purpose.read", EventType.ADMIN_READ, "read"),
        "purpose.manage": _rule("purpose.manage", EventType.ADMIN_WRITE, "update"),
        "consent.read": Rule(frozenset({"consent.read", "consent.manage"}), EventType.ADMIN_READ, "read"),
        "consent.manage": _rule("consent.manage", EventType.ADMIN_WRITE, "update"),
        "register.read": Rule(frozenset({"register.read", "register.manage"}), EventType.ADMIN_READ, "read"),
        "register.manage": _rule("register.manage", EventType.ADMIN_WRITE, "update"),
        # What the vault holds of a person, in every dataset of the organization.
        "subject.search": _rule("subject.search", EventType.ACCESS_READ, "read"),
        "subject.read": Rule(frozenset({"subject.search", "audit.read"}), EventType.ADMIN_READ, "read"),
        "subject.review": _rule("subject.search", EventType.ACCESS_WRITE, "update"),
        "subject.erase": _rule("subject.erase", EventType.ACCESS_DELETE, "delete"),
        "key.read": _rule("key.read", EventType.ADMIN_READ, "read"),
        "key.rotate": _rule("key.manage", EventType.ADMIN_WRITE, "update"),
        "key.destroy": _rule("key.manage", EventType.ADMIN_WRITE, "delete"),
        "quota.manage": _rule("quota.manage", EventType.ADMIN_WRITE, "update"),
        "retention.read": Rule(frozenset({"retention.read", "retention.manage"}), EventType.ADMIN_READ, "read"),
        "retention.manage": _rule("retention.manage", EventType.ADMIN_WRITE, "update"),
        "subject_request.read": Rule(
            frozenset({"subject_request.read", "subject_request.manage"}), EventType.ADMIN_READ, "read"
        ),
        "subject_request.manage": _rule("subject_request.manage", EventType.ADMIN_WRITE, "update"),
        # An officer proposes what records are to say instead; who may write them makes it so.
        "subject_request.preview": Rule(
            frozenset({"subject_request.manage", "record.write"}), EventType.ADMIN_READ, "read"
        ),
        "subject_request.correct": _rule("record.write", EventType.ADMIN_WRITE, "update"),
        # Everything the vault holds of somebody leaves as one file.
        "subject_request.package": _rule("subject_request.manage", EventType.ACCESS_READ, "export"),
        "storage.read": _rule("storage.read", EventType.ADMIN_READ, "read"),
        "report.create": _rule("report.create", EventType.ADMIN_READ, "read"),
        "storage.manage": _rule("storage.manage", EventType.ADMIN_WRITE, "update"),
        "posture.read": _rule("posture.read", EventType.ADMIN_READ, "read"),
        "posture.run": _rule("posture.run", EventType.ADMIN_WRITE, "write"),
        "posture.attest": _rule("posture.attest", EventType.ADMIN_WRITE, "write"),
    }
)
PERMISSIONS: Final = frozenset().union(*(rule.permissions for rule in RULES.values()))
#: Permissions by which the vault is run and access is given: not for systems of others.
RUNNING: Final = frozenset(name for name in PERMISSIONS if name.endswith(".manage")) | {
    "access.approve",
    "emergency.confirm",
    "group.provision",
    "review.decide",
    "user.provision",
}


@dataclass(frozen=True)
class BuiltinRole:
    name: str
    description: str
    permissions: frozenset[str]


_LOOK: Final = frozenset({"dataset.list", "dataset.read", "version.read", "access.request", "delegation.use"})
_BROWSE: Final = _LOOK | {"purpose.read"}
_TEXT: Final = frozenset({"pii.detect", "pii.anonymize"})
_SUPPLY: Final = frozenset({"dataset.create", "record.write", "ingest.read", "branch.write", "lineage.write"})
_CURATE: Final = frozenset(
    {"dataset.update", "dataset.delete", "branch.protect", "merge.review", "schema.write", "record.erase"}
)
_TAKE_OUT: Final = frozenset({"export.create"})
_PROVISION: Final = frozenset({"user.provision", "group.provision"})
_PEOPLE: Final = frozenset(
    {
        "user.read",
        "user.manage",
        "group.manage",
        "delegation.use",
        "apikey.read",
        "apikey.manage",
        "role.read",
        "session.manage",
        "signin.manage",
    }
    | {"identity_provider.manage"}
    | _PROVISION
)
_KEYS: Final = frozenset({"key.read", "key.manage"})
_GOVERN: Final = frozenset(
    {"anonymization.read", "anonymization.manage", "detection.read", "detection.manage", "rescan.manage"}
    | {"token.read", "budget.read", "budget.manage", "release.read"}
)
_OVERSEE: Final = frozenset({"anonymization.read", "detection.read", "token.read", "budget.read", "release.read"})
_ANALYZE: Final = frozenset({"statistics.query", "analytics.export", "budget.read", "anonymization.read"})
_RELEASE: Final = frozenset({"release.manage"})
_TOKENIZE: Final = frozenset({"token.create"})
_REVIEW: Final = frozenset({"finding.review", "quarantine.review"})
_APPROVE: Final = frozenset({"access.read", "access.approve", "permission.manage", "review.decide"})
_CONFIRM: Final = frozenset({"access.read", "emergency.confirm", "review.decide", "review.manage"})
_EMERGENCY: Final = frozenset({"emergency.request"})
_SUBJECTS: Final = frozenset({"subject.search", "subject.erase"})
_ALERTS: Final = frozenset({"alert.read", "alert.manage", "audit.verify", "audit.export"})
_INCIDENTS: Final = frozenset({"incident.read", "incident.manage", "incident.draft"})
_WEBHOOKS: Final = frozenset({"webhook.read", "webhook.manage", "delivery.manage"})
_STORAGE: Final = frozenset({"storage.read", "storage.manage", "quota.manage"})
_HOLD: Final = frozenset({"hold.read", "hold.place", "hold.confirm"})
_POSTURE: Final = frozenset({"posture.read", "posture.run", "posture.attest"})
_INQUIRE: Final = frozenset({"policy.read", "policy.evaluate"})
#: Who has agreed to what, and what the register of processing says (GDPR Art. 7 and 30).
_ACCOUNT: Final = frozenset({"consent.read", "register.read"})
_ANSWER_FOR: Final = frozenset({"purpose.manage", "consent.manage", "register.manage"})
_REPORT: Final = frozenset({"report.create"})
_LEGISLATE: Final = _INQUIRE | {"policy.manage"}

_SEE_REQUESTS: Final = frozenset({"subject_request.read"})
_ANSWER_REQUESTS: Final = _SEE_REQUESTS | {"subject_request.manage"}

ROLES: Final[Mapping[str, BuiltinRole]] = MappingProxyType(
    {
        "tenant_admin": BuiltinRole(
            "Tenant administrator",
            "Manages people, roles and keys; sees records masked.",
            _LEGISLATE
            | {"backup.read"}
            | _BROWSE
            | _TEXT
            | _TAKE_OUT
            | _PEOPLE
            | _KEYS
            | _STORAGE
            | _GOVERN
            | _ANALYZE
            | _CONFIRM
            | _EMERGENCY
            | _ALERTS
            | _WEBHOOKS
            | _REPORT
            | {"role.manage", "audit.read", "ingest.read", "token.manage", READ_MASKED}
            | {
                "subscription.manage",
                "hold.read",
                "posture.read",
                "retention.manage",
            },
        ),
        "data_steward": BuiltinRole(
            "Data steward",
            "Manages datasets, writes records and sees them raw, and sees who else did.",
            _BROWSE
            | _TEXT
            | _SUPPLY
            | _CURATE
            | _TAKE_OUT
            | _GOVERN
            | _ANALYZE
            | _RELEASE
            | _TOKENIZE
            | _REVIEW
            | _APPROVE
            | _EMERGENCY
            | {"audit.read", "alert.read", "canary.manage", "storage.read", "webhook.read", READ_RAW},
        ),
        "data_scientist": BuiltinRole(
            "Data scientist",
            "Works with records whose personal data is masked.",
            _BROWSE | _TEXT | _TAKE_OUT | _ANALYZE | _EMERGENCY | {READ_MASKED},
        ),
        "ml_engineer": BuiltinRole(
            "ML engineer",
            "Writes records and reads them masked.",
            _BROWSE | _TEXT | _SUPPLY | _TAKE_OUT | _ANALYZE | _TOKENIZE | _EMERGENCY | {READ_MASKED},
        ),
        "analyst": BuiltinRole(
            "Analyst", "Reads records whose personal data is cut out.", _BROWSE | _TEXT | _ANALYZE | {READ_REDACTED}
        ),
        "privacy_officer": BuiltinRole(
            "Privacy officer",
            "Sees records raw to answer for the people in them, and the audit.",
            _INQUIRE
            | _BROWSE
            | _TEXT
            | _GOVERN
            | _RELEASE
            | _REVIEW
            | _APPROVE
            | _CONFIRM
            | {"token.reveal", "token.manage", "canary.manage"}
            | _ANSWER_FOR
            | _SUBJECTS
            | _ALERTS
            | _INCIDENTS
            | _POSTURE
            | _REPORT
            | _ANSWER_REQUESTS
            | {"ingest.read", "audit.read", "user.read", "role.read", "merge.review", "record.erase", READ_RAW}
            | {
                "hold.confirm",
                "hold.read",
                "retention.manage",
            },
        ),
        "legal_counsel": BuiltinRole(
            "Legal counsel",
            "Places and releases legal holds, sees records masked, and the audit.",
            _BROWSE
            | _ACCOUNT
            | _HOLD
            | _REPORT
            | _SEE_REQUESTS
            | {
                "audit.read",
                "incident.draft",
                "incident.read",
                "retention.read",
                "user.read",
                READ_MASKED,
            },
        ),
        "security_officer": BuiltinRole(
            "Security officer",
            "Manages people, credentials and keys and sees the audit; no data.",
            _LEGISLATE
            | {"backup.read"}
            | _PEOPLE
            | _KEYS
            | _CONFIRM
            | _ALERTS
            | _INCIDENTS
            | _WEBHOOKS
            | _POSTURE
            | _REPORT
            | {"audit.read", "storage.read", "subscription.manage"},
        ),
        "auditor": BuiltinRole(
            "Auditor",
            "Sees what exists, who may do what, and the audit; no records.",
            _INQUIRE
            | {"backup.read"}
            | _REPORT
            | _BROWSE
            | _OVERSEE
            | _ACCOUNT
            | _SEE_REQUESTS
            | {"audit.read", "user.read", "role.read", "apikey.read", "key.read", "storage.read", "access.read"}
            | {"alert.read", "webhook.read", "audit.verify", "audit.export"}
            | {
                "hold.read",
                "incident.read",
                "posture.read",
                "retention.read",
            },
        ),
        "viewer": BuiltinRole("Viewer", "Sees that datasets and versions exist.", _LOOK),
        "directory": BuiltinRole(
            "Directory", "A program that provisions people and groups by SCIM; it gives nobody a role.", _PROVISION
        ),
        "service": BuiltinRole(
            "Service",
            "A program that writes records and reads them masked.",
            _BROWSE | _TEXT | _SUPPLY | _TAKE_OUT | _TOKENIZE | {READ_MASKED},
        ),
    }
)

PURPOSES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "model-training": "Training and fine-tuning of models",
        "analytics": "Statistics over datasets",
        "evaluation": "Evaluation of models and prompts",
        "debugging": "Finding the cause of a fault",
        "model-performance-analysis": "Watching how models in use perform",
    }
)


def permits(permissions: AbstractSet[str], action: str, scopes: AbstractSet[str] = frozenset()) -> bool:
    """Whether ``permissions``, narrowed by ``scopes`` (actions; empty: all), are enough for ``action``."""
    rule = RULES.get(action)
    return rule is not None and bool(rule.permissions & permissions) and (not scopes or action in scopes)


def reach(permissions: AbstractSet[str], scopes: AbstractSet[str] = frozenset()) -> frozenset[tuple[str, str]]:
    """What a holder can do, as pairs of an action and a permission: of two holders one may do more when it has more.

    Who is shown records raw may also be shown them masked, and who is shown them masked, redacted.
    """
    readings = (READ_RAW, READ_MASKED, READ_REDACTED)
    shown = {None: readings, "mask": readings[1:], "redact": readings[2:]}[operator_for(permissions)]
    held = permissions - set(readings)
    if permissions & set(readings):
        held |= set(shown)
    return frozenset(
        (action, permission)
        for action, rule in RULES.items()
        if not scopes or action in scopes
        for permission in rule.permissions & held
    )


def operator_for(permissions: AbstractSet[str]) -> str | None:
    """How records must be anonymized for these permissions: None for raw, else the strictest that any role asks for.

    Only a role that reads raw lifts an obligation; among the others holding one more role never shows more.
    """
    if READ_RAW in permissions:
        return None
    return "redact" if READ_REDACTED in permissions else "mask"
