"""The base of every error the vault raises on purpose, and the kernel's own errors."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from types import MappingProxyType
from typing import Any, ClassVar, Final

#: Which code numbers belong to which category, and which top-level package may define them.
RANGES: Final = MappingProxyType(
    {
        "AUTH": (range(1000, 2000), "access"),
        "AUTHZ": (range(2000, 3000), "access"),
        "VALID": (range(3000, 4000), "vaultsite"),
        "DATA": (range(4000, 5000), "datasets"),
        "CRYPTO": (range(5000, 6000), "vaultsite"),
        "ANON": (range(6000, 7000), "anonymization"),
        "AUDIT": (range(7000, 8000), "audit"),
        "COMP": (range(8000, 9000), "compliance"),
        "SYS": (range(9000, 10000), "vaultsite"),
    }
)


@dataclass(frozen=True)
class FieldProblem:
    """One thing wrong with the input: a JSON pointer or parameter name, and the line of an uploaded file."""

    field: str
    detail: str
    line: int | None = None

    def as_json(self) -> dict[str, Any]:
        return {name: value for name, value in asdict(self).items() if value is not None}


class VaultError(Exception):
    """An error with a stable code, rendered as RFC 9457 problem details by every surface.

    Subclasses set ``code`` (``VAULT_DATA_4002``), ``slug``, ``status`` (HTTP) and ``title``. A class without a code of
    its own groups others. ``detail`` and ``extra`` never carry a data value: they travel to logs and clients.
    """

    code: ClassVar[str] = ""
    slug: ClassVar[str] = ""
    status: ClassVar[int] = 500
    title: ClassVar[str] = ""
    #: Seconds after which trying again makes sense (the Retry-After header), where that is known.
    retry_after: ClassVar[int | None] = None
    #: How the audit words it when this error ends an operation: ``failure``, or ``denied`` for decisions.
    outcome: ClassVar[str] = "failure"

    _catalogue: ClassVar[dict[str, type["VaultError"]]] = {}

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "code" in cls.__dict__:
            cls._register()

    def __init__(self, detail: str = "", *, errors: Sequence[FieldProblem] = (), **extra: Any) -> None:
        super().__init__(detail or self.title)
        self.detail = detail
        self.errors = tuple(errors)
        self.extra = extra

    @classmethod
    def _register(cls) -> None:
        _check_range(cls)
        if cls.code in cls._catalogue:
            msg = f"{cls.code} is already {cls._catalogue[cls.code].__qualname__}"
            raise TypeError(msg)
        cls._catalogue[cls.code] = cls

    def as_problem(self, *, trace_id: str = "") -> dict[str, Any]:
        """RFC 9457 members plus ``code``, ``trace_id`` and ``errors[]``."""
        problem: dict[str, Any] = {
            "type": f"urn:llm-data-vault:error:{self.slug}",
            "title": self.title,
            "status": self.status,
            "code": self.code,
        }
        if self.detail:
            problem["detail"] = self.detail
        if trace_id:
            problem["trace_id"] = trace_id
        if self.errors:
            problem["errors"] = [problem_.as_json() for problem_ in self.errors]
        return problem | self.extra


def catalogue() -> Iterator[type[VaultError]]:
    """Every concrete error class, in order of code."""
    yield from (VaultError._catalogue[code] for code in sorted(VaultError._catalogue))  # noqa: SLF001 - same module


def _check_range(cls: type[VaultError]) -> None:
    prefix, _, number = cls.code.removeprefix("VAULT_").partition("_")
    allowed, package = RANGES.get(prefix, (range(0), ""))
    top = cls.__module__.partition(".")[0]
    if not number.isdigit() or int(number) not in allowed or top not in (package, "tests"):
        msg = f"{cls.code!r} is outside the range of {cls.__module__}"
        raise TypeError(msg)


class InvalidInput(VaultError):
    code, slug, status = "VAULT_VALID_3001", "invalid-input", 400
    title = "The request has invalid members"


class MalformedJSON(VaultError):
    code, slug, status = "VAULT_VALID_3002", "malformed-json", 400
    title = "The request body is not valid JSON"


class UnsupportedMethod(VaultError):
    code, slug, status = "VAULT_VALID_3003", "method-not-allowed", 405
    title = "This resource does not support the method"


class NotAcceptable(VaultError):
    code, slug, status = "VAULT_VALID_3004", "not-acceptable", 406
    title = "No acceptable representation"


class UnsupportedMediaType(VaultError):
    code, slug, status = "VAULT_VALID_3005", "unsupported-media-type", 415
    title = "This media type is not understood here"


class BodyTooLarge(VaultError):
    code, slug, status = "VAULT_VALID_3006", "body-too-large", 413
    title = "The request body is larger than this resource accepts"


class UnknownPath(VaultError):
    code, slug, status = "VAULT_VALID_3007", "unknown-path", 404
    title = "No such path"


class InvalidCursor(VaultError):
    code, slug, status = "VAULT_VALID_3008", "invalid-cursor", 400
    title = "The cursor was not made by this listing"


class IntegrityFailure(VaultError):
    """A sealed object did not open: wrong key, wrong place, or changed bytes. The three are not told apart."""

    code, slug, status = "VAULT_CRYPTO_5001", "integrity-failure", 500
    title = "A sealed object could not be opened"


class KeyUnavailable(VaultError):
    code, slug, status = "VAULT_CRYPTO_5002", "key-unavailable", 503
    title = "A key could not be obtained from the key management system"
    retry_after = 5


class KeyDestroyed(VaultError):
    code, slug, status = "VAULT_CRYPTO_5003", "key-destroyed", 410
    title = "The key of this data was destroyed"


class UnsupportedSealing(VaultError):
    code, slug, status = "VAULT_CRYPTO_5004", "unsupported-sealing", 500
    title = "This sealing format is not known"


class InternalFault(VaultError):
    code, slug, status = "VAULT_SYS_9001", "internal-error", 500
    title = "Something failed on our side"


class DatabaseUnavailable(VaultError):
    code, slug, status = "VAULT_SYS_9002", "database-unavailable", 503
    title = "The database is not reachable"
    retry_after = 5


class StorageUnavailable(VaultError):
    code, slug, status = "VAULT_SYS_9003", "storage-unavailable", 503
    title = "The object store is not reachable"
    retry_after = 5


class StorageFull(VaultError):
    code, slug, status = "VAULT_SYS_9004", "storage-full", 507
    title = "There is no room left to store this"


class BlobMissing(VaultError):
    code, slug, status = "VAULT_SYS_9005", "blob-missing", 500
    title = "A stored object is missing"


class AuditUnavailable(VaultError):
    """No audit row, no access: the operation was undone because its event could not be recorded."""

    code, slug, status = "VAULT_SYS_9006", "audit-unavailable", 503
    title = "The audit log could not be written, so nothing was done"
    retry_after = 5


class NotReady(VaultError):
    code, slug, status = "VAULT_SYS_9007", "not-ready", 503
    title = "The service is not ready"
    retry_after = 5


class NoTenantScope(VaultError):
    """A database statement was attempted outside a tenant scope: a defect in the code, never a user's fault."""

    code, slug, status = "VAULT_SYS_9008", "no-tenant-scope", 500
    title = "A statement ran outside a tenant scope"


class ScopeConflict(VaultError):
    code, slug, status = "VAULT_SYS_9009", "scope-conflict", 500
    title = "A scope of another tenant is already open"


class JobFenced(VaultError):
    """Another worker holds the job now; this one must stop without effect."""

    code, slug, status = "VAULT_SYS_9010", "job-fenced", 409
    title = "The job was taken over by another worker"


class JobExhausted(VaultError):
    code, slug, status = "VAULT_SYS_9011", "job-exhausted", 500
    title = "The job was tried too often without finishing"


class ProviderMissing(VaultError):
    code, slug, status = "VAULT_SYS_9012", "provider-missing", 500
    title = "A configured provider cannot be loaded"


class RegionNotServed(VaultError):
    """The data lies in a region that this process may not process, or that nobody has declared."""

    code, slug, status = "VAULT_SYS_9013", "region-not-served", 503
    title = "This process does not serve the region of this data"
    retry_after = 5


class RefusedByFramework(VaultError):
    """Django refused before any decision was asked for: a missing CSRF token, a foreign origin."""

    code, slug, status = "VAULT_VALID_3009", "refused", 403
    title = "The request was refused"
    outcome = "denied"


class LengthRequired(VaultError):
    code, slug, status = "VAULT_VALID_3010", "body-incomplete", 400
    title = "The request body ended before its declared length"


class RequestInFlight(VaultError):
    """The first request with this idempotency key has not been answered yet."""

    code, slug, status = "VAULT_VALID_3011", "request-in-flight", 409
    title = "A request with this idempotency key is being worked on"
    retry_after = 1


class IdempotencyMismatch(VaultError):
    code, slug, status = "VAULT_VALID_3012", "idempotency-mismatch", 422
    title = "This idempotency key was used for another request"
