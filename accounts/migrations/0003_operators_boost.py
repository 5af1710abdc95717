"""Lets the group operator change limits of users for a while, as the documentation has always said. Repeatable.

Installations of any age have the three groups; what else somebody gave them, or took, is left alone.
"""

from django.db import migrations

GIVEN = ("add_planoverride", "change_planoverride", "delete_planoverride")


def grant(apps, _schema_editor):
    permissions = apps.get_model("auth", "Permission").objects
    wanted = permissions.filter(content_type__app_label="accounts", codename__in=GIVEN)
    # Somebody may have renamed or removed the group.
    for group in apps.get_model("auth", "Group").objects.filter(name="operator"):
        group.permissions.add(*wanted)


class Migration(migrations.Migration):
    # Its seeds make the permissions that are granted here.
    dependencies = [("accounts", "0002_seeds"), ("tasks", "0003_seeds")]

    operations = [migrations.RunPython(grant, migrations.RunPython.noop)]
