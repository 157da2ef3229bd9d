"""Typed configuration: defaults < vault.toml < VAULT_* environment (VAULT_*_FILE for secrets). Fails loudly."""

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qs, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

#: Which provider speaks to the message brokers of a URL's scheme.
BROKERS: Final[Mapping[str, str]] = {
    "amqp": "audit.brokers.rabbitmq.RabbitMQ",
    "amqps": "audit.brokers.rabbitmq.RabbitMQ",
    "redis": "audit.brokers.redis_streams.RedisStreams",
    "rediss": "audit.brokers.redis_streams.RedisStreams",
    "unix": "audit.brokers.redis_streams.RedisStreams",
}
#: Members that may be given as a file.
#: How many months the audit is kept at least where it is documentation for a rule (45 CFR 164.316: six years).
DOCUMENTATION_MONTHS: Final[Mapping[str, int]] = {"": 0, "hipaa": 72}
SECRETS: Final = frozenset(
    {
        "secret_key",
        "proxy_secret",
        "database_url",
        "system_database_url",
        "owner_database_url",
        "redis_url",
        "broker_url",
        "email_password",
    }
)


@dataclass(frozen=True)
class VaultConfig:
    """Everything an operator may set. Names are those of ``vault.toml``; the environment prefixes them with VAULT_."""

    #: ``development`` or ``production``; production demands a secret key and https, and refuses demo data.
    env: str = "development"
    #: The folder of everything an embedded vault keeps.
    home: Path = Path(".vault")
    #: Signs forms; the embedded vault makes its own.
    secret_key: str = ""
    #: Host names the web answers to.
    allowed_hosts: tuple[str, ...] = ("localhost", "127.0.0.1", "[::1]")
    #: Origins from which forms may be sent, with their scheme (``https://vault.example.org``).
    trusted_origins: tuple[str, ...] = ()
    #: The serving role ``vault_app``; all that web and live processes are given.
    database_url: str = ""
    #: The role ``vault_system``, for worker, beat and relay: reaper, sweeps.
    system_database_url: str = ""
    #: The role ``vault_owner``, for migrating and maintaining only.
    owner_database_url: str = ""
    #: Broker of background work, and the layer of the live feed.
    redis_url: str = ""
    #: The message broker that the relay publishes events to (``amqp[s]://``, ``redis[s]://``); none when empty.
    broker_url: str = ""
    #: Where browsers reach the websocket process; on the page's own host.
    live_port: int = 8001
    #: The host name that security keys are bound to; pages are served from it or below it. Without it, production
    #: offers no security keys, and development binds them to the host that was asked for.
    webauthn_rp_id: str = ""
    #: The Django storage of sealed objects.
    storage_backend: str = "vaultsite.kernel.blobs.filesystem.AtomicFileSystemStorage"
    #: What its constructor is given.
    storage_options: Mapping[str, Any] = field(default_factory=dict)
    #: Where data may lie: name -> default, zone, countries, storage, replica (see docs/how-to/residency.md).
    regions: Mapping[str, Any] = field(default_factory=dict)
    #: The zones of regions that this process may process; all of them when empty.
    zones: tuple[str, ...] = ()
    #: The key management system.
    kms_backend: str = "vaultsite.kernel.crypto.kms.local.LocalKMS"
    #: What its constructor is given.
    kms_options: Mapping[str, Any] = field(default_factory=dict)
    #: The detector of personal data.
    detector_backend: str = "anonymization.detectors.engine.ConfiguredDetector"
    #: What its constructor is given.
    detector_options: Mapping[str, Any] = field(default_factory=dict)
    #: What finds people, places and organizations for the detector; empty to do without.
    name_finder_backend: str = "anonymization.names.crf.CrfNameFinder"
    #: What its constructor is given.
    name_finder_options: Mapping[str, Any] = field(default_factory=dict)
    #: Where the vault stands, to access policies that ask for it (``context.zone``): a code such as ``eu``.
    zone: str = ""
    #: Who decides what roles and access policies leave open.
    policy_backend: str = "access.policy.engine.CedarEngine"
    #: What its constructor is given.
    policy_options: Mapping[str, Any] = field(default_factory=dict)
    #: Largest decoded upload, bytes.
    max_upload_bytes: int = 20 * 1024**3
    #: Largest single record, canonical bytes.
    max_record_bytes: int = 8 * 1024**2
    #: How long a draft is kept after its last change, days.
    draft_days: int = 14
    #: How long a legal hold, which keeps everything at once, waits for its second person before it is overdue, days.
    hold_confirm_days: int = 3
    #: How long after they were told of a legal hold somebody who has not acknowledged it is told again, days.
    hold_reminder_days: int = 7
    #: How long before its end a draft is announced to expire, days.
    draft_warning_days: int = 2
    #: Drafts of at most this many staged records are published inside the request.
    publish_inline_records: int = 1000
    #: How long the files of an export are kept, days.
    export_days: int = 7
    #: How long backups of the database are kept, days; receipts of erasures say so.
    backup_days: int = 35
    #: The repository of backups, where what is erased is written down every minute; none when empty.
    backup_folder: Path = Path()
    #: The key that seals the repository.
    backup_key_file: Path = Path()
    #: The region in which the repository stands; the default one when empty. Elsewhere it takes no backup.
    backup_region: str = ""
    #: How often unreachable objects of a dataset are collected, hours.
    gc_hours: int = 24
    #: A dataset's key gets a successor when it has sealed this many objects, whatever its age.
    key_max_objects: int = 2**32
    #: How long an object that no version reaches is kept, hours.
    gc_grace_hours: int = 24
    #: How often every stored object of a dataset is read and verified, days.
    scrub_days: int = 7
    #: How long a deleted dataset can be restored, days.
    delete_undo_days: int = 7
    #: Epsilon that a family of datasets has until somebody sets its privacy budget; a decimal text.
    privacy_epsilon: str = "3"
    #: Delta of the same.
    privacy_delta: str = "0.00001"
    #: The longest a lease may last, days.
    lease_max_days: int = 90
    #: Classifications of datasets whose leases take two approvers.
    two_approver_classifications: tuple[str, ...] = ("pii", "restricted")
    #: How long a request for access waits for its approvers, days.
    access_request_days: int = 14
    #: The longest that access in an emergency may last, hours.
    break_glass_max_hours: int = 8
    #: How long a call for access in an emergency waits for a second person, minutes.
    break_glass_confirm_minutes: int = 60
    #: Networks (CIDR) that the vault may call although they are not public: where identity providers stand inside.
    outgoing_networks: tuple[str, ...] = ()
    #: What a reverse proxy sends in X-Vault-Proxy-Secret, to be believed about addresses and certificates.
    proxy_secret: str = ""
    #: Whether every connection over a unix socket is such a proxy's.
    proxy_socket: bool = False
    #: Requests a minute of one principal, and of an API key that says nothing else.
    rate_principal: int = 1000
    #: Requests a minute of one address.
    rate_address: int = 30_000
    #: How long a program stays signed in for a person without their password, days.
    refresh_days: int = 14
    #: Least k of tables about the people of a dataset, where its release rules say no other.
    minimum_k: int = 5
    #: How long a browser stays signed in, hours.
    session_hours: int = 8
    #: The file of the keys that sign the audit's checkpoints, made at first use; by default in ``home``.
    audit_key_file: Path = Path()
    #: What the logs of this vault are called in their checkpoints, before the tenant's id: better a name that no other
    #: vault has, and never another one later.
    audit_origin: str = "llm-data-vault"
    #: How often a growing log gets a signed checkpoint, seconds.
    audit_checkpoint_seconds: int = 60
    #: How long an event may wait for its seal and its checkpoint before an alert, seconds.
    audit_late_seconds: int = 600
    #: A folder, better on another machine's disk, that receives every checkpoint.
    audit_witness_folder: Path = Path()
    #: A URL that every checkpoint is posted to.
    audit_witness_url: str = ""
    #: How long checkpoints are locked in a blob store that can lock objects, days.
    audit_lock_days: int = 3650
    #: Whole months of audit events that are kept before this one; older ones are dropped by ``manage.py maintain`` once
    #: a witness holds a checkpoint over them. Their leaves stay. 0: nothing is ever dropped. 72 where
    #: VAULT_AUDIT_DOCUMENTATION asks for six years and nothing else is said.
    audit_retention_months: int = 12
    #: Whole months of them before this one that stay in the database, to be searched; older ones that are kept are
    #: moved by ``manage.py maintain`` into the archive, where exports, proofs and verifications read them. 0: all stay.
    audit_online_months: int = 3
    #: What the audit has to be kept as documentation for: ``hipaa`` refuses to keep it for less than six years
    #: (45 CFR 164.316). Empty: nothing asks for more than VAULT_AUDIT_RETENTION_MONTHS says.
    audit_documentation: str = ""
    #: Where people reach the vault (``https://vault.example.org``): what links in mails begin with.
    public_url: str = ""
    #: The SMTP server that mails are given to; none when empty: nobody is told by e-mail.
    email_host: str = ""
    #: Its port.
    email_port: int = 587
    #: The account there, if it asks for one.
    email_user: str = ""
    #: Its password.
    email_password: str = ""
    #: How the way to it is protected: ``starttls``, ``tls``, or ``none`` for a server on this machine.
    email_security: str = "starttls"
    #: Who mails are from.
    email_from: str = "vault@localhost"
    #: The least level that is logged.
    log_level: str = "INFO"

    @property
    def is_production(self) -> bool:
        return self.env == "production"

    @property
    def broker(self) -> dict[str, Any] | None:
        """Which provider publishes events, with its options; raises ImproperlyConfigured for an unknown scheme."""
        if not self.broker_url:
            return None
        scheme = self.broker_url.partition(":")[0]
        if scheme not in BROKERS:
            msg = f"VAULT_BROKER_URL must begin with one of {', '.join(BROKERS)}"
            raise ImproperlyConfigured(msg)
        return {"BACKEND": BROKERS[scheme], "OPTIONS": {"url": self.broker_url}}


def load(environ: Mapping[str, str] = os.environ) -> VaultConfig:
    """Read the configuration; raises ImproperlyConfigured naming the member that does not fit."""
    values = _from_file(Path(environ.get("VAULT_CONFIG", "vault.toml"))) | _from_environment(environ)
    config = VaultConfig(**values)
    least = DOCUMENTATION_MONTHS.get(config.audit_documentation)
    if least and "audit_retention_months" not in values:
        config = replace(config, audit_retention_months=max(least, config.audit_retention_months))
    if config.env not in {"development", "production"}:
        msg = "VAULT_ENV must be development or production"
        raise ImproperlyConfigured(msg)
    if config.email_security not in {"starttls", "tls", "none"}:
        msg = "VAULT_EMAIL_SECURITY must be starttls, tls or none"
        raise ImproperlyConfigured(msg)
    if least is None:
        msg = f"VAULT_AUDIT_DOCUMENTATION must be empty or one of {', '.join(filter(None, DOCUMENTATION_MONTHS))}"
        raise ImproperlyConfigured(msg)
    if 0 < config.audit_retention_months < least:
        msg = f"VAULT_AUDIT_RETENTION_MONTHS must be 0 or at least {least}, as VAULT_AUDIT_DOCUMENTATION asks for"
        raise ImproperlyConfigured(msg)
    if config.email_host and config.is_production and not config.public_url:
        msg = "mails hold links: set VAULT_PUBLIC_URL beside VAULT_EMAIL_HOST"
        raise ImproperlyConfigured(msg)
    return config


def _from_file(path: Path) -> dict[str, Any]:
    if not path.exists():
        return {}
    with path.open("rb") as file:
        raw = tomllib.load(file)
    known = {item.name: item for item in fields(VaultConfig)}
    unknown = sorted(set(raw) - set(known))
    if unknown:
        msg = f"{path.name} has unknown members: {', '.join(unknown)}"
        raise ImproperlyConfigured(msg)
    return {name: _coerce(name, known[name].type, value) for name, value in raw.items()}


def _from_environment(environ: Mapping[str, str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for item in fields(VaultConfig):
        name = f"VAULT_{item.name.upper()}"
        if item.name in SECRETS and f"{name}_FILE" in environ:
            found[item.name] = Path(environ[f"{name}_FILE"]).read_text(encoding="utf-8").strip()
        elif name in environ:
            found[item.name] = _coerce(item.name, item.type, environ[name])
    return found


def _coerce(name: str, kind: Any, value: Any) -> Any:
    kind = str(getattr(kind, "__name__", kind))
    try:
        if kind == "Path":
            return Path(value)
        if kind == "int":
            return int(value)
        if kind == "bool":
            return value if isinstance(value, bool) else {"true": True, "false": False}[str(value).lower()]
        if kind.startswith("tuple"):
            return tuple(value.split(",")) if isinstance(value, str) else tuple(value)
        if kind.startswith("Mapping"):
            return tomllib.loads(value) if isinstance(value, str) else dict(value)
    except (ValueError, TypeError, KeyError) as exc:
        msg = f"{name} is not a valid {kind}"
        raise ImproperlyConfigured(msg) from exc
    return value


def parse_database_url(url: str) -> dict[str, Any]:
    """``postgres://user:password@host:port/name`` or, for a socket, ``postgres://user:password@/name?host=/dir``."""
    parts = urlsplit(url)
    if parts.scheme not in {"postgres", "postgresql"}:
        msg = "a database URL starts with postgres://"
        raise ImproperlyConfigured(msg)
    query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    return {
        "NAME": unquote(parts.path.lstrip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": query.pop("host", parts.hostname or ""),
        "PORT": str(parts.port or ""),
        "OPTIONS": query,
    }
