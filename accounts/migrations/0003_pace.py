"""Counters of tries to sign in, shared by all processes."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("accounts", "0002_seed_plans_and_groups")]

    operations = [
        migrations.CreateModel(
            name="Pace",
            fields=[
                ("key", models.BinaryField(primary_key=True, serialize=False)),
                ("level", models.FloatField()),
                ("tried_at", models.DateTimeField()),
            ],
            options={"db_table": "pace", "indexes": [models.Index("tried_at", name="pace_tried_at")]},
        ),
    ]
