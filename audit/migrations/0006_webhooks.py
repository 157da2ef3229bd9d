"""Webhooks: endpoints, and what is sent to them."""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models

import vaultsite.kernel.identifiers
import vaultsite.kernel.tenancy.keys
import vaultsite.kernel.tenancy.rls
import vaultsite.kernel.tenancy.scope


class Migration(migrations.Migration):
    dependencies = [("access", "0017_own_permissions"), ("audit", "0005_subscriptions")]

    operations = [
        migrations.CreateModel(
            name='WebhookEndpoint',
            fields=[
                ('id', models.UUIDField(default=vaultsite.kernel.identifiers.uuid7, editable=False, primary_key=True, serialize=False)),
                ('name', models.CharField(max_length=100)),
                ('url', models.CharField(max_length=2000)),
                ('event_types', models.JSONField(default=list)),
                ('filter', models.CharField(blank=True, default='', max_length=2000)),
                ('signature', models.CharField(choices=[('v1', 'HMAC-SHA256 with a shared secret'), ('v1a', 'Ed25519: the receiver holds the public key alone')], default='v1', max_length=3)),
                ('secret', models.BinaryField()),
                ('public_key', models.CharField(blank=True, default='', max_length=60)),
                ('previous_secret', models.BinaryField(default=None, null=True)),
                ('previous_until', models.DateTimeField(default=None, null=True)),
                ('disabled_by', models.CharField(blank=True, choices=[('', 'enabled'), ('person', 'switched off by hand'), ('gone', 'the receiver answered that it is gone (410)'), ('failing', 'it failed for days')], default='', max_length=7)),
                ('disabled_reason', models.CharField(blank=True, default='', max_length=300)),
                ('disabled_at', models.DateTimeField(default=None, null=True)),
                ('failures', models.PositiveIntegerField(default=0)),
                ('failing_since', models.DateTimeField(default=None, null=True)),
                ('paused_until', models.DateTimeField(default=None, null=True)),
                ('last_success_at', models.DateTimeField(default=None, null=True)),
                ('lease_until', models.DateTimeField(default=None, null=True)),
                ('fence', models.PositiveIntegerField(default=0)),
                ('created_by', models.UUIDField(editable=False)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('tenant', models.ForeignKey(db_index=False, default=vaultsite.kernel.tenancy.scope.current_tenant_id, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='access.tenant')),
            ],
            options={
                'abstract': False,
            },
        ),
        migrations.CreateModel(
            name='WebhookDelivery',
            fields=[
                ('id', models.UUIDField(default=vaultsite.kernel.identifiers.uuid7, editable=False, primary_key=True, serialize=False)),
                ('event_id', models.UUIDField()),
                ('event_type', models.CharField(max_length=100)),
                ('body', models.BinaryField()),
                ('status', models.CharField(choices=[('pending', 'waiting'), ('delivered', 'delivered'), ('failed', 'failed')], default='pending', max_length=9)),
                ('attempts', models.PositiveSmallIntegerField(default=0)),
                ('next_attempt_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('tries', models.JSONField(default=list)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('finished_at', models.DateTimeField(default=None, null=True)),
                ('tenant', models.ForeignKey(db_index=False, default=vaultsite.kernel.tenancy.scope.current_tenant_id, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='access.tenant')),
                ('endpoint', vaultsite.kernel.tenancy.keys.TenantForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='audit.webhookendpoint')),
            ],
            options={
                'verbose_name_plural': 'webhook deliveries',
                'abstract': False,
            },
        ),
        migrations.AddConstraint(
            model_name='webhookendpoint',
            constraint=vaultsite.kernel.tenancy.rls.RowLevelSecurity(name='audit_webhookendpoint_rls', system=('SELECT', 'UPDATE')),
        ),
        migrations.AddConstraint(
            model_name='webhookendpoint',
            constraint=models.UniqueConstraint(fields=('tenant', 'id'), name='audit_webhookendpoint_tenant_id'),
        ),
        migrations.AddConstraint(
            model_name='webhookendpoint',
            constraint=models.UniqueConstraint(fields=('tenant', 'name'), name='audit_webhook_name'),
        ),
        migrations.AddIndex(
            model_name='webhookdelivery',
            index=models.Index(condition=models.Q(('status', 'pending')), fields=['tenant', 'endpoint', 'next_attempt_at', 'id'], name='audit_delivery_due'),
        ),
        migrations.AddIndex(
            model_name='webhookdelivery',
            index=models.Index(fields=['tenant', 'endpoint', '-id'], name='audit_delivery_log'),
        ),
        migrations.AddIndex(
            model_name='webhookdelivery',
            index=models.Index(fields=['created_at'], name='audit_delivery_age'),
        ),
        migrations.AddConstraint(
            model_name='webhookdelivery',
            constraint=vaultsite.kernel.tenancy.rls.RowLevelSecurity(grants=('SELECT', 'INSERT', 'UPDATE'), name='audit_webhookdelivery_rls', system=('SELECT', 'INSERT', 'DELETE')),
        ),
        migrations.AddConstraint(
            model_name='webhookdelivery',
            constraint=models.UniqueConstraint(fields=('tenant', 'id'), name='audit_webhookdelivery_tenant_id'),
        ),
        migrations.AddConstraint(
            model_name='webhookdelivery',
            constraint=vaultsite.kernel.tenancy.keys.CompositeForeignKey(field='endpoint', name='audit_delivery_endpoint', on_delete='CASCADE', to='audit.WebhookEndpoint'),
        ),
        migrations.AddConstraint(
            model_name='webhookdelivery',
            constraint=models.UniqueConstraint(fields=('tenant', 'endpoint', 'event_id'), name='audit_delivery_once'),
        ),
    ]
