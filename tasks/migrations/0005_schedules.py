"""Schedules and their runs, the duties that fire and forget them, and who among the operators may pause them."""

import django.contrib.postgres.fields
import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.contrib.auth.management import create_permissions
from django.db import migrations, models

import tasks.models.ids

# Seconds between two runs of each duty (tasks.lifecycle.sweep).
DUTIES = {"fire_schedules": 1, "forget_runs": 600}
VIEW = ("view_schedule", "view_schedulerun")
GRANTS = {"viewer": VIEW, "operator": (*VIEW, "change_schedule"), "administrator": (*VIEW, "change_schedule")}


def seed(apps, _schema_editor):
    for name, seconds in DUTIES.items():
        apps.get_model("tasks", "Duty").objects.get_or_create(name=name, defaults={"every_seconds": seconds})


def grant(apps, schema_editor):
    # Django makes permissions only after all migrations, so those that are granted here are made first.
    config = apps.get_app_config("tasks")
    config.models_module = True
    create_permissions(config, apps=apps, verbosity=0, using=schema_editor.connection.alias)
    config.models_module = None
    permissions = apps.get_model("auth", "Permission").objects.filter(content_type__app_label="tasks")
    for group, names in GRANTS.items():
        # An operator may have renamed or removed a group.
        for found in apps.get_model("auth", "Group").objects.filter(name=group):
            found.permissions.add(*permissions.filter(codename__in=names))


class Migration(migrations.Migration):
    dependencies = [
        ("tasks", "0004_dependencies"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Schedule',
            fields=[
                ('id', models.UUIDField(default=tasks.models.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('name', models.TextField(db_default='')),
                ('type', models.TextField()),
                ('input', models.JSONField()),
                ('priority', models.SmallIntegerField(null=True)),
                ('timeout_seconds', models.IntegerField(null=True)),
                ('max_attempts', models.SmallIntegerField(null=True)),
                ('metadata', models.JSONField(db_default=models.Value({}, models.JSONField()))),
                ('tags', django.contrib.postgres.fields.ArrayField(base_field=models.TextField(), db_default=models.Value([], django.contrib.postgres.fields.ArrayField(base_field=models.TextField(), size=None)), size=None)),
                ('on_quota', models.TextField(db_default='reject')),
                ('cron', models.TextField(null=True)),
                ('time_zone', models.TextField(db_default='UTC')),
                ('interval_seconds', models.IntegerField(null=True)),
                ('start_at', models.DateTimeField(null=True)),
                ('end_at', models.DateTimeField(null=True)),
                ('most_runs', models.IntegerField(null=True)),
                ('catch_up', models.TextField(choices=[('one', 'one run for any number missed'), ('all', 'every missed run'), ('none', 'no missed run')], db_default='one')),
                ('overlap', models.TextField(choices=[('skip', 'leave the run out'), ('allow', 'run beside it')], db_default='skip')),
                ('next_run_at', models.DateTimeField(null=True)),
                ('last_run_at', models.DateTimeField(null=True)),
                ('last_error', models.JSONField(null=True)),
                ('run_count', models.IntegerField(db_default=0)),
                ('refusal_count', models.IntegerField(db_default=0)),
                ('paused_at', models.DateTimeField(null=True)),
                ('paused_reason', models.TextField(db_default='')),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('last_task', models.ForeignKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='tasks.task')),
                ('owner', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='schedules', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'db_table': 'schedule',
            },
        ),
        migrations.CreateModel(
            name='ScheduleRun',
            fields=[
                ('id', models.UUIDField(default=tasks.models.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('due_at', models.DateTimeField()),
                ('by_hand', models.BooleanField(db_default=False)),
                ('outcome', models.TextField(choices=[('submitted', 'submitted'), ('refused', 'refused'), ('skipped', 'skipped')])),
                ('error', models.JSONField(null=True)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('schedule', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='runs', to='tasks.schedule')),
                ('task', models.ForeignKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='tasks.task')),
            ],
            options={
                'db_table': 'schedule_run',
            },
        ),
        migrations.AddIndex(
            model_name='schedule',
            index=models.Index(models.F('next_run_at'), condition=models.Q(('next_run_at__isnull', False)), name='schedule_due'),
        ),
        migrations.AddIndex(
            model_name='schedule',
            index=models.Index(models.F('owner'), models.OrderBy(models.F('id'), descending=True), name='schedule_owner'),
        ),
        migrations.AddConstraint(
            model_name='schedule',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('cron__isnull', False), ('interval_seconds', None)), models.Q(('cron', None), ('interval_seconds__isnull', False)), _connector='OR'), name='schedule_cron_or_interval'),
        ),
        migrations.AddConstraint(
            model_name='schedule',
            constraint=models.CheckConstraint(condition=models.Q(('paused_at', None), ('next_run_at', None), _connector='OR'), name='schedule_paused_has_no_next'),
        ),
        migrations.AddIndex(
            model_name='schedulerun',
            index=models.Index(models.F('schedule'), models.OrderBy(models.F('id'), descending=True), name='schedule_run_list'),
        ),
        migrations.AddIndex(
            model_name='schedulerun',
            index=models.Index(models.F('created_at'), name='schedule_run_age'),
        ),
        migrations.AddConstraint(
            model_name='schedulerun',
            constraint=models.UniqueConstraint(condition=models.Q(('by_hand', False)), fields=('schedule', 'due_at'), name='schedule_run_once_per_time'),
        ),
        migrations.RunPython(seed, migrations.RunPython.noop),
        migrations.RunPython(grant, migrations.RunPython.noop),
    ]
