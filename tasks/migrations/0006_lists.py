"""Indexes of the lists, made while tasks go on: what a broken-off migration has left, valid or not, is dropped before.

Only tasks that do not succeed touch `task_unsuccessful` and its like.
"""

import django.db.models.deletion
from django.conf import settings
from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations, models
from django.db.models import F, Q

UNSUCCESSFUL = ["failed", "cancelled", "expired"]
TERMINAL = frozenset(["cancelled", "expired", "failed", "succeeded"])
NOT_STARTED = frozenset(["held", "ready", "scheduled", "waiting"])
ID = F("id").desc()
MADE = {
    "auditentry": [models.Index("actor", ID, name="audit_actor")],
    "task": [
        models.Index("owner", ID, name="task_owner_unsuccessful", condition=Q(status__in=UNSUCCESSFUL)),
        models.Index(ID, name="task_unsuccessful", condition=Q(status__in=UNSUCCESSFUL)),
        models.Index("owner", "type", ID, name="task_owner_type", condition=Q(status__in=TERMINAL)),
        models.Index(ID, name="task_unstarted", condition=Q(status__in=NOT_STARTED)),
    ],
}
INDEXES = [(model, index) for model, indexes in MADE.items() for index in indexes]


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("tasks", "0005_rollups"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        *(
            migrations.RunSQL(f"DROP INDEX CONCURRENTLY IF EXISTS {index.name}", migrations.RunSQL.noop)
            for _, index in INDEXES
        ),
        *(AddIndexConcurrently(model, index) for model, index in INDEXES),
        migrations.AlterField(
            "auditentry",
            "actor",
            models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        RemoveIndexConcurrently("task", "task_owner_failed"),
        migrations.RemoveIndex("rollup", "rollup_age"),
        migrations.RunSQL("DROP INDEX IF EXISTS rollup_own_age", migrations.RunSQL.noop),
        migrations.AddIndex(
            "rollup",
            models.Index("seconds", "starts_at", name="rollup_own_age", condition=Q(owner__isnull=False)),
        ),
    ]
