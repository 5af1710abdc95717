"""How many tries an endpoint of webhooks may have under way."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("tasks", "0014_keys_of_everything")]

    operations = [migrations.AddField("webhookendpoint", "at_once", models.SmallIntegerField(db_default=2))]
