"""Which action stands behind each of Django's model permissions, so that its admin asks the roles."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final

#: (app, model) -> actions for (view, add, change, delete); None: nobody, through this door.
ACTIONS: Final[Mapping[tuple[str, str], tuple[str | None, str | None, str | None, str | None]]] = MappingProxyType(
    {
        ("access", "user"): ("user.read", "user.manage", "user.manage", None),
        ("access", "directoryuser"): ("user.read", None, None, None),
        ("access", "group"): ("group.read", "group.manage", "group.manage", "group.manage"),
        ("access", "role"): ("role.read", "role.manage", "role.manage", "role.manage"),
        ("access", "rolebinding"): ("role.read", "role.manage", "role.manage", "role.manage"),
        ("access", "apikey"): ("apikey.read", "apikey.manage", "apikey.manage", None),
        ("access", "vaultsession"): ("session.read", None, None, "session.revoke"),
        ("access", "signinpolicy"): ("signin.read", None, "signin.manage", None),
        ("access", "identityprovider"): ("identity_provider.read", None, "identity_provider.manage", None),
        ("access", "accesspolicy"): ("policy.read", "policy.manage", "policy.manage", None),
        ("access", "policyreplay"): ("policy.evaluate", None, None, None),
        ("access", "serviceaccount"): ("serviceaccount.read", "serviceaccount.manage", "serviceaccount.manage", None),
        ("access", "purpose"): ("purpose.read", None, None, None),
        ("access", "encryptionkey"): ("key.read", None, None, None),
        ("access", "accessrequest"): ("access.read", "access.request", "access.approve", None),
        ("access", "lease"): ("access.own", "access.request", "access.approve", None),
        ("access", "breakglass"): ("emergency.read", "emergency.request", "emergency.confirm", None),
        ("access", "accessreview"): ("review.read", "review.manage", "review.decide", None),
        ("anonymization", "text"): ("pii.detect", None, None, None),
        ("anonymization", "detection"): ("detection.read", "detection.manage", "detection.manage", "detection.manage"),
        ("anonymization", "feedback"): ("finding.review", "finding.review", "finding.review", None),
        ("anonymization", "policy"): ("anonymization.read", "anonymization.manage", "anonymization.manage", None),
        ("anonymization", "token"): ("token.read", None, "token.manage", None),
        ("anonymization", "budget"): ("budget.read", None, "budget.manage", None),
        ("anonymization", "release"): ("release.read", None, None, None),
        ("audit", "auditevent"): ("audit.read", None, None, None),
        ("audit", "auditexport"): ("audit.export", "audit.export", None, "audit.export"),
        ("audit", "auditleaf"): ("audit.read", None, None, None),
        ("audit", "auditverification"): ("audit.verify", "audit.verify", None, None),
        ("audit", "webhookendpoint"): ("webhook.read", "webhook.manage", "webhook.manage", "webhook.manage"),
        ("audit", "eventsubscription"): ("subscription.read", *("subscription.manage",) * 3),
        ("audit", "deadletter"): ("delivery.read", None, "delivery.manage", None),
        ("compliance", "backuprun"): ("backup.read", None, None, None),
        ("audit", "alert"): ("alert.read", None, "alert.manage", None),
        ("compliance", "subjectrequest"): ("subject_request.read", *("subject_request.manage",) * 2, None),
        ("compliance", "consent"): ("consent.read", "consent.manage", "consent.manage", None),
        ("compliance", "party"): ("register.read", "register.manage", None, "register.manage"),
        ("compliance", "transfer"): ("register.read", None, None, None),
        ("compliance", "incident"): ("incident.read", "incident.manage", "incident.manage", None),
        ("compliance", "legalhold"): ("hold.read", "hold.place", "hold.confirm", None),
        ("compliance", "proberun"): ("posture.read", "posture.run", None, None),
        ("compliance", "report"): ("report.create", "report.create", None, "report.create"),
        ("compliance", "subjectsearch"): ("subject.read", "subject.search", "subject.review", None),
        ("compliance", "subjecterasure"): ("subject.read", "subject.erase", None, None),
        ("datasets", "identifierreturn"): ("subject.read", None, "subject.review", None),
        ("datasets", "dataset"): ("dataset.read", "dataset.create", "dataset.update", "dataset.delete"),
        ("datasets", "version"): ("version.read", None, None, None),
        ("datasets", "ingest"): ("ingest.read", None, None, None),
        ("compliance", "retentionpolicy"): ("retention.read", *("retention.manage",) * 3),
        ("datasets", "quota"): ("storage.read", None, "quota.manage", None),
    }
)
_VERBS: Final = ("view", "add", "change", "delete")


def action_for(permission: str) -> str | None:
    """The action behind ``app.verb_model``; None when nobody has that permission."""
    app, _, codename = permission.partition(".")
    verb, _, model = codename.partition("_")
    actions = ACTIONS.get((app, model))
    return actions[_VERBS.index(verb)] if actions and verb in _VERBS else None


def actions_of(app_label: str) -> Iterable[str]:
    """The actions by which an app's models are viewed."""
    return (actions[0] for (app, _), actions in ACTIONS.items() if app == app_label and actions[0])
