"""A node tells how many threads its workers have; the stacks of workers that operators ask for."""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

import tasks.models.ids


class Migration(migrations.Migration):
    dependencies = [
        ("tasks", "0008_audit_list"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField("node", "threads", models.IntegerField(db_default=0, default=0)),
        migrations.CreateModel(
            name="WorkerStack",
            fields=[
                (
                    "id",
                    models.UUIDField(default=tasks.models.ids.new_id, editable=False, primary_key=True, serialize=False),
                ),
                ("pid", models.IntegerField()),
                ("asked_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("answered_at", models.DateTimeField(null=True)),
                ("text", models.TextField(db_default="")),
                ("error", models.TextField(db_default="")),
                (
                    "asked_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "node",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="stacks",
                        to="tasks.node",
                    ),
                ),
            ],
            options={
                "db_table": "worker_stack",
                "default_permissions": (),
                "indexes": [
                    models.Index(models.F("node"), models.OrderBy(models.F("id"), descending=True), name="worker_stack_node"),
                    models.Index(models.F("asked_at"), name="worker_stack_age"),
                ],
            },
        ),
    ]
