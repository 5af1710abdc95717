"""Where fill begins to read each lane."""

from django.db import migrations, models


def seed(apps, _schema_editor):
    apps.get_model("tasks", "Duty").objects.get_or_create(name="mend_low_key", defaults={"every_seconds": 30})


class Migration(migrations.Migration):
    dependencies = [("tasks", "0011_index_waiting_tasks")]

    operations = [
        migrations.AddField("lane", "low_key", models.FloatField(db_default=-1e300)),
        migrations.RunPython(seed, migrations.RunPython.noop),
    ]
