"""What an operation does is any slug: an action that somebody adds needs no migration."""

from django.db import migrations, models

import tasks.names

SLUG = r"\A[A-Za-z0-9][A-Za-z0-9._-]{0,99}\Z"


class Migration(migrations.Migration):
    replaces = [("tasks", "0021_operation_kinds")]

    dependencies = [("tasks", "0003_seeds")]

    operations = [
        migrations.RemoveConstraint("operation", "operation_kind_known"),
        migrations.AlterField("operation", "kind", models.TextField(validators=[tasks.names.validate_slug])),
        migrations.AddConstraint(
            "operation",
            models.CheckConstraint(name="operation_kind_slug", condition=models.Q(kind__regex=SLUG)),
        ),
    ]
