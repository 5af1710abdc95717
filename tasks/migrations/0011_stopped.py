"""What has stopped or is refused is found at once: paused operations, failing endpoints, refused schedules.

Made while tasks go on, so each statement is kept by itself: one that was broken off can be begun anew.
"""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models
from django.db.models import Q

INDEXES = (
    ("operation", models.Index("id", name="operation_paused", condition=Q(status="paused"))),
    ("schedule", models.Index("id", name="schedule_refused", condition=Q(refusal_count__gt=0))),
    (
        "webhookendpoint",
        models.Index("failing_since", name="webhook_endpoint_failing", condition=Q(failing_since__isnull=False)),
    ),
)


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("tasks", "0010_alarms")]

    operations = [
        step
        for model, index in INDEXES
        for step in (
            migrations.RunSQL(f"DROP INDEX CONCURRENTLY IF EXISTS {index.name}", migrations.RunSQL.noop),
            AddIndexConcurrently(model, index),
        )
    ]
