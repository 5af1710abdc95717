"""An index of tasks that stand for themselves, made while the portal works: lists show batches and starters as one row."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models
from django.db.models import F, Q

INDEX = models.Index(
    "owner", F("id").desc(), name="task_owner_alone", condition=Q(batch__isnull=True, started_by__isnull=True)
)


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("tasks", "0014_told")]

    operations = [
        migrations.RunSQL(f"DROP INDEX CONCURRENTLY IF EXISTS {INDEX.name}", migrations.RunSQL.noop),
        AddIndexConcurrently("task", INDEX),
    ]
