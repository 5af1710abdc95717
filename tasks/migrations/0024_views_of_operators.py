"""Operators keep filters of their own list beside those of the portal's."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("tasks", "0023_paused_types")]

    operations = [
        migrations.AddField("savedview", "place", models.TextField(blank=True, db_default="", default="")),
        migrations.AddConstraint(
            "savedview", models.UniqueConstraint(fields=["owner", "place", "name"], name="saved_view_place_name")
        ),
        migrations.RemoveConstraint("savedview", "saved_view_name"),
    ]
