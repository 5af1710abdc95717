"""The rows that an installation begins with: queues, pools of model servers, where upkeep stands, and who may do what.

Existing rows are left alone. Duties are not among them: a node brings its own when it starts.
"""

import datetime

from django.contrib.auth.management import create_permissions
from django.db import migrations
from django.db.models.functions import Now

QUEUES = {
    "text": "Text",
    "documents": "Documents",
    "images": "Images",
    "audio": "Audio",
    "diagnostics": "Diagnostics",
    "system": "System",
}
KINDS = ("chat", "embeddings", "images", "vision", "speech", "http")
# Older attempts are not counted: `/usage` looks back 90 days.
LOOK_BACK = datetime.timedelta(days=91)

# Django makes four permissions of each table. These have no screen, and schedules are their owners': nobody gets them.
INTERNAL = ("attemptcount", "dependency", "estimate", "learning", "taskwebhook", "usageday", "usagemark")
OF_OWNERS = ("add_schedule", "delete_schedule", "add_schedulerun", "change_schedulerun", "delete_schedulerun")
# Administrators alone look at these: keys, leases, and content, for which there is a permission of our own besides.
CONFIDENTIAL = ("backendcall", "backendkey", "backendlease", "backendpool", "taskcontent")
OPERATE = (
    "operate_tasks", "operate_webhooks", "change_node", "change_queue", "change_schedule",
    "add_backend", "change_backend", "delete_backend",
)  # fmt: skip


def seed(apps, _schema_editor):
    def rows(model):
        return apps.get_model("tasks", model).objects

    cluster, _ = rows("Cluster").get_or_create(name="default")
    for name, title in QUEUES.items():
        rows("Queue").get_or_create(name=name, defaults={"title": title, "cluster": cluster})
    for kind in KINDS:
        rows("BackendPool").get_or_create(kind=kind)
    rows("Learning").get_or_create(pk=1)
    if not rows("UsageMark").exists():
        rows("UsageMark").create(counted_until=Now() - LOOK_BACK)


def grant(apps, schema_editor):
    """A viewer looks, an operator also acts, an administrator may do everything, reading what users put in included."""
    # Django makes permissions only after all migrations, so those that are granted here are made first.
    for label in ("tasks", "accounts", "auth"):
        config = apps.get_app_config(label)
        config.models_module = True
        create_permissions(config, apps=apps, verbosity=0, using=schema_editor.connection.alias)
        config.models_module = None
    permissions = apps.get_model("auth", "Permission").objects
    ours = permissions.filter(content_type__app_label__in=("tasks", "accounts"))
    ours = ours.exclude(content_type__model__in=INTERNAL).exclude(codename__in=OF_OWNERS)
    views = ours.filter(codename__startswith="view_").exclude(codename="view_task_content")
    views = views.exclude(content_type__model__in=CONFIDENTIAL)
    granted = {
        "viewer": views,
        "operator": views | ours.filter(codename__in=OPERATE),
        "administrator": ours | permissions.filter(content_type__app_label="auth", codename__endswith="_group"),
    }
    for name, wanted in granted.items():
        # Somebody may have renamed or removed a group.
        for group in apps.get_model("auth", "Group").objects.filter(name=name):
            group.permissions.add(*wanted)


class Migration(migrations.Migration):
    replaces = [("tasks", "0002_seed_queues_and_tune_tables"), ("tasks", "0003_grant_operators_groups")]

    dependencies = [
        ("tasks", "0002_tuning"),
        ("accounts", "0002_seeds"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
    ]

    operations = [
        migrations.RunPython(seed, migrations.RunPython.noop),
        migrations.RunPython(grant, migrations.RunPython.noop),
    ]
