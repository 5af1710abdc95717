"""Makes the four plans and the operators' groups. Existing rows are left alone."""

from django.db import migrations

GIB = 1024**3

PLANS = [
    # name, default, slots, weight, waiting, minute, day, priority, high, urgent, timeout, files, keep
    ("Free", True, 2, 1, 100, 60, 500, 6, 0, 0, 3600, GIB, 7),
    ("Pro", False, 4, 2, 5_000, 600, 20_000, 8, 500, 0, 3600, 10 * GIB, 30),
    ("VIP", False, 8, 4, 10_000, 1_200, 50_000, 10, 2_000, 200, 7200, 50 * GIB, 90),
    ("Internal", False, 32, 4, 1_000_000, None, None, 10, None, None, 86_400, 500 * GIB, 90),
]
FIELDS = [
    "is_default",
    "slots",
    "weight",
    "max_waiting",
    "per_minute",
    "per_day",
    "max_priority",
    "high_per_day",
    "urgent_per_day",
    "longest_timeout",
    "file_bytes",
    "keep_days",
]


def seed(apps, _schema_editor):
    plans = apps.get_model("accounts", "Plan")
    for name, *values in PLANS:
        plans.objects.get_or_create(name=name, defaults=dict(zip(FIELDS, values, strict=True)))
    groups = apps.get_model("auth", "Group")
    for name in ("viewer", "operator", "administrator"):
        groups.objects.get_or_create(name=name)


class Migration(migrations.Migration):
    replaces = [("accounts", "0002_seed_plans_and_groups")]

    dependencies = [("accounts", "0001_schema"), ("auth", "0012_alter_user_first_name_max_length")]

    operations = [migrations.RunPython(seed, migrations.RunPython.noop)]
