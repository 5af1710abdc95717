"""Tags of files, and an index by which those with the same content are found: made while the portal works."""

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models

INDEX = models.Index(fields=["owner", "sha256"], name="file_content")
NONE = models.Value([], ArrayField(models.TextField()))


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("tasks", "0020_traceparent")]

    operations = [
        migrations.AddField("file", "tags", ArrayField(models.TextField(), db_default=NONE)),
        migrations.RunSQL(f"DROP INDEX CONCURRENTLY IF EXISTS {INDEX.name}", migrations.RunSQL.noop),
        AddIndexConcurrently("file", INDEX),
    ]
