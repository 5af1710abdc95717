"""What Django has no words for: the storage of the hot tables, and no statistics of statuses.

Rows that change with every move leave room on their page (fillfactor), and vacuum runs by count,
without pauses: a dead head of the ready index would slow every claim.

How many tasks are ready or held changes by the second. From statistics of a quiet moment the planner takes the partial
indexes of unfinished tasks for empty, and reads one of them from end to end even where it was given a task's id
(docs/decisions/0020-no-statistics-of-statuses.md).
"""

from django.db import migrations

VACUUM = (
    "autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000, autovacuum_vacuum_cost_delay = 0"
)
ANALYZE = "autovacuum_analyze_scale_factor = 0, autovacuum_analyze_threshold = 5000"

TUNE = f"""
    ALTER TABLE task SET (fillfactor = 70, {VACUUM}, {ANALYZE});
    ALTER TABLE settlement SET ({VACUUM}, {ANALYZE});
    ALTER TABLE lane SET (fillfactor = 50, {VACUUM}, {ANALYZE});
    ALTER TABLE cluster SET (fillfactor = 20, {VACUUM}, {ANALYZE});
    ALTER TABLE usage SET (fillfactor = 50, {VACUUM}, {ANALYZE});
    ALTER TABLE duty SET (fillfactor = 20);
    ALTER TABLE node SET (fillfactor = 50);
    ALTER TABLE backend SET (fillfactor = 50);
    -- Places come and go with every call.
    ALTER TABLE backend_lease SET ({VACUUM});
    ALTER TABLE webhook_delivery SET (fillfactor = 70, {VACUUM});
"""
# Before the first row: what ANALYZE has once written would stay.
FORGET_STATISTICS = "ALTER TABLE task ALTER COLUMN status SET STATISTICS 0;"


class Migration(migrations.Migration):
    replaces = [("tasks", "0013_plan_without_statuses")]

    dependencies = [("tasks", "0001_schema")]

    operations = [
        migrations.RunSQL(TUNE, migrations.RunSQL.noop),
        migrations.RunSQL(FORGET_STATISTICS, migrations.RunSQL.noop),
    ]
