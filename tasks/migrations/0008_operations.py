from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [
        ("tasks", "0007_webhooks"),
    ]

    operations = []
