from django.db import migrations

UP = """
INSERT INTO access_tenant (id, slug, name, is_active)
VALUES ('00000000-0000-7000-8000-000000000000', 'platform', 'The vault itself', false)
"""
DOWN = "DELETE FROM access_tenant WHERE id = '00000000-0000-7000-8000-000000000000'"


class Migration(migrations.Migration):
    """The reserved tenant under which requests that name no valid one are recorded. Nobody can sign in to it."""

    dependencies = [("access", "0001_initial")]

    operations = [migrations.RunSQL(UP, DOWN)]
