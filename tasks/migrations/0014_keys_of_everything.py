"""What an idempotency key made that is no task; how many seconds the content of a task is kept, where it says so."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("tasks", "0018_names")]

    operations = [
        migrations.AddField("idempotencykey", "made", models.TextField(db_default="")),
        migrations.AddField("task", "keep_seconds", models.IntegerField(null=True)),
    ]
