"""The span that submitted a task. Without a default: old code goes on inserting, and no row is rewritten."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("tasks", "0019_failures")]

    operations = [migrations.AddField("taskcontent", "traceparent", models.TextField(null=True))]
