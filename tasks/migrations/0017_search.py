"""What tasks are found by. Rows of before are filled in by a duty, the newest first.

The constraint locks `task_content` for as long as an empty table is looked at. It lets words go with the content.
"""

import django.contrib.postgres.indexes
import django.contrib.postgres.search
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models
from django.db.models import F

MAX_UUID = "ffffffff-ffff-ffff-ffff-ffffffffffff"


class Migration(migrations.Migration):
    dependencies = [("tasks", "0016_shares"), migrations.swappable_dependency(settings.AUTH_USER_MODEL)]

    operations = [
        migrations.CreateModel(
            name="SearchEntry",
            fields=[
                (
                    "task",
                    models.OneToOneField(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        primary_key=True,
                        related_name="search_entry",
                        serialize=False,
                        to="tasks.taskcontent",
                    ),
                ),
                ("has_result", models.BooleanField()),
                ("text", models.TextField()),
                ("words", django.contrib.postgres.search.SearchVectorField()),
                (
                    "owner",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "db_table": "search_entry",
                "indexes": [
                    models.Index("owner", F("task").desc(), name="search_entry_owner"),
                    django.contrib.postgres.indexes.GinIndex(
                        fastupdate=False, fields=["words"], name="search_entry_words"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="SearchMark",
            fields=[
                ("id", models.SmallIntegerField(default=1, primary_key=True, serialize=False)),
                ("tasks_until", models.UUIDField()),
                ("attempts_until", models.BigIntegerField()),
                ("walk", models.UUIDField(null=True)),
                ("walk_at", models.DateTimeField()),
            ],
            options={"db_table": "search_mark"},
        ),
        migrations.RunSQL(
            [
                "ALTER TABLE search_entry ADD CONSTRAINT search_entry_of_content FOREIGN KEY (task_id)"
                " REFERENCES task_content (task_id) ON DELETE CASCADE",
                "INSERT INTO search_mark (id, tasks_until, attempts_until, walk, walk_at)"
                # What there is already is for the walk.
                " SELECT 1, coalesce((SELECT id FROM task ORDER BY id DESC LIMIT 1), '00000000-0000-0000-0000-000000000000'),"
                f" coalesce(max(id), 0), '{MAX_UUID}', now() FROM attempt",
            ],
            migrations.RunSQL.noop,
        ),
    ]
