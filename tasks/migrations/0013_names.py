"""What users call their tasks. A column with a constant default: no row is written anew."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("tasks", "0012_kept_pieces")]

    operations = [
        migrations.AddField("taskcontent", "name", models.TextField(db_default="")),
    ]
