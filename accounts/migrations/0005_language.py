"""The language that a user chose. Constant by default: no row is written, and old code goes on inserting."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("accounts", "0004_told")]

    operations = [
        migrations.AddField(
            "user", "language", models.CharField(max_length=16, blank=True, db_default="", default="")
        ),
    ]
