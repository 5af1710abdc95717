"""Sums of ended attempts. What had ended before is counted by the duty `roll_up_attempts`, step by step, the newest first."""

import django.contrib.postgres.fields
import django.contrib.postgres.fields.ranges
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models
from django.db.models import Max
from django.db.models.functions import Now

# Rows are changed every few seconds as long as their hour or day lasts, and no index has what changes.
TUNE = """
    ALTER TABLE rollup SET (fillfactor = 70);
    ALTER TABLE rollup_mark SET (fillfactor = 20);
"""


def ranges():
    return django.contrib.postgres.fields.ArrayField(
        base_field=django.contrib.postgres.fields.ranges.BigIntegerRangeField(),
        db_default=models.Value(
            [],
            django.contrib.postgres.fields.ArrayField(
                base_field=django.contrib.postgres.fields.ranges.BigIntegerRangeField(), size=None
            ),
        ),
        size=None,
    )


def counts():
    return django.contrib.postgres.fields.ArrayField(
        base_field=models.IntegerField(),
        db_default=models.Value(
            [], django.contrib.postgres.fields.ArrayField(base_field=models.IntegerField(), size=None)
        ),
        size=None,
    )


def begin(apps, _schema_editor):
    """Begin between what has ended and what will."""
    last = apps.get_model("tasks", "Attempt").objects.aggregate(last=Max("id"))["last"]
    apps.get_model("tasks", "RollupMark").objects.get_or_create(
        pk=1,
        defaults={
            "counted_to": last or 0,
            "counted_from": last + 1 if last else 0,
            "counted_since": Now() if last else None,
            "gaps_since": Now(),
        },
    )


class Migration(migrations.Migration):
    dependencies = [
        ("tasks", "0004_operation_kinds"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="RollupMark",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("counted_to", models.BigIntegerField()),
                ("counted_from", models.BigIntegerField()),
                ("counted_since", models.DateTimeField(null=True)),
                ("gaps", ranges()),
                ("older_gaps", ranges()),
                ("gaps_since", models.DateTimeField()),
            ],
            options={"db_table": "rollup_mark", "default_permissions": ()},
        ),
        migrations.CreateModel(
            name="Rollup",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("seconds", models.IntegerField()),
                ("starts_at", models.DateTimeField()),
                ("queue", models.TextField()),
                ("type", models.TextField()),
                ("outcome", models.TextField()),
                ("attempts", models.IntegerField()),
                ("run_seconds", models.FloatField()),
                ("run_histogram", counts()),
                ("waits", models.IntegerField()),
                ("wait_seconds", models.FloatField()),
                ("wait_histogram", counts()),
                (
                    "owner",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "db_table": "rollup",
                "default_permissions": (),
                "indexes": [models.Index(models.F("seconds"), models.F("starts_at"), name="rollup_age")],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("seconds", "owner", "starts_at", "queue", "type", "outcome"),
                        name="rollup_once",
                        nulls_distinct=False,
                    )
                ],
            },
        ),
        migrations.RunSQL(TUNE, migrations.RunSQL.noop),
        migrations.RunPython(begin, migrations.RunPython.noop),
    ]
