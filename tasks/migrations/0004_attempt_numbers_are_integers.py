"""Attempt numbers: a task that is put off every two seconds passes 32,767 within a day, and then nothing could claim it."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("tasks", "0003_grant_operators_groups")]
    operations = [
        migrations.AlterField("attempt", "number", models.IntegerField()),
        migrations.AlterField("event", "attempt", models.IntegerField()),
        migrations.AlterField("task", "attempt_number", models.IntegerField(db_default=0)),
    ]
