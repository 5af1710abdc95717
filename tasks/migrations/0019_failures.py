"""Which task failed of which cause, how often, and what operators made of it. The last 30 days are noted anew.

`causes_noted_until` stays in the table for the code of before, and is no field any more; a later release drops it.
"""

import datetime

import django.contrib.postgres.indexes
import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models
from django.db.models.functions import Now


def begin(apps, _schema_editor):
    apps.get_model("tasks", "AlarmSettings").objects.update(
        failures_noted_until=Now() - datetime.timedelta(days=30)
    )


def user(**options):
    return models.ForeignKey(
        db_constraint=False, db_index=False, related_name="+", to=settings.AUTH_USER_MODEL, **options
    )


def cause(name):
    return models.ForeignKey(
        db_constraint=False, db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name=name,
        to="tasks.cause",
    )


class Migration(migrations.Migration):

    dependencies = [
        ("tasks", "0018_saved_views"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="cause", options={"default_permissions": (), "verbose_name": "cause of failure"}
        ),
        migrations.AddField("cause", "reopened_at", models.DateTimeField(null=True)),
        migrations.AddField("cause", "acknowledged_at", models.DateTimeField(null=True)),
        migrations.AddField("cause", "assignee", user(null=True, on_delete=django.db.models.deletion.SET_NULL)),
        migrations.AddField("cause", "muted_until", models.DateTimeField(null=True)),
        migrations.AddField("cause", "muted_above", models.IntegerField(null=True)),
        migrations.AddIndex(
            "cause",
            models.Index(
                models.OrderBy(models.F("reopened_at"), descending=True), name="cause_reopened",
                condition=models.Q(("reopened_at__isnull", False)),
            ),
        ),
        migrations.CreateModel(
            name="Failure",
            fields=[
                (
                    "task",
                    models.OneToOneField(
                        db_constraint=False, on_delete=django.db.models.deletion.CASCADE, primary_key=True,
                        related_name="failure", serialize=False, to="tasks.task",
                    ),
                ),
                ("cause", cause("failures")),
                ("owner", user(on_delete=django.db.models.deletion.CASCADE)),
                ("failed_at", models.DateTimeField()),
            ],
            options={
                "db_table": "failure",
                "default_permissions": (),
                "indexes": [
                    models.Index(fields=["cause", "-failed_at"], include=("owner",), name="failure_cause"),
                    django.contrib.postgres.indexes.BrinIndex(
                        autosummarize=True, fields=["failed_at"], name="failure_age"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="CauseSum",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("cause", cause("sums")),
                ("starts_at", models.DateTimeField()),
                ("tasks", models.IntegerField()),
            ],
            options={
                "db_table": "cause_sum",
                "default_permissions": (),
                "constraints": [models.UniqueConstraint(fields=("cause", "starts_at"), name="cause_sum_once")],
                "indexes": [
                    django.contrib.postgres.indexes.BrinIndex(
                        autosummarize=True, fields=["starts_at"], name="cause_sum_age"
                    ),
                ],
            },
        ),
        migrations.AddField(
            "alarmsettings",
            "failures_noted_until",
            models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False),
        ),
        migrations.RunPython(begin, migrations.RunPython.noop),
        migrations.SeparateDatabaseAndState(
            state_operations=[migrations.RemoveField("alarmsettings", "causes_noted_until")]
        ),
    ]
