"""The case of one data subject who asks for what a law gives them."""

from django.db import models
from django.db.models.functions import Now

from vaultsite.kernel.tenancy.keys import CompositeForeignKey, TenantForeignKey
from vaultsite.kernel.tenancy.models import TenantModel, tenant_constraints


class RequestType(models.TextChoices):
    """What a subject may ask for; in brackets the article of the GDPR."""

    ACCESS = "access", "access"
    ERASURE = "erasure", "erasure"
    RECTIFICATION = "rectification", "rectification"
    PORTABILITY = "portability", "portability"
    RESTRICTION = "restriction", "restriction"
    OBJECTION = "objection", "objection"


class Law(models.TextChoices):
    """Under which law a subject asks; compliance/requests/clocks.py says what time each gives."""

    GDPR = "gdpr", "GDPR"
    UK_GDPR = "uk_gdpr", "UK GDPR"
    CCPA = "ccpa", "CCPA"
    HIPAA = "hipaa", "HIPAA"
    LGPD = "lgpd", "LGPD"


class LegalBasis(models.TextChoices):
    """On which ground the subject's data are held (GDPR, article 6)."""

    UNKNOWN = "", "not known yet"
    CONSENT = "consent", "consent"
    CONTRACT = "contract", "contract"
    LEGAL_OBLIGATION = "legal_obligation", "legal obligation"
    VITAL_INTERESTS = "vital_interests", "vital interests"
    PUBLIC_TASK = "public_task", "public task"
    LEGITIMATE_INTERESTS = "legitimate_interests", "legitimate interests"


class SubjectRequestState(models.TextChoices):
    RECEIVED = "received", "received"
    IDENTITY_PENDING = "identity_pending", "identity pending"
    VERIFIED = "verified", "verified"
    SEARCHING = "searching", "searching"
    REVIEW = "review", "in review"
    EXECUTING = "executing", "executing"
    ANSWERED = "answered", "answered"
    REFUSED = "refused", "refused"
    CLOSED = "closed", "closed"


class Channel(models.TextChoices):
    """How a message reached somebody."""

    FORM = "form", "form"
    EMAIL = "email", "e-mail"
    PHONE = "phone", "phone"
    LETTER = "letter", "letter"
    PERSON = "person", "in person"
    PROGRAM = "program", "program"


class IdentityMethod(models.TextChoices):
    """By what it was made sure that who asks is who they say."""

    NONE = "", "not verified"
    EMAIL_LINK = "email_link", "a link sent to the address"
    ACCOUNT = "account", "signed in to their account"
    DOCUMENT = "document", "an identity document"
    KNOWN = "known", "known in person"
    QUESTIONS = "questions", "questions only they can answer"
    AGENT = "agent", "an authorized agent"


class RefusalGround(models.TextChoices):
    """Why a request may be refused, with where the GDPR says so."""

    NONE = "", "not refused"
    UNIDENTIFIED = "unidentified", "the person cannot be identified (article 11(2), 12(6))"
    UNFOUNDED = "unfounded", "manifestly unfounded (article 12(5))"
    EXCESSIVE = "excessive", "excessive, in particular repetitive (article 12(5))"
    LEGAL_CLAIMS = "legal_claims", "needed for legal claims (article 17(3)(e), 18(2))"
    LEGAL_OBLIGATION = "legal_obligation", "a legal obligation to keep it (article 17(3)(b))"
    FREEDOM = "freedom", "freedom of expression and information (article 17(3)(a))"
    PUBLIC_HEALTH = "public_health", "public interest in public health (article 17(3)(c))"
    RESEARCH = "research", "archiving, research or statistics (article 17(3)(d), 21(6))"
    RIGHTS_OF_OTHERS = "rights_of_others", "rights of others would be harmed (article 15(4), 20(4))"
    NOT_APPLICABLE = "not_applicable", "the right does not apply to this basis (article 20(1), 21(1))"
    COMPELLING = "compelling", "compelling legitimate grounds (article 21(1))"


class RequestOutcome(models.TextChoices):
    """What a request came to."""

    NONE = "", "not answered"
    FULFILLED = "fulfilled", "fulfilled"
    PARTLY = "partly", "fulfilled in part"
    REFUSED = "refused", "refused"


class SubjectRequest(TenantModel):
    """One request of one data subject.

    ``facts`` are sealed: name, contact, identifiers, what they wrote (compliance/requests/sealed.py). ``subject_key``
    is an HMAC of the contact under a key of the tenant's: the same subject has the same. ``reference`` is what the
    subject is told, and tells nothing. ``due_on`` is the last day on which an answer is in time; ``paused_at`` is set
    while the clock stands still, ``paused_days`` is how long it did before. ``verified_by`` is None where a link proved
    it. ``refusal_ground`` is that of what was refused: all of it, or the part that ``outcome`` tells of.
    """

    reference = models.CharField(max_length=16)
    type = models.CharField(max_length=13, choices=RequestType.choices)
    law = models.CharField(max_length=7, choices=Law.choices)
    legal_basis = models.CharField(max_length=20, choices=LegalBasis.choices, blank=True, default="")
    channel = models.CharField(max_length=7, choices=Channel.choices)
    state = models.CharField(max_length=16, choices=SubjectRequestState.choices, default=SubjectRequestState.RECEIVED)
    facts = models.BinaryField()
    subject_key = models.BinaryField(max_length=32)
    duplicate_of = TenantForeignKey("self", on_delete=models.PROTECT, null=True, default=None)
    received_at = models.DateTimeField()
    due_on = models.DateField()
    extended_at = models.DateTimeField(null=True, default=None)
    paused_at = models.DateTimeField(null=True, default=None)
    paused_days = models.PositiveSmallIntegerField(default=0)
    assignee = models.UUIDField(null=True, default=None)
    identity_method = models.CharField(max_length=10, choices=IdentityMethod.choices, blank=True, default="")
    verified_by = models.UUIDField(null=True, default=None)
    verified_at = models.DateTimeField(null=True, default=None)
    outcome = models.CharField(max_length=9, choices=RequestOutcome.choices, blank=True, default="", db_default="")
    refusal_ground = models.CharField(max_length=16, choices=RefusalGround.choices, blank=True, default="")
    answered_at = models.DateTimeField(null=True, default=None)
    closed_at = models.DateTimeField(null=True, default=None)
    created_by = models.UUIDField()
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta(TenantModel.Meta):
        constraints = [
            *tenant_constraints(grants=("SELECT", "INSERT", "UPDATE"), system=("SELECT",)),
            CompositeForeignKey(
                name="compliance_request_duplicate_fk", field="duplicate_of", to="compliance.SubjectRequest"
            ),
            models.UniqueConstraint(fields=["tenant", "reference"], name="compliance_request_reference"),
        ]
        indexes = [
            models.Index(fields=["tenant", "due_on", "id"], name="compliance_request_due"),
            models.Index(fields=["tenant", "state", "due_on"], name="compliance_request_state"),
            models.Index(fields=["tenant", "subject_key"], name="compliance_request_subject"),
        ]

    def __str__(self) -> str:
        return f"{self.reference} ({self.type}, {self.state})"


class Direction(models.TextChoices):
    IN = "in", "from the subject"
    OUT = "out", "to the subject"
    NOTE = "note", "note"


class Correspondence(TenantModel):
    """A message from or to the subject, or a note about the case; ``body`` is sealed: its subject line and its text.

    ``mail_at`` is set while an e-mail has to go out, ``mailed_at`` once it has.
    """

    request = TenantForeignKey(SubjectRequest, on_delete=models.CASCADE, related_name="correspondence")
    direction = models.CharField(max_length=4, choices=Direction.choices)
    channel = models.CharField(max_length=7, choices=Channel.choices)
    body = models.BinaryField()
    written_by = models.UUIDField()
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    mail_at = models.DateTimeField(null=True, default=None)
    mail_attempts = models.PositiveSmallIntegerField(default=0)
    mailed_at = models.DateTimeField(null=True, default=None)

    class Meta(TenantModel.Meta):
        constraints = [
            *tenant_constraints(grants=("SELECT", "INSERT", "UPDATE"), system=("SELECT",)),
            CompositeForeignKey(name="compliance_letter_request_fk", field="request", to="compliance.SubjectRequest"),
        ]
        indexes = [
            models.Index(fields=["tenant", "request", "id"], name="compliance_letter_request"),
            models.Index(fields=["mail_at"], condition=models.Q(mail_at__isnull=False), name="compliance_letter_mail"),
        ]

    def __str__(self) -> str:
        return f"{self.direction} of {self.request_id}"


class RequestMatch(TenantModel):
    """The records of one dataset that were found to be the subject's; their ids are sealed, in order, each once."""

    request = TenantForeignKey(SubjectRequest, on_delete=models.CASCADE, related_name="matches")
    dataset = TenantForeignKey("datasets.Dataset", on_delete=models.CASCADE)
    record_ids = models.BinaryField()
    record_count = models.PositiveIntegerField()
    entered_by = models.UUIDField()
    entered_at = models.DateTimeField(db_default=Now())

    class Meta(TenantModel.Meta):
        constraints = [
            *TenantModel.Meta.constraints,
            CompositeForeignKey(
                name="compliance_request_match_request_fk", field="request", to="compliance.SubjectRequest"
            ),
            CompositeForeignKey(
                name="compliance_request_match_dataset_fk", field="dataset", to="datasets.Dataset", on_delete="CASCADE"
            ),
            models.UniqueConstraint(fields=["tenant", "request", "dataset"], name="compliance_request_match_once"),
        ]

    def __str__(self) -> str:
        return f"{self.record_count} records of {self.dataset_id}"
