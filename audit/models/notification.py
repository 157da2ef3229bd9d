"""Notifications: what a person was told, and how they want to be told."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from vaultsite.kernel.tenancy.keys import CompositeForeignKey, TenantForeignKey
from vaultsite.kernel.tenancy.models import TenantModel, tenant_constraints


class Notification(TenantModel):
    """One thing a person was told. ``cause`` names it, so that it is told once: an event's id, an alert's.

    ``subject`` is a sentence of ours without names or values of data, ``url`` the path of the page that shows the rest.
    ``mail_at`` says when it goes out by e-mail at the earliest (None: not by e-mail), ``mailed_at`` that it went.
    """

    user = TenantForeignKey("access.User", on_delete=models.CASCADE)
    kind = models.CharField(max_length=40)
    cause = models.CharField(max_length=100)
    subject = models.CharField(max_length=200)
    url = models.CharField(max_length=300)
    is_critical = models.BooleanField(default=False)
    is_shown = models.BooleanField(default=True)
    read_at = models.DateTimeField(null=True, default=None)
    mail_at = models.DateTimeField(null=True, default=None)
    mail_attempts = models.PositiveSmallIntegerField(default=0)
    mailed_at = models.DateTimeField(null=True, default=None)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta(TenantModel.Meta):
        constraints = [
            *tenant_constraints(grants=("SELECT", "INSERT", "UPDATE"), system=("SELECT", "DELETE")),
            CompositeForeignKey(name="audit_notification_user", field="user", to="access.User", on_delete="CASCADE"),
            models.UniqueConstraint(fields=["tenant", "user", "cause", "kind"], name="audit_notification_once"),
        ]
        indexes = [
            models.Index(fields=["tenant", "user", "-id"], name="audit_notification_list"),
            models.Index(
                fields=["tenant", "user"],
                name="audit_notification_unread",
                condition=Q(read_at=None, is_shown=True),
            ),
            models.Index(
                fields=["mail_at"], name="audit_notification_mail", condition=Q(mail_at__isnull=False, mailed_at=None)
            ),
            models.Index(fields=["created_at"], name="audit_notification_age"),
        ]


class NotificationSetting(TenantModel):
    """How one person wants to be told of one kind; without a row it is as the kind says."""

    user = TenantForeignKey("access.User", on_delete=models.CASCADE)
    kind = models.CharField(max_length=40)
    in_app = models.BooleanField()
    by_mail = models.BooleanField()

    class Meta(TenantModel.Meta):
        constraints = [
            *TenantModel.Meta.constraints,
            CompositeForeignKey(
                name="audit_notificationsetting_user", field="user", to="access.User", on_delete="CASCADE"
            ),
            models.UniqueConstraint(fields=["tenant", "user", "kind"], name="audit_notificationsetting_one"),
        ]


class PendingNotice(TenantModel):
    """An event that somebody has to be told of, noted by the relay with the event's way out; gone once they are."""

    event_id = models.UUIDField()
    event_time = models.DateTimeField()

    class Meta(TenantModel.Meta):
        constraints = [
            *tenant_constraints(grants=("SELECT", "DELETE"), system=("SELECT", "INSERT")),
            models.UniqueConstraint(fields=["tenant", "event_id"], name="audit_pendingnotice_once"),
        ]
