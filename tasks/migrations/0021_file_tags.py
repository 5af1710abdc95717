"""Tags of files. With a default of the database: old code goes on inserting, and no row is rewritten."""

from django.contrib.postgres.fields import ArrayField
from django.db import migrations, models

NONE = models.Value([], ArrayField(models.TextField()))


class Migration(migrations.Migration):
    dependencies = [("tasks", "0020_traceparent")]

    operations = [migrations.AddField("file", "tags", ArrayField(models.TextField(), db_default=NONE))]
