"""What happened: the event types and the facts every event carries."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Literal
from uuid import UUID

from vaultsite.kernel.identifiers import uuid7
from vaultsite.kernel.tenancy.principal import Principal, RequestFacts

Outcome = Literal["success", "failure", "denied"]
Severity = Literal["info", "warning", "critical"]


class EventType(StrEnum):
    """Every type has an emitter and a test that provokes it. Names of data events are the customer's contract."""

    #: A decision: data, or what describes it, is read.
    ACCESS_READ = "data.access.read"
    #: A decision: data, or what describes it, is written.
    ACCESS_WRITE = "data.access.write"
    #: A decision: data is deleted.
    ACCESS_DELETE = "data.access.delete"
    #: A decision to refuse any of these.
    ACCESS_DENIED = "data.access.denied"
    #: Somebody asked for access to a dataset, in the ordinary way.
    ACCESS_REQUESTED = "data.access.requested"
    #: Access to a dataset was given: a lease, or a standing permission.
    ACCESS_GRANTED = "data.access.granted"
    #: A request for access was refused, or withdrawn by who made it.
    ACCESS_REFUSED = "data.access.refused"
    #: A lease got a later end.
    ACCESS_EXTENDED = "data.access.extended"
    #: Access to a dataset was taken away before its end.
    ACCESS_REVOKED = "data.access.revoked"
    #: The leases of a dataset open nothing for the time being, because something is wrong with it.
    ACCESS_SUSPENDED = "data.access.suspended"
    #: Suspended leases open again.
    ACCESS_RESUMED = "data.access.resumed"
    #: A lease has released the last record it was given for.
    ACCESS_EXHAUSTED = "data.access.exhausted"
    #: Somebody calls for access in an emergency.
    EMERGENCY_REQUESTED = "data.emergency.requested"
    #: A second person confirmed it: records are shown raw from now on.
    EMERGENCY_GRANTED = "data.emergency.granted"
    #: A second person refused it.
    EMERGENCY_REFUSED = "data.emergency.refused"
    #: Data was read under it.
    EMERGENCY_USED = "data.emergency.used"
    #: A third person looked at what was done.
    EMERGENCY_REVIEWED = "data.emergency.reviewed"
    #: A campaign began in which grants are kept or revoked.
    REVIEW_STARTED = "access.review.started"
    #: A reviewer kept or revoked a grant.
    REVIEW_DECIDED = "access.review.decided"
    #: A campaign has ended; says how many grants were kept, revoked and left to lapse.
    REVIEW_CLOSED = "access.review.closed"
    #: A stream of records has ended; names its decision and says how much was released.
    ACCESS_COMPLETED = "data.access.completed"
    #: A dataset was created.
    CREATED = "data.created"
    #: What a dataset says of itself was changed.
    UPDATED = "data.updated"
    #: An ingest ended in a new version.
    VERSIONED = "data.versioned"
    #: Somebody reported where data came from or what was made of it.
    LINEAGE_REPORTED = "data.lineage.reported"
    #: A branch or tag was made, moved, protected or removed.
    REF_CHANGED = "data.ref.changed"
    #: A file of an export was downloaded; names its decision and says how much was released.
    EXPORTED = "data.exported"
    #: An export ended without files.
    EXPORT_FAILED = "data.export.failed"
    #: Records left the region of their dataset; says to which country and what covered it.
    TRANSFER_MADE = "data.transfer.made"
    #: Records were not let out of the region of their dataset; says what was missing.
    TRANSFER_REFUSED = "data.transfer.refused"
    #: The files of an export were removed because their time was over.
    EXPORT_EXPIRED = "data.export.expired"
    #: A merge request was opened.
    MERGE_REQUESTED = "data.merge.requested"
    #: Somebody approved a merge request, or asked for changes.
    MERGE_REVIEWED = "data.merge.reviewed"
    #: A merge request was closed without a merge.
    MERGE_CLOSED = "data.merge.closed"
    #: Somebody's agreement to a purpose was recorded, or those of a file were; says how many.
    CONSENT_RECORDED = "data.consent.recorded"
    #: Somebody withdrew it: nothing of theirs is released for the purpose from the next request on.
    CONSENT_WITHDRAWN = "data.consent.withdrawn"
    #: Somebody decided on the records of a person who withdrew: erased, or kept on another ground.
    CONSENT_TASK_DECIDED = "data.consent.decided"
    #: What makes processing for a purpose lawful was said, or changed.
    PURPOSE_CHANGED = "data.purpose.changed"
    #: A line of versions was merged into a branch.
    MERGED = "data.merged"
    #: A merge waits for somebody to resolve its conflicts.
    MERGE_CONFLICTED = "data.merge.conflicted"
    #: A merge ended without one, or was abandoned.
    MERGE_FAILED = "data.merge.failed"
    #: Records were erased from every version of a dataset, or could not be.
    ERASED = "data.erased"
    #: A stored object does not open or verify any more, and was quarantined.
    CORRUPTION_DETECTED = "data.corruption.detected"
    #: An anonymization policy was made, versioned, activated, attached or taken away.
    POLICY_CHANGED = "data.policy.changed"
    #: Sealed values were turned back into the personal data they stand for.
    DEANONYMIZED = "data.deanonymized"
    #: A dataset got a new version of the schema of its records.
    SCHEMA_CHANGED = "data.schema.changed"
    #: A dataset was put where it is only read.
    ARCHIVED = "data.archived"
    #: A dataset was deleted; it can be restored for some days.
    DELETED = "data.deleted"
    #: An archived or deleted dataset came back.
    RESTORED = "data.restored"
    #: A dataset's keys were destroyed for good: nothing of it can be read any more.
    PURGED = "data.purged"
    #: An owner is told what a retention policy is about to do with a dataset, and from when.
    RETENTION_ANNOUNCED = "data.retention.announced"
    #: A retention policy archived or deleted a dataset, or destroyed its keys.
    RETENTION_APPLIED = "data.retention.applied"
    #: A retention policy was made, changed or ended, or an event was recorded from which periods count.
    RETENTION_CHANGED = "data.retention.changed"
    #: A draft was opened over a version.
    DRAFT_OPENED = "data.draft.opened"
    #: Records of a draft were staged or left out.
    DRAFT_STAGED = "data.draft.staged"
    #: A draft was dropped with everything staged in it.
    DRAFT_DISCARDED = "data.draft.discarded"
    #: A draft that nobody has changed for long will be removed soon.
    DRAFT_EXPIRING = "data.draft.expiring"
    #: A draft that nobody has changed for long was removed.
    DRAFT_EXPIRED = "data.draft.expired"
    #: The publication of a draft ended without a version.
    PUBLISH_FAILED = "data.publish.failed"
    #: An ingest ended without a version.
    INGEST_FAILED = "data.ingest.failed"
    #: Datasets became one family: what is learnt about their people is counted together from now on.
    FAMILY_JOINED = "data.family.joined"
    #: Privacy budget was spent on statistics.
    BUDGET_SPENT = "privacy.budget.spent"
    #: A privacy budget or a share of one was set, or renewed.
    BUDGET_CHANGED = "privacy.budget.changed"
    #: A release under a guarantee was entered into the ledger.
    RELEASE_ADMITTED = "privacy.release.admitted"
    #: A recipient said that it has deleted its copies of a release; the ledger keeps the release until it is withdrawn.
    RELEASE_REPORTED = "privacy.release.reported"
    #: Somebody else than the recipient attested that every copy of a release was deleted.
    RELEASE_WITHDRAWN = "privacy.release.withdrawn"
    #: A recipient was attested to share nothing, or no longer is.
    RECIPIENT_ATTESTED = "privacy.recipient.attested"
    #: A steward declared what may be released about the people of a dataset: whom records are about, and the least k.
    RELEASE_RULES_DECLARED = "privacy.rules.declared"
    #: A decision: people, roles, purposes or keys are looked at.
    ADMIN_READ = "admin.access.read"
    #: A decision: people, roles, purposes or API keys are changed.
    ADMIN_WRITE = "admin.access.write"
    #: A decision: the audit is searched.
    AUDIT_READ = "audit.access.read"
    #: The log of the audit was recomputed and compared with every checkpoint and witness; says what was found.
    AUDIT_VERIFIED = "audit.log.verified"
    #: Another key signs the checkpoints of the audit from now on.
    AUDIT_KEY_ROTATED = "audit.key.rotated"
    #: Retention dropped a month of events; their leaves remain, so that proofs of what else happened still hold.
    AUDIT_MONTH_DROPPED = "audit.month.dropped"
    #: A month of events left the database for the archive, where exports, proofs and verifications read it.
    AUDIT_MONTH_ARCHIVED = "audit.month.archived"
    #: A message broker refused events each time they were tried; says how many, of which topic and why.
    DELIVERY_FAILED = "audit.delivery.failed"
    #: Somebody had events sent again that a message broker had refused.
    DELIVERY_REPLAYED = "audit.delivery.replayed"
    #: The file of an export of the audit was downloaded; says how many events and bytes were released.
    AUDIT_EXPORTED = "audit.exported"
    #: The file of an export of the audit was removed because its time was over.
    AUDIT_EXPORT_EXPIRED = "audit.export.expired"
    #: Somebody signed in.
    LOGIN_SUCCEEDED = "auth.login.succeeded"
    #: An attempt to sign in was refused.
    LOGIN_FAILED = "auth.login.failed"
    #: Somebody signed out.
    LOGOUT = "auth.logout"
    #: A password held, and the second factor is asked for.
    LOGIN_CONTINUED = "auth.login.continued"
    #: Somebody showed a second factor, or proved anew who they are; says whether it held.
    FACTOR_SHOWN = "auth.factor.shown"
    #: A second factor or the recovery codes of somebody were added, removed or renewed.
    FACTOR_CHANGED = "auth.factor.changed"
    #: Sessions were ended by somebody, or because there were too many.
    SESSION_ENDED = "auth.session.ended"
    #: A person's name at an identity provider was tied to a user or no longer is, or what its groups give has changed.
    IDENTITY_CHANGED = "auth.identity.changed"
    #: A request came with no credential, or one that does not hold.
    CREDENTIAL_REFUSED = "auth.credential.refused"
    #: Somebody proved who they are and got an access token, or a new one for a refresh token.
    TOKEN_ISSUED = "auth.token.issued"  # noqa: S105 - the name of an event
    #: A refresh token was used a second time: everything that descends from it has ended.
    TOKEN_REUSED = "auth.token.reused"  # noqa: S105 - the name of an event
    #: Somebody ended the tokens of a program.
    TOKEN_REVOKED = "auth.token.revoked"  # noqa: S105 - the name of an event
    #: A limit of requests was reached; recorded once a minute for each.
    RATE_EXCEEDED = "auth.rate.exceeded"
    #: A role was made, changed or removed, or given or taken by a directory's mapping.
    ROLE_CHANGED = "access.role.changed"
    #: A role was given to a person, a group or a program.
    ROLE_GRANTED = "access.role.granted"
    #: A role was taken away from one.
    ROLE_REVOKED = "access.role.revoked"
    #: A group was made, changed or removed, or people were put into it or taken out.
    GROUP_CHANGED = "access.group.changed"
    #: Somebody may give a group or a role from now on, or no longer.
    DELEGATION_CHANGED = "access.delegation.changed"
    #: The department or clearance of a person was set.
    ATTRIBUTES_CHANGED = "access.attributes.changed"
    #: Whatever a person could still act by was ended: says how many sessions, programs, keys and leases.
    DEPROVISIONED = "access.principal.deprovisioned"
    #: A directory brought a person, changed what it says of them, or let them go.
    DIRECTORY_CHANGED = "access.directory.changed"
    #: A policy of the tenant's own forbade what somebody tried; told beside the decision.
    POLICY_VIOLATED = "data.policy.violation"
    #: A condition that somebody has to look at holds, or is worse than it was.
    ALERT_RAISED = "alert.raised"
    #: Somebody looks at an alert.
    ALERT_ACKNOWLEDGED = "alert.acknowledged"
    #: An alert was explained, or its condition has ended.
    ALERT_RESOLVED = "alert.resolved"
    #: Somebody may be taking data they should not have; names the alert.
    BREACH_SUSPECTED = "data.breach.suspected"
    #: An incident was opened, from an alert or by hand.
    INCIDENT_OPENED = "incident.opened"
    #: An incident was confirmed, dismissed, contained or closed; says which.
    INCIDENT_CHANGED = "incident.changed"
    #: Somebody did something about an incident that its timeline keeps.
    INCIDENT_RECORDED = "incident.recorded"
    #: An authority, persons or others were told of an incident.
    INCIDENT_NOTIFIED = "incident.notified"
    #: The time in which somebody has to be told of an incident ends soon, or is over.
    INCIDENT_DUE = "incident.due"
    #: A legal hold was placed: what it names is kept from now on.
    HOLD_PLACED = "legal_hold.placed"
    #: A second person said that a legal hold is right.
    HOLD_CONFIRMED = "legal_hold.confirmed"
    #: Somebody asked for the end of a legal hold, which keeps everything until another person agrees.
    HOLD_RELEASE_REQUESTED = "legal_hold.release.requested"
    #: The end of a legal hold was taken back or refused.
    HOLD_RELEASE_WITHDRAWN = "legal_hold.release.withdrawn"
    #: Two people ended a legal hold: what no other hold keeps can be deleted again.
    HOLD_RELEASED = "legal_hold.released"
    #: Somebody was told of a legal hold: what to keep, and whom to ask.
    HOLD_NOTICE_SENT = "legal_hold.notice.sent"
    #: Somebody who was told of a legal hold and said nothing was told again.
    HOLD_NOTICE_REMINDED = "legal_hold.notice.reminded"
    #: Somebody who was told of a legal hold said that they will keep what it names.
    HOLD_NOTICE_ACKNOWLEDGED = "legal_hold.notice.acknowledged"
    #: Somebody chose which events are sent where, changed that, or ended it.
    SUBSCRIPTION_CHANGED = "audit.subscription.changed"
    #: A store is nearly full, or no longer: a tenant's quota, or the disk of sealed objects.
    CAPACITY_WARNING = "storage.capacity.warning"
    #: Something the vault depends on has stopped answering.
    SERVICE_DEGRADED = "service.health.degraded"
    #: What had stopped answering is there again.
    SERVICE_RECOVERED = "service.health.recovered"
    #: A backup of the vault was made; says how much of the organization it holds.
    BACKUP_COMPLETED = "data.backup.completed"
    #: An operator brought the vault back from a backup; what is missing since is looked for.
    RECOVERY_INITIATED = "data.recovery.initiated"
    #: A report was written, or could not be; says of how many rows.
    REPORT_WRITTEN = "compliance.report.generated"
    #: The file of a report was downloaded; says how much was released.
    REPORT_RELEASED = "compliance.report.released"
    #: A dataset left for analytics under a guarantee.
    EXPORTED_ANALYTICS = "data.export.analytics"
    #: Somebody asked how the vault would decide; says what it answered.
    POLICY_EVALUATED = "policy.access.evaluated"
    #: An access policy was drafted, put in force or taken out of it.
    ACCESS_POLICY_CHANGED = "policy.access.changed"
    #: A draft of an access policy was tried on recorded decisions; says how many would come out otherwise.
    POLICY_REPLAYED = "policy.access.replayed"
    #: Tokens were given out for values; says how many of which kind, never which.
    TOKENS_ISSUED = "data.token.issued"
    #: Tokens were turned back into values; says how many.
    TOKENS_REVEALED = "data.token.revealed"
    #: Values got no token, or tokens no value; says how many for which reason.
    TOKENS_REFUSED = "data.token.refused"
    #: A scope of tokens got new keys; its old tokens still open.
    TOKENS_ROTATED = "data.token.rotated"
    #: Tokens past their end, or of erased values, were removed.
    TOKENS_REMOVED = "data.token.removed"
    #: How a scope of tokens behaves was changed: all its tokens expired, or a frequent value is allowed.
    TOKENS_CHANGED = "data.token.changed"
    #: Everything stored of a dataset was scanned by another set of detectors; says what they find more and less.
    RESCANNED = "data.rescanned"
    #: A version, or a record that could not be scanned, was put out of everybody's reach.
    QUARANTINED = "data.quarantined"
    #: Somebody looked at what was in quarantine and let it go, or discarded it.
    QUARANTINE_RELEASED = "data.quarantine.released"
    #: A key was made in the tenant's hierarchy.
    KEY_CREATED = "data.key.created"
    #: A key has a successor, and what it sealed or wrapped is sealed or wrapped anew.
    KEY_ROTATED = "data.key.rotation"
    #: Two people destroyed a key.
    KEY_DESTROYED = "data.key.destroyed"
    #: A data subject's request was taken in: by staff, a program or the public form.
    SUBJECT_REQUEST_RECEIVED = "subject.request.received"
    #: A data subject's request went from one state to another; says which.
    SUBJECT_REQUEST_MOVED = "subject.request.moved"
    #: The legal basis of what a data subject asks about was entered.
    SUBJECT_REQUEST_CHANGED = "subject.request.changed"
    #: A data subject's request was given to somebody, or to nobody.
    SUBJECT_REQUEST_ASSIGNED = "subject.request.assigned"
    #: The longer term that the law gives was taken for a data subject's request.
    SUBJECT_REQUEST_EXTENDED = "subject.request.extended"
    #: Records were entered as a data subject's; says how many of how many datasets, never which.
    SUBJECT_REQUEST_MATCHED = "subject.request.matched"
    #: A message to or from a data subject, or a note, was entered into the log of the request; never what it says.
    SUBJECT_REQUEST_CORRESPONDED = "subject.request.corresponded"
    #: A data subject's request is due within days; says how many.
    SUBJECT_REQUEST_DUE = "subject.request.due"
    #: Somebody asked for the records of a data subject as one file.
    SUBJECT_PACKAGE_REQUESTED = "subject.package.requested"
    #: The file of a data subject's records is there; says of how many records.
    SUBJECT_PACKAGE_WRITTEN = "subject.package.written"
    #: The file of a data subject's records could not be written.
    SUBJECT_PACKAGE_FAILED = "subject.package.failed"
    #: A data subject is mailed a link to the file of their records.
    SUBJECT_PACKAGE_SENT = "subject.package.sent"
    #: The file of a data subject's records was downloaded: by an officer, or by the link.
    SUBJECT_PACKAGE_DOWNLOADED = "subject.package.downloaded"
    #: The file of a data subject's records was removed because its time was over.
    SUBJECT_PACKAGE_EXPIRED = "subject.package.expired"
    #: An officer proposed what a data subject's records are to say instead; says of how many.
    SUBJECT_CORRECTION_PROPOSED = "subject.correction.proposed"
    #: What was proposed became a version of the dataset.
    SUBJECT_CORRECTION_APPLIED = "subject.correction.applied"
    #: Records of a data subject are left out of reads at their request; says for which purposes, and how many.
    SUBJECT_RESTRICTED = "subject.restricted"
    #: Records that a data subject had restricted are read again.
    SUBJECT_RESTRICTION_LIFTED = "subject.restriction.lifted"
    #: Somebody asked what the vault holds of a person; says how many identifiers of which kinds, never which.
    SUBJECT_SEARCHED = "data.subject.searched"
    #: A match of such a search was accepted or rejected.
    SUBJECT_MATCHED = "data.subject.matched"
    #: A person was erased from every store, or could not be; names the digest of the signed receipt.
    SUBJECT_ERASED = "data.subject.erased"
    #: A recipient of data was told of an erasure.
    RECIPIENT_TOLD = "data.subject.recipient_told"
    #: Records with identifiers of somebody who was erased came back.
    SUBJECT_RETURNED = "data.subject.returned"
    #: Somebody said why a record of an erased person that came back stays.
    SUBJECT_RETURN_DISMISSED = "data.subject.return_dismissed"
    #: A webhook was made, changed, switched, removed or given a new secret.
    WEBHOOK_CHANGED = "webhook.changed"
    #: A webhook was switched off by the vault: its receiver is gone, or failed for days.
    WEBHOOK_DISABLED = "webhook.disabled"
    #: The probes of an organization were run, or could not be; says how many ended how.
    PROBES_RUN = "compliance.probes.run"
    #: A probe that a control is mapped to failed, and it was not so before.
    CONTROL_FAILED = "compliance.control.failed"
    #: A control that had failed is proven again.
    CONTROL_RECOVERED = "compliance.control.recovered"
    #: Somebody attested a control outside of the software by a document, or withdrew that.
    EVIDENCE_CHANGED = "compliance.evidence.changed"


@dataclass(frozen=True)
class ResourceRef:
    """A resource by type and id, without a foreign key: it may be gone when the event is read.

    ``name`` is that of a dataset, where no personal data stands. What decides of it and is not recorded as such:
    ``tags``, ``owner`` (the id of a principal), ``residency`` and ``consent`` (codes). None or empty: not known.
    """

    type: str
    id: str = ""
    dataset_id: UUID | None = None
    classification: str = ""
    version: str = ""
    tags: tuple[str, ...] | None = None
    owner: str = ""
    residency: str = ""
    consent: str = ""
    name: str = field(default="", compare=False)


@dataclass(frozen=True)
class Event:
    """One fact. Never a data value in it: ids, types, counts, codes."""

    type: EventType
    operation: str
    resource: ResourceRef
    status: Outcome = "success"
    severity: Severity = "info"
    failure_reason: str = ""
    purpose: str = ""
    policies: tuple[str, ...] = ()
    obligations: tuple[str, ...] = ()
    metadata: Mapping[str, Any] = field(default_factory=dict)
    id: UUID = field(default_factory=uuid7)
    time: datetime = field(default_factory=lambda: datetime.now(UTC))

    def ended_by(self, exc: BaseException) -> "Event":
        """The same event as it is recorded when ``exc`` undid the operation."""
        status: Outcome = "denied" if getattr(exc, "outcome", "failure") == "denied" else "failure"
        return replace(
            self,
            type=EventType.ACCESS_DENIED if status == "denied" and self.type.startswith("data.access") else self.type,
            status=status,
            severity="warning",
            failure_reason=self.failure_reason or getattr(exc, "code", "") or type(exc).__name__,
        )


@dataclass(frozen=True)
class Recorded:
    """An event with who caused it, as a sink receives it."""

    event: Event
    tenant_id: UUID
    principal: Principal
    request: RequestFacts
