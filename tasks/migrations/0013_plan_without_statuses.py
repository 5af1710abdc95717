"""No statistics of statuses, and the indexes that plans without them need. Built beside running work.

How many tasks are ready or held changes by the second. From statistics of a quiet moment the planner takes the partial
indexes of unfinished tasks for empty, and reads one of them from end to end even where it was given a task's id.
"""

from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations, models

NOT_STARTED = frozenset({"held", "ready", "scheduled", "waiting"})
FORGET_STATISTICS = """
    ALTER TABLE task ALTER COLUMN status SET STATISTICS 0;
    DO $$ BEGIN
        -- Before PostgreSQL 18 those that were made stay; a new database has none.
        IF current_setting('server_version_num')::int >= 180000 THEN
            PERFORM pg_clear_attribute_stats(current_schema()::text, 'task', 'status', false);
        END IF;
    END $$;
"""


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("tasks", "0012_low_key")]

    operations = [
        migrations.RunSQL(FORGET_STATISTICS, "ALTER TABLE task ALTER COLUMN status SET STATISTICS -1"),
        # They read the whole table, which may take longer than a statement usually may.
        migrations.RunSQL("SET statement_timeout = 0", migrations.RunSQL.noop),
        AddIndexConcurrently(
            "task", models.Index("lane", "rank", name="task_lane_ready", condition=models.Q(status="ready"))
        ),
        AddIndexConcurrently(
            "task",
            models.Index(
                models.F("owner"),
                models.F("id").desc(),
                name="task_owner_unstarted",
                condition=models.Q(status__in=NOT_STARTED),
            ),
        ),
        AddIndexConcurrently(
            "task",
            models.Index(
                models.F("owner"),
                models.F("id").desc(),
                name="task_owner_failed",
                condition=models.Q(status="failed"),
            ),
        ),
        RemoveIndexConcurrently("task", "task_ready_lane"),
        RemoveIndexConcurrently("task", "task_owner_waiting"),
        migrations.RunSQL("RESET statement_timeout", migrations.RunSQL.noop),
    ]
