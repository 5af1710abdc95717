"""An index by which files with the same content are found: made while the portal works."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models

INDEX = models.Index(fields=["owner", "sha256"], name="file_content")


class Migration(migrations.Migration):
    # Each statement is kept by itself: if it breaks off, it begins anew.
    atomic = False

    dependencies = [("tasks", "0021_file_tags")]

    operations = [
        migrations.RunSQL(f"DROP INDEX CONCURRENTLY IF EXISTS {INDEX.name}", migrations.RunSQL.noop),
        AddIndexConcurrently("file", INDEX),
    ]
