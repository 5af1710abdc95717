"""Gives the groups viewer, operator and administrator their permissions.

A viewer looks, an operator also acts on tasks, queues and nodes, an administrator may do everything,
reading what users put into their tasks included.
"""

from django.contrib.auth.management import create_permissions
from django.db import migrations

APPS = ("tasks", "accounts")
OPERATE = ("operate_tasks", "change_queue", "change_node")
# Django makes a view permission for the table of contents too; content is only seen through ours.
CONTENT = ("view_task_content", "view_taskcontent")


def grant(apps, schema_editor):
    # Django makes permissions only after all migrations, so those that are granted here are made first.
    for label in (*APPS, "auth"):
        config = apps.get_app_config(label)
        config.models_module = True
        create_permissions(config, apps=apps, verbosity=0, using=schema_editor.connection.alias)
        config.models_module = None
    permissions = apps.get_model("auth", "Permission").objects
    ours = permissions.filter(content_type__app_label__in=APPS)
    views = ours.filter(codename__startswith="view_").exclude(codename__in=CONTENT)
    operates = ours.filter(codename__in=OPERATE)
    groups = apps.get_model("auth", "Group").objects
    groups.get(name="viewer").permissions.add(*views)
    groups.get(name="operator").permissions.add(*views, *operates)
    groups.get(name="administrator").permissions.add(
        *ours, *permissions.filter(content_type__app_label="auth", codename__endswith="_group")
    )


class Migration(migrations.Migration):
    dependencies = [
        ("tasks", "0002_seed_queues_and_tune_tables"),
        ("accounts", "0002_seed_plans_and_groups"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
    ]
    operations = [migrations.RunPython(grant, migrations.RunPython.noop)]
