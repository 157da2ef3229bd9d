"""What somebody proves to be themselves with beside a password."""

from django.db import models
from django.db.models.functions import Now

from vaultsite.kernel.tenancy.keys import CompositeForeignKey, TenantForeignKey
from vaultsite.kernel.tenancy.models import TenantModel


class TotpDevice(TenantModel):
    """An authenticator app (RFC 6238). ``sealed`` is its seed; no code of ``last_step`` or before counts again."""

    user = TenantForeignKey("access.User", models.CASCADE)
    name = models.CharField(max_length=60)
    sealed = models.BinaryField()
    last_step = models.BigIntegerField()
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    last_used_at = models.DateTimeField(null=True, default=None)

    class Meta(TenantModel.Meta):
        constraints = [
            *TenantModel.Meta.constraints,
            CompositeForeignKey(name="access_totpdevice_user", field="user", to="access.User", on_delete="CASCADE"),
        ]
        indexes = [models.Index(fields=["tenant", "user"], name="access_totpdevice_by_user")]


class SecurityKey(TenantModel):
    """A WebAuthn credential: a security key or a passkey. ``public_key`` is COSE, ``sign_count`` its last counter."""

    user = TenantForeignKey("access.User", models.CASCADE)
    name = models.CharField(max_length=60)
    credential_id = models.BinaryField(max_length=1023)
    public_key = models.BinaryField()
    sign_count = models.BigIntegerField()
    transports = models.JSONField(default=list)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    last_used_at = models.DateTimeField(null=True, default=None)

    class Meta(TenantModel.Meta):
        constraints = [
            *TenantModel.Meta.constraints,
            CompositeForeignKey(name="access_securitykey_user", field="user", to="access.User", on_delete="CASCADE"),
            models.UniqueConstraint(fields=["tenant", "credential_id"], name="access_securitykey_credential"),
        ]
        indexes = [models.Index(fields=["tenant", "user"], name="access_securitykey_by_user")]


class RecoveryCode(TenantModel):
    """Opens once what a lost factor opened. ``code_hash`` is the SHA-256 of 120 random bits."""

    user = TenantForeignKey("access.User", models.CASCADE)
    code_hash = models.BinaryField(max_length=32)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    used_at = models.DateTimeField(null=True, default=None)

    class Meta(TenantModel.Meta):
        constraints = [
            *TenantModel.Meta.constraints,
            CompositeForeignKey(name="access_recoverycode_user", field="user", to="access.User", on_delete="CASCADE"),
            models.UniqueConstraint(fields=["tenant", "user", "code_hash"], name="access_recoverycode_code"),
        ]
