"""Result files whose task is purged are noted, where they were looked for among all; a batch has its tasks in order.

Made while tasks go on, so each statement is kept by itself: one that was broken off can be begun anew.
"""

from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("tasks", "0006_lists")]

    operations = [
        migrations.RunSQL(
            "ALTER TABLE file ADD COLUMN IF NOT EXISTS is_leftover boolean NOT NULL DEFAULT false",
            "ALTER TABLE file DROP COLUMN IF EXISTS is_leftover",
            state_operations=[
                migrations.AddField("file", "is_leftover", models.BooleanField(db_default=False, editable=False))
            ],
        ),
        migrations.RunSQL("DROP INDEX CONCURRENTLY IF EXISTS file_leftover", migrations.RunSQL.noop),
        AddIndexConcurrently("file", models.Index("id", name="file_leftover", condition=Q(is_leftover=True))),
        migrations.RunSQL("DROP INDEX CONCURRENTLY IF EXISTS task_batch_list", migrations.RunSQL.noop),
        AddIndexConcurrently(
            "task", models.Index("batch", "id", name="task_batch_list", condition=Q(batch__isnull=False))
        ),
        RemoveIndexConcurrently("task", "task_batch"),
    ]
