"""Django settings, fed by vaultsite.config."""

import os
from datetime import timedelta
from pathlib import Path
from typing import Any

import celery.schedules  # noqa: F401 - fails here, loudly, when Celery is missing
from csp.constants import NONCE, NONE, SELF
from django.core.exceptions import ImproperlyConfigured
from django.urls import reverse_lazy

from vaultsite.config import load, parse_database_url
from vaultsite.kernel.regions import parse_regions, storages_of
from vaultsite.runtime.environment import load_embedded
from vaultsite.unfold import UNFOLD  # noqa: F401 - a setting of django-unfold

BASE_DIR = Path(__file__).resolve().parent.parent
load_embedded(Path(os.environ.get("VAULT_HOME", BASE_DIR / ".vault")))
CONFIG = load()
VAULT_HOME = CONFIG.home.resolve()

DEBUG = False
SECRET_KEY = CONFIG.secret_key
if not SECRET_KEY:
    if CONFIG.is_production:
        msg = "VAULT_SECRET_KEY (or VAULT_SECRET_KEY_FILE) is required"
        raise ImproperlyConfigured(msg)
    SECRET_KEY = "not-a-secret: only signs forms of a vault that holds nothing yet"  # noqa: S105 - replaced by make run
ALLOWED_HOSTS = list(CONFIG.allowed_hosts)
CSRF_TRUSTED_ORIGINS = list(CONFIG.trusted_origins)

INSTALLED_APPS = [
    "unfold.apps.BasicAppConfig",  # the default one puts its own site in place of ours
    "unfold.contrib.filters",
    "vaultsite.apps.RoofConfig",
    "vaultsite.apps.VaultAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "channels",
    "guardian",
    "access",
    "audit",
    "anonymization",
    "datasets",
    "compliance",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "access.auth.proxy.TrustedProxyMiddleware",
    "vaultsite.kernel.tenancy.middleware.RequestFactsMiddleware",
    "access.limits.middleware.RateLimitMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
ROOT_URLCONF = "vaultsite.urls"
WSGI_APPLICATION = "vaultsite.wsgi.application"
ASGI_APPLICATION = "vaultsite.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "csp.context_processors.nonce",
            ],
        },
    },
]


def _database(url: str, **pool: int) -> dict[str, Any]:
    settings: dict[str, Any] = parse_database_url(url) if url else {"NAME": "vault"}
    options = {"server_side_binding": True, **settings.pop("OPTIONS", {})}
    if pool:
        # An attempt to connect that failed waits twice as long before the next, and nobody else tries meanwhile: given
        # five minutes, as is the pool's custom, it would keep an organization out long after PostgreSQL is back. It is
        # given up before whoever waits for it, so that the next request connects at once.
        options["pool"] = {"min_size": 0, "timeout": 10, "reconnect_timeout": 8, **pool}
    return {
        "ENGINE": "vaultsite.kernel.postgresql",
        "DISABLE_SERVER_SIDE_CURSORS": True,
        "ATOMIC_REQUESTS": False,
        "OPTIONS": options,
        **settings,
    }


#: default and durable serve as vault_app, system as vault_system; owner migrates and maintains, absent elsewhere.
DATABASES: dict[str, dict[str, Any]] = {
    "default": _database(CONFIG.database_url, max_size=12),
    "durable": _database(CONFIG.database_url, max_size=4),
}
if CONFIG.system_database_url:
    DATABASES["system"] = _database(CONFIG.system_database_url, max_size=4)
if CONFIG.owner_database_url:
    DATABASES["owner"] = _database(CONFIG.owner_database_url)
DATABASE_ROUTERS = ["vaultsite.kernel.tenancy.router.ScopeRouter"]
#: Usernames are unique within a tenant, which our own backend knows.
SILENCED_SYSTEM_CHECKS = ["auth.W004", "guardian.W001"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

EXPORT_DAYS = CONFIG.export_days
BACKUP_DAYS = CONFIG.backup_days
BACKUP_FOLDER = CONFIG.backup_folder if CONFIG.backup_folder != Path() else None
BACKUP_KEY_FILE = CONFIG.backup_key_file if CONFIG.backup_key_file != Path() else None
BACKUP_REGION = CONFIG.backup_region
GC_HOURS = CONFIG.gc_hours
KEY_MAX_OBJECTS = CONFIG.key_max_objects
GC_GRACE_HOURS = CONFIG.gc_grace_hours
SCRUB_DAYS = CONFIG.scrub_days
MAX_UPLOAD_BYTES = CONFIG.max_upload_bytes
DELETE_UNDO_DAYS = CONFIG.delete_undo_days
LEASE_MAX_DAYS = CONFIG.lease_max_days
TWO_APPROVER_CLASSIFICATIONS = CONFIG.two_approver_classifications
ACCESS_REQUEST_DAYS = CONFIG.access_request_days
BREAK_GLASS_MAX_HOURS = CONFIG.break_glass_max_hours
BREAK_GLASS_CONFIRM_MINUTES = CONFIG.break_glass_confirm_minutes
MAX_RECORD_BYTES = CONFIG.max_record_bytes
DRAFT_DAYS = CONFIG.draft_days
HOLD_CONFIRM_DAYS = CONFIG.hold_confirm_days
HOLD_REMINDER_DAYS = CONFIG.hold_reminder_days
DRAFT_WARNING_DAYS = CONFIG.draft_warning_days
PUBLISH_INLINE_RECORDS = CONFIG.publish_inline_records
RATE_PRINCIPAL = CONFIG.rate_principal
RATE_ADDRESS = CONFIG.rate_address
REFRESH_LIFETIME = timedelta(days=CONFIG.refresh_days)
VAULT: dict[str, Any] = {
    "KMS": {
        "BACKEND": CONFIG.kms_backend,
        "OPTIONS": dict(CONFIG.kms_options) or {"directory": str(VAULT_HOME / "kms")},
    },
    "DETECTOR": {"BACKEND": CONFIG.detector_backend, "OPTIONS": dict(CONFIG.detector_options)},
    "BROKER": CONFIG.broker,
    "POLICY": {"BACKEND": CONFIG.policy_backend, "OPTIONS": dict(CONFIG.policy_options)},
    "ZONE": CONFIG.zone,
    "REGIONS": parse_regions(CONFIG.regions),
    "ZONES": frozenset(CONFIG.zones),
    "PRIVACY_EPSILON": CONFIG.privacy_epsilon,
    "PRIVACY_DELTA": CONFIG.privacy_delta,
    "MINIMUM_K": CONFIG.minimum_k,
    "NAME_FINDER": CONFIG.name_finder_backend
    and {"BACKEND": CONFIG.name_finder_backend, "OPTIONS": dict(CONFIG.name_finder_options)},
    "OUTGOING_NETWORKS": CONFIG.outgoing_networks,
    "PROXY_SECRET": CONFIG.proxy_secret,
    "PROXY_SOCKET": CONFIG.proxy_socket,
    "LIVE_PORT": CONFIG.live_port,
    "WEBAUTHN_RP_ID": CONFIG.webauthn_rp_id,
    "HOME": VAULT_HOME,
    "AUDIT_KEY_FILE": CONFIG.audit_key_file if CONFIG.audit_key_file != Path() else VAULT_HOME / "audit-keys.pem",
    "AUDIT_ORIGIN": CONFIG.audit_origin,
    "AUDIT_CHECKPOINT_SECONDS": CONFIG.audit_checkpoint_seconds,
    "AUDIT_LATE_SECONDS": CONFIG.audit_late_seconds,
    "AUDIT_WITNESS_FOLDER": CONFIG.audit_witness_folder if CONFIG.audit_witness_folder != Path() else None,
    "AUDIT_WITNESS_URL": CONFIG.audit_witness_url,
    "AUDIT_LOCK_DAYS": CONFIG.audit_lock_days,
    "AUDIT_RETENTION_MONTHS": CONFIG.audit_retention_months,
    "AUDIT_ONLINE_MONTHS": CONFIG.audit_online_months,
    "AUDIT_DOCUMENTATION": CONFIG.audit_documentation,
    "IS_PRODUCTION": CONFIG.is_production,
}
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"},
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage",
        "OPTIONS": {"file_permissions_mode": 0o600},
    },
    "vault": {
        "BACKEND": CONFIG.storage_backend,
        "OPTIONS": dict(CONFIG.storage_options) or {"location": str(VAULT_HOME / "blobs")},
    },
    **storages_of(CONFIG.regions),
}
STATIC_URL = "/static/"
STATIC_ROOT = VAULT_HOME / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
#: Uploads are read from the raw request stream; nothing may spool a body to a temporary file in the clear.
FILE_UPLOAD_HANDLERS = ["django.core.files.uploadhandler.MemoryFileUploadHandler"]

AUTH_USER_MODEL = "access.User"
# Of guardian the direct relations alone are used (datasets.models.object_permission): it finds no user without a
# tenant, and asks users for groups that ours do not have.
ANONYMOUS_USER_NAME = None
GUARDIAN_MONKEY_PATCH_USER = GUARDIAN_MONKEY_PATCH_GROUP = False
AUTHENTICATION_BACKENDS = ["access.auth.backends.TenantBackend", "access.federation.oidc.backend.OpenIDBackend"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "access.auth.passwords.GuessablePasswordValidator"},
]
EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
if not CONFIG.email_host:
    EMAIL_BACKEND = f"django.core.mail.backends.{'dummy' if CONFIG.is_production else 'console'}.EmailBackend"
EMAIL_HOST, EMAIL_PORT = CONFIG.email_host, CONFIG.email_port
EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = CONFIG.email_user, CONFIG.email_password
EMAIL_USE_TLS, EMAIL_USE_SSL = CONFIG.email_security == "starttls", CONFIG.email_security == "tls"
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = SERVER_EMAIL = CONFIG.email_from
PUBLIC_URL = CONFIG.public_url.rstrip("/")
LOGIN_URL = reverse_lazy("admin:login")
SESSION_ENGINE = "access.auth.sessions"
SESSION_COOKIE_NAME = "vault_session"
SESSION_COOKIE_AGE = int(timedelta(hours=CONFIG.session_hours).total_seconds())
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_SERIALIZER = "django.contrib.sessions.serializers.JSONSerializer"
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"
CSRF_COOKIE_NAME = "vault_csrf"
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_FAILURE_VIEW = "vaultsite.pages.csrf_failure"

SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
if CONFIG.is_production:
    SECURE_SSL_REDIRECT = True
    SECURE_REDIRECT_EXEMPT = [r"^health"]  # asked by what stands beside the process, not through the proxy
    SECURE_HSTS_SECONDS = 31_536_000
    SECURE_HSTS_INCLUDE_SUBDOMAINS = True
    SECURE_HSTS_PRELOAD = True
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SESSION_COOKIE_SECURE = True
    CSRF_COOKIE_SECURE = True
#: A policy can name hosts and "*.host", but no IPv6 address (CSP3, section 2.3.1).
LIVE_HOSTS = [f"*{host}" if host.startswith(".") else host for host in CONFIG.allowed_hosts if "[" not in host]
LIVE_SCHEME = "wss" if CONFIG.is_production else "ws"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        # Alpine, which unfold ships, evaluates its attribute expressions.
        "script-src": [SELF, NONCE, "'unsafe-eval'"],
        "style-src": [SELF, "'unsafe-inline'"],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        # The live feed answers on a port of its own, which no keyword of the policy covers.
        "connect-src": [SELF, *(f"{LIVE_SCHEME}://{host}:{CONFIG.live_port}" for host in LIVE_HOSTS)],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
        "base-uri": [NONE],
    },
}

LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_TZ = True
USE_I18N = False
FORMAT_MODULE_PATH = ["vaultsite.formats"]

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["vaultsite.kernel.api.authentication.ResolvedPrincipal"],
    "DEFAULT_PERMISSION_CLASSES": [],
    "DEFAULT_RENDERER_CLASSES": ["vaultsite.kernel.api.renderers.CanonicalJSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["vaultsite.kernel.api.parsers.StrictJSONParser"],
    "DEFAULT_SCHEMA_CLASS": "vaultsite.kernel.api.schema.VaultAutoSchema",
    "EXCEPTION_HANDLER": "vaultsite.kernel.api.problem.render_exception",
    "UNAUTHENTICATED_USER": None,
    # ?format= names the format of an upload, not that of the answer.
    "URL_FORMAT_OVERRIDE": None,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "LLM Data Vault",
    "DESCRIPTION": "Datasets of prompts, responses, fine-tuning and evaluation data: scanned, sealed, versioned, and "
    "released as far as policy and purpose allow.",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "SERVE_PERMISSIONS": [],
    # Members of one name and different choices: what each set of choices is called.
    "ENUM_NAME_OVERRIDES": {
        "JobStatusEnum": "vaultsite.kernel.jobs.JobStatus",
        "AccountKindEnum": "access.models.service_account.AccountKind",
        "PrincipalKindEnum": ["user", "service", "system"],
        "VersionKindEnum": "datasets.models.version.VersionKind",
        "IngestFormatEnum": "datasets.models.ingest.IngestFormat",
        "EdgeKindEnum": "datasets.models.lineage.EdgeKind",
        "ExportFormatEnum": "datasets.models.export.ExportFormat",
        "AuditExportFormatEnum": "audit.models.export.AuditExportFormat",
        "EventFormatEnum": "audit.catalog.envelope.FORMATS",
        "TechniqueEnum": ["k-anonymity"],
        "DiversityKindEnum": "anonymization.guarantees.guarantee.DiversityKind",
        "HierarchyKindEnum": "datasets.services.guaranteed.options.HierarchyKind",
        "PolicyAttachmentKindEnum": "anonymization.models.policy.AttachmentKind",
        "ReviewVerdictEnum": "datasets.models.merge.Verdict",
        "FeedbackVerdictEnum": "anonymization.models.trust.FindingFeedback.VERDICTS",
        "ListKindEnum": "anonymization.models.trust.ListKind",
        "TokenKindEnum": ["random", "deterministic", "format"],
        "HolderKindEnum": "access.models.lease.HolderKind",
        "LeaseKindEnum": "access.models.lease.LeaseKind",
        "GrantKindEnum": "access.models.access_review.GrantKind",
        "GrantVerdictEnum": "access.models.access_review.Verdict",
        "ShownEnum": "access.models.lease.Shown",
        "AccessRequestStateEnum": "access.models.access_request.RequestState",
        "AlertStateEnum": "audit.models.alert.AlertState",
        "AlertVerdictEnum": "audit.models.alert.AlertVerdict",
        "HoldKindEnum": "datasets.models.hold.HoldKind",
        "HoldStateEnum": "compliance.models.hold.STATES",
        "AlertFindingEnum": ["mended", "expected", "incident"],
        "ClassificationEnum": "datasets.models.dataset.Classification",
        "ReportFormatEnum": "compliance.models.report.ReportFormat",
        "ConsentStateEnum": ["given", "expired", "withdrawn"],
        "ConsentFormatEnum": ["jsonl", "csv"],
        "ControlStateEnum": ["failed", "not_proven", "proven", "outside", "attested"],
        "ProbeStateEnum": "compliance.models.posture.ProbeState",
        "SeverityEnum": "audit.models.alert.AlertSeverity",
        "LawEnum": [("gdpr", "GDPR"), ("hipaa", "HIPAA")],
        "IncidentSeverityEnum": "compliance.models.incidents.IncidentSeverity",
        "IncidentStateEnum": "compliance.models.incidents.IncidentState",
        "RequestLawEnum": "compliance.models.request.Law",
        "RequestTypeEnum": "compliance.models.request.RequestType",
        "RequestStateEnum": "compliance.models.request.SubjectRequestState",
        "ErasureBasisEnum": "compliance.models.subjects.LegalBasis",
        "LawfulBasisEnum": "access.models.purpose.LawfulBasis",
        "RefusalGroundEnum": "compliance.models.request.RefusalGround",
        "RequestOutcomeEnum": "compliance.models.request.RequestOutcome",
        "WithdrawalEffectEnum": "compliance.models.consent.WithdrawalEffect",
        "RetentionStoreEnum": ["exports", "analytics", "audit_exports", "drafts", "tokens"],
        "VerifyingMethodEnum": [
            ("account", "signed in to their account"),
            ("document", "an identity document"),
            ("known", "known in person"),
            ("questions", "questions only they can answer"),
            ("agent", "an authorized agent"),
        ],
        "FieldDecisionEnum": "anonymization.models.trust.FieldEntry.DECISIONS",
        "MatchDecisionEnum": [("accepted", "the person's"), ("rejected", "somebody else's")],
        "TokenAudienceEnum": ["grpc", "live", "rest"],
        "BreachAudienceEnum": ["authority", "persons", "controller", "hhs", "media"],
    },
    "APPEND_COMPONENTS": {
        "securitySchemes": {
            "apiKey": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
            "bearer": {"type": "http", "scheme": "bearer", "description": "The same API key as a bearer token"},
        }
    },
}

REDIS_URL = CONFIG.redis_url or "redis://127.0.0.1:6379/0"
CHANNEL_LAYERS = {
    "default": {"BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer", "CONFIG": {"hosts": [REDIS_URL]}}
}
CELERY_BROKER_URL = REDIS_URL.replace("unix://", "redis+socket://", 1)
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_MAX_MEMORY_PER_CHILD = 500_000  # KiB; a child is replaced between tasks
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
#: A broker that is away delays a request by a moment only: the reaper sends what could not be sent.
CELERY_BROKER_TRANSPORT_OPTIONS = {"visibility_timeout": 5 * 3600, "max_retries": 1, "interval_start": 0}
# A build cannot stop half-way; its lease, not this limit, tells whether it lives.
CELERY_TASK_TIME_LIMIT = 4 * 3600
CELERY_BEAT_SCHEDULE = {
    "tell-people": {"task": "audit.tell_people", "schedule": 5.0},
    "send-mails": {"task": "audit.send_mails", "schedule": 30.0},
    "announce-endings": {"task": "audit.announce_endings", "schedule": 3600.0},
    "seal-events": {"task": "audit.seal_events", "schedule": 30.0},  # the relay does it every second
    "seal-late-events": {"task": "audit.seal_late_events", "schedule": 300.0},
    "seal-forgotten-events": {"task": "audit.seal_forgotten_events", "schedule": 86_400.0},
    "sign-checkpoints": {"task": "audit.sign_checkpoints", "schedule": 10.0},
    "watch-sealing": {"task": "audit.watch_sealing", "schedule": 60.0},
    "watch-surroundings": {"task": "vaultsite.watch", "schedule": 60.0},
    "wake-overdue-jobs": {"task": "vaultsite.reap_jobs", "schedule": 10.0},
    "watch-activity": {"task": "audit.watch_activity", "schedule": 60.0},
    "purge-expired": {"task": "access.purge_expired", "schedule": 600.0},
    "close-access-reviews": {"task": "access.close_reviews", "schedule": 60.0},
    "recheck-directories": {"task": "access.recheck_directories", "schedule": 900.0},
    "expire-audit-exports": {"task": "audit.expire_exports", "schedule": 600.0},
    "expire-reports": {"task": "compliance.expire_reports", "schedule": 600.0},
    "forget-identifiers": {"task": "compliance.forget_identifiers", "schedule": 3600.0},
    "expire-exports": {"task": "datasets.expire_exports", "schedule": 600.0},
    "expire-guaranteed-exports": {"task": "datasets.expire_guaranteed_exports", "schedule": 600.0},
    "plan-scheduled-exports": {"task": "datasets.plan_scheduled_exports", "schedule": 300.0},
    "plan-rescans": {"task": "datasets.plan_rescans", "schedule": 600.0},
    "plan-upkeep": {"task": "datasets.plan_upkeep", "schedule": 900.0},
    "find-held-records": {"task": "datasets.find_held_records", "schedule": 60.0},
    "expire-drafts": {"task": "datasets.expire_drafts", "schedule": 600.0},
    "plan-key-rotations": {"task": "datasets.plan_rotations", "schedule": 3600.0},
    "expire-tokens": {"task": "anonymization.expire_tokens", "schedule": 300.0},
    "mail-subjects": {"task": "compliance.mail_subjects", "schedule": 30.0},
    "expire-packages": {"task": "compliance.expire_packages", "schedule": 600.0},
    "remind-of-requests": {"task": "compliance.remind_of_requests", "schedule": 1800.0},
    "remind-custodians": {"task": "compliance.remind_custodians", "schedule": 3600.0},
    "watch-incidents": {"task": "compliance.watch_incidents", "schedule": 300.0},
    "plan-retention": {"task": "compliance.plan_retention", "schedule": 900.0},
    "write-replay-journal": {"task": "compliance.ship_journal", "schedule": 60.0},
    "sweep-blobs": {"task": "datasets.sweep_blobs", "schedule": 60.0},
    "plan-probes": {"task": "compliance.plan_probes", "schedule": 3600.0},
}

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"()": "vaultsite.kernel.logs.EscapingFormatter"}},
    "filters": {"task_failures": {"()": "vaultsite.kernel.logs.TaskFailureFilter"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": CONFIG.log_level},
    "loggers": {
        # Django's request log prints paths with query strings' errors; ours carries none.
        "django.request": {"level": "ERROR"},
        "celery.app.trace": {"filters": ["task_failures"]},
        "presidio-analyzer": {"level": "ERROR"},
        "tldextract": {"level": "CRITICAL"},
        # At DEBUG it would write requests and tokens.
        "oauthlib": {"level": "ERROR"},
        # At DEBUG it would write whole messages, and at ERROR what forgers put into them; refusals are events.
        "saml2": {"level": "CRITICAL"},
        # It would write names that people type.
        "django_auth_ldap": {"level": "ERROR"},
    },
}
