"""A table of what attempts keep for those after them. No constraint refers to `task`: that would lock it."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("tasks", "0011_stopped")]

    operations = [
        migrations.CreateModel(
            name="KeptPiece",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("key", models.TextField()),
                ("number", models.IntegerField()),
                ("data", models.BinaryField()),
                ("size_bytes", models.IntegerField()),
                (
                    "task",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="tasks.task",
                    ),
                ),
            ],
            options={
                "db_table": "kept_piece",
                "constraints": [models.UniqueConstraint(fields=("task", "key", "number"), name="kept_piece_once")],
            },
        ),
    ]
