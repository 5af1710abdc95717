"""Makes the default cluster with its queues, and sets the storage of the hot tables.

Rows that change with every move leave room on their page (fillfactor), and vacuum runs by count,
without pauses: a dead head of the ready index would slow every claim.
"""

from django.db import migrations

QUEUES = {
    "text": "Text",
    "documents": "Documents",
    "images": "Images",
    "audio": "Audio",
    "diagnostics": "Diagnostics",
    "system": "System",
}

# Seconds between two runs of each duty (tasks.lifecycle.sweep), whichever node takes it.
DUTIES = {
    "settle_old": 1,
    "start_due": 0.5,
    "fill_idle": 1,
    "end_cancelled_and_expired": 1,
    "reset_clocks": 1,
    "refresh_warp": 1,
    "refresh_lanes": 15,
    "forget_keys": 60,
    "purge_content": 60,
}

VACUUM = (
    "autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000, autovacuum_vacuum_cost_delay = 0, "
    "autovacuum_analyze_scale_factor = 0, autovacuum_analyze_threshold = 5000"
)

TUNE = f"""
    ALTER TABLE task SET (fillfactor = 70, {VACUUM});
    ALTER TABLE settlement SET ({VACUUM});
    ALTER TABLE lane SET (fillfactor = 50, {VACUUM});
    ALTER TABLE cluster SET (fillfactor = 20, {VACUUM});
    ALTER TABLE duty SET (fillfactor = 20);
    ALTER TABLE node SET (fillfactor = 50);
    ALTER TABLE usage SET (fillfactor = 50, {VACUUM});
"""


def seed(apps, _schema_editor):
    cluster, _ = apps.get_model("tasks", "Cluster").objects.get_or_create(name="default")
    for name, title in QUEUES.items():
        apps.get_model("tasks", "Queue").objects.get_or_create(name=name, defaults={"title": title, "cluster": cluster})
    for name, seconds in DUTIES.items():
        apps.get_model("tasks", "Duty").objects.get_or_create(name=name, defaults={"every_seconds": seconds})


class Migration(migrations.Migration):
    dependencies = [("tasks", "0001_initial")]
    operations = [
        migrations.RunSQL(TUNE, migrations.RunSQL.noop),
        migrations.RunPython(seed, migrations.RunPython.noop),
    ]
