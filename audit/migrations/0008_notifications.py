"""What people are told, how they want to be told, and what somebody has to be told of."""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

import vaultsite.kernel.identifiers
import vaultsite.kernel.tenancy.keys
import vaultsite.kernel.tenancy.rls
import vaultsite.kernel.tenancy.scope


class Migration(migrations.Migration):
    dependencies = [("access", "0017_own_permissions"), ("audit", "0007_alerts")]

    operations = [
        migrations.CreateModel(
            name='Notification',
            fields=[
                ('id', models.UUIDField(default=vaultsite.kernel.identifiers.uuid7, editable=False, primary_key=True, serialize=False)),
                ('kind', models.CharField(max_length=40)),
                ('cause', models.CharField(max_length=100)),
                ('subject', models.CharField(max_length=200)),
                ('url', models.CharField(max_length=300)),
                ('is_critical', models.BooleanField(default=False)),
                ('is_shown', models.BooleanField(default=True)),
                ('read_at', models.DateTimeField(default=None, null=True)),
                ('mail_at', models.DateTimeField(default=None, null=True)),
                ('mail_attempts', models.PositiveSmallIntegerField(default=0)),
                ('mailed_at', models.DateTimeField(default=None, null=True)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('tenant', models.ForeignKey(db_index=False, default=vaultsite.kernel.tenancy.scope.current_tenant_id, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='access.tenant')),
                ('user', vaultsite.kernel.tenancy.keys.TenantForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'abstract': False,
                'indexes': [models.Index(fields=['tenant', 'user', '-id'], name='audit_notification_list'), models.Index(condition=models.Q(('is_shown', True), ('read_at', None)), fields=['tenant', 'user'], name='audit_notification_unread'), models.Index(condition=models.Q(('mail_at__isnull', False), ('mailed_at', None)), fields=['mail_at'], name='audit_notification_mail'), models.Index(fields=['created_at'], name='audit_notification_age')],
                'constraints': [vaultsite.kernel.tenancy.rls.RowLevelSecurity(grants=('SELECT', 'INSERT', 'UPDATE'), name='audit_notification_rls', system=('SELECT', 'DELETE')), models.UniqueConstraint(fields=('tenant', 'id'), name='audit_notification_tenant_id'), vaultsite.kernel.tenancy.keys.CompositeForeignKey(field='user', name='audit_notification_user', on_delete='CASCADE', to='access.User'), models.UniqueConstraint(fields=('tenant', 'user', 'cause', 'kind'), name='audit_notification_once')],
            },
        ),
        migrations.CreateModel(
            name='NotificationSetting',
            fields=[
                ('id', models.UUIDField(default=vaultsite.kernel.identifiers.uuid7, editable=False, primary_key=True, serialize=False)),
                ('kind', models.CharField(max_length=40)),
                ('in_app', models.BooleanField()),
                ('by_mail', models.BooleanField()),
                ('tenant', models.ForeignKey(db_index=False, default=vaultsite.kernel.tenancy.scope.current_tenant_id, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='access.tenant')),
                ('user', vaultsite.kernel.tenancy.keys.TenantForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'abstract': False,
                'constraints': [vaultsite.kernel.tenancy.rls.RowLevelSecurity(name='audit_notificationsetting_rls'), models.UniqueConstraint(fields=('tenant', 'id'), name='audit_notificationsetting_tenant_id'), vaultsite.kernel.tenancy.keys.CompositeForeignKey(field='user', name='audit_notificationsetting_user', on_delete='CASCADE', to='access.User'), models.UniqueConstraint(fields=('tenant', 'user', 'kind'), name='audit_notificationsetting_one')],
            },
        ),
        migrations.CreateModel(
            name='PendingNotice',
            fields=[
                ('id', models.UUIDField(default=vaultsite.kernel.identifiers.uuid7, editable=False, primary_key=True, serialize=False)),
                ('event_id', models.UUIDField()),
                ('event_time', models.DateTimeField()),
                ('tenant', models.ForeignKey(db_index=False, default=vaultsite.kernel.tenancy.scope.current_tenant_id, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='access.tenant')),
            ],
            options={
                'abstract': False,
                'constraints': [vaultsite.kernel.tenancy.rls.RowLevelSecurity(grants=('SELECT', 'DELETE'), name='audit_pendingnotice_rls', system=('SELECT', 'INSERT')), models.UniqueConstraint(fields=('tenant', 'id'), name='audit_pendingnotice_tenant_id'), models.UniqueConstraint(fields=('tenant', 'event_id'), name='audit_pendingnotice_once')],
            },
        ),
    ]
