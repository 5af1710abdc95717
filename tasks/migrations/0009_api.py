"""Cancelling whole batches, and what was used by day and type; with the duties that see to them."""

import datetime

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models
from django.db.models.functions import Now

DUTIES = {"cancel_batches": 1, "roll_up_usage": 60}
# Older attempts are not counted: `/usage` looks back 90 days.
LOOK_BACK = datetime.timedelta(days=91)


def seed(apps, _schema_editor):
    for name, seconds in DUTIES.items():
        apps.get_model("tasks", "Duty").objects.get_or_create(name=name, defaults={"every_seconds": seconds})
    mark = apps.get_model("tasks", "UsageMark").objects
    if not mark.exists():
        mark.create(counted_until=Now() - LOOK_BACK)


class Migration(migrations.Migration):
    dependencies = [
        ("tasks", "0008_operations"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField("batch", "cancel_wanted_at", models.DateTimeField(null=True)),
        migrations.AddField("batch", "cancelled_by", models.BigIntegerField(null=True)),
        migrations.AddIndex(
            "batch",
            models.Index(
                "cancel_wanted_at", name="batch_to_cancel", condition=models.Q(cancel_wanted_at__isnull=False)
            ),
        ),
        migrations.CreateModel(
            name="UsageMark",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("counted_until", models.DateTimeField()),
            ],
            options={"db_table": "usage_mark"},
        ),
        migrations.CreateModel(
            name="UsageDay",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("day", models.DateField()),
                ("type", models.TextField()),
                ("attempts", models.IntegerField(db_default=0)),
                ("succeeded", models.IntegerField(db_default=0)),
                ("failed", models.IntegerField(db_default=0)),
                ("cancelled", models.IntegerField(db_default=0)),
                ("worker_seconds", models.FloatField(db_default=0.0)),
                ("prompt_tokens", models.BigIntegerField(db_default=0)),
                ("completion_tokens", models.BigIntegerField(db_default=0)),
                (
                    "owner",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "db_table": "usage_day",
                "constraints": [models.UniqueConstraint(fields=("owner", "day", "type"), name="usage_day_once")],
            },
        ),
        migrations.RunPython(seed, migrations.RunPython.noop),
    ]
