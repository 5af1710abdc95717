"""Task types that operators have paused."""

import django.db.models.functions.datetime
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("tasks", "0022_file_content")]

    operations = [
        migrations.CreateModel(
            name="PausedType",
            fields=[
                ("type", models.TextField(primary_key=True, serialize=False)),
                ("reason", models.TextField(db_default="")),
                ("paused_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
            ],
            options={"db_table": "paused_type", "default_permissions": (), "ordering": ["type"]},
        ),
    ]
