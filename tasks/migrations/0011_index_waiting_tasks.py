"""An index of the tasks that wait for others, to count them. Built beside running work: it locks nothing."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("tasks", "0010_attempt_counts")]

    operations = [
        # It reads the whole table, which may take longer than a statement usually may.
        migrations.RunSQL("SET statement_timeout = 0", migrations.RunSQL.noop),
        AddIndexConcurrently(
            "task", models.Index("queue", name="task_waiting", condition=models.Q(status="waiting"))
        ),
        migrations.RunSQL("RESET statement_timeout", migrations.RunSQL.noop),
    ]
