"""What may be given on one dataset, and to whom it was given."""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

import vaultsite.kernel.identifiers
import vaultsite.kernel.tenancy.keys
import vaultsite.kernel.tenancy.rls
import vaultsite.kernel.tenancy.scope


class Migration(migrations.Migration):
    dependencies = [("datasets", "0018_guaranteed_views"), ("access", "0010_grants"), ("auth", "0012_alter_user_first_name_max_length")]

    operations = [
        migrations.AlterModelOptions(
            name='dataset',
            options={'ordering': ['-created_at', '-id'], 'permissions': [('read_raw', 'Can read its records raw'), ('read_masked', 'Can read its records masked'), ('read_redacted', 'Can read its records redacted'), ('write_records', 'Can write its records'), ('query_statistics', 'Can ask for statistics over its records')]},
        ),
        migrations.CreateModel(
            name='DatasetUserPermission',
            fields=[
                ('id', models.UUIDField(default=vaultsite.kernel.identifiers.uuid7, editable=False, primary_key=True, serialize=False)),
                ('granted_by', models.UUIDField()),
                ('granted_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('expires_at', models.DateTimeField(default=None, null=True)),
                ('content_object', vaultsite.kernel.tenancy.keys.TenantForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='user_permissions', to='datasets.dataset')),
                ('permission', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, to='auth.permission')),
                ('tenant', models.ForeignKey(db_index=False, default=vaultsite.kernel.tenancy.scope.current_tenant_id, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='access.tenant')),
                ('user', vaultsite.kernel.tenancy.keys.TenantForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'abstract': False,
                'indexes': [models.Index(fields=['tenant', 'user', 'content_object'], name='datasets_permission_of_user')],
                'constraints': [vaultsite.kernel.tenancy.rls.RowLevelSecurity(name='datasets_datasetuserpermission_rls'), models.UniqueConstraint(fields=('tenant', 'id'), name='datasets_datasetuserpermission_tenant_id'), vaultsite.kernel.tenancy.keys.CompositeForeignKey(field='user', name='datasets_userpermission_user', to='access.User'), vaultsite.kernel.tenancy.keys.CompositeForeignKey(field='content_object', name='datasets_userpermission_dataset', on_delete='CASCADE', to='datasets.Dataset'), models.UniqueConstraint(fields=('tenant', 'content_object', 'user', 'permission'), name='datasets_userpermission_once')],
            },
        ),
        migrations.CreateModel(
            name='DatasetGroupPermission',
            fields=[
                ('id', models.UUIDField(default=vaultsite.kernel.identifiers.uuid7, editable=False, primary_key=True, serialize=False)),
                ('granted_by', models.UUIDField()),
                ('granted_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('expires_at', models.DateTimeField(default=None, null=True)),
                ('content_object', vaultsite.kernel.tenancy.keys.TenantForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='group_permissions', to='datasets.dataset')),
                ('permission', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, to='auth.permission')),
                ('tenant', models.ForeignKey(db_index=False, default=vaultsite.kernel.tenancy.scope.current_tenant_id, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='access.tenant')),
                ('group', vaultsite.kernel.tenancy.keys.TenantForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='access.group')),
            ],
            options={
                'abstract': False,
                'indexes': [models.Index(fields=['tenant', 'group', 'content_object'], name='datasets_permission_of_group')],
                'constraints': [vaultsite.kernel.tenancy.rls.RowLevelSecurity(name='datasets_datasetgrouppermission_rls'), models.UniqueConstraint(fields=('tenant', 'id'), name='datasets_datasetgrouppermission_tenant_id'), vaultsite.kernel.tenancy.keys.CompositeForeignKey(field='group', name='datasets_grouppermission_group', on_delete='CASCADE', to='access.Group'), vaultsite.kernel.tenancy.keys.CompositeForeignKey(field='content_object', name='datasets_grouppermission_dataset', on_delete='CASCADE', to='datasets.Dataset'), models.UniqueConstraint(fields=('tenant', 'content_object', 'group', 'permission'), name='datasets_grouppermission_once')],
            },
        ),
        migrations.AlterField(
            model_name='keyrotation',
            name='purpose',
            field=models.CharField(choices=[('kek', 'kek'), ('platform', 'platform'), ('dataset', 'dataset'), ('content', 'content'), ('boundary', 'boundary'), ('index', 'index'), ('pseudonym', 'pseudonym'), ('signing', 'signing'), ('token', 'token'), ('token_index', 'token_index'), ('format', 'format'), ('lists', 'lists'), ('analytics', 'analytics'), ('access_token', 'access_token')], max_length=20),
        ),
    ]
