"""An index of the audit log's list, made while the portal works: what a broken-off migration has left is dropped before."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models
from django.db.models import F, Q

INDEX = models.Index(F("id").desc(), name="audit_not_of_operation", condition=~Q(details__has_key="operation"))


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("tasks", "0007_leftover_files")]

    operations = [
        migrations.RunSQL(f"DROP INDEX CONCURRENTLY IF EXISTS {INDEX.name}", migrations.RunSQL.noop),
        AddIndexConcurrently("auditentry", INDEX),
    ]
