"""How many attempts ended, by type and outcome: counters for monitoring, which begin at 0 here."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("tasks", "0009_api")]

    operations = [
        migrations.CreateModel(
            name="AttemptCount",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("type", models.TextField()),
                ("outcome", models.TextField()),
                ("attempts", models.BigIntegerField(db_default=0)),
                ("seconds", models.FloatField(db_default=0.0)),
            ],
            options={
                "db_table": "attempt_count",
                "constraints": [models.UniqueConstraint(fields=("type", "outcome"), name="attempt_count_once")],
            },
        ),
    ]
