"""Makes the table of operations, the duty that carries them out, and the permission to see them."""

import django.db.models.deletion
import django.db.models.functions.datetime
import tasks.models.ids
from django.conf import settings
from django.contrib.auth.management import create_permissions
from django.db import migrations, models

# Seconds between two runs of the duty.
DUTIES = {"run_operations": 1}


def seed(apps, _schema_editor):
    for name, seconds in DUTIES.items():
        apps.get_model("tasks", "Duty").objects.get_or_create(name=name, defaults={"every_seconds": seconds})


def grant(apps, schema_editor):
    # As in 0003: Django makes permissions only after all migrations.
    config = apps.get_app_config("tasks")
    config.models_module = True
    create_permissions(config, apps=apps, verbosity=0, using=schema_editor.connection.alias)
    config.models_module = None
    ours = apps.get_model("auth", "Permission").objects.filter(
        content_type__app_label="tasks", content_type__model="operation"
    )
    groups = apps.get_model("auth", "Group").objects
    # What an operation may do is in `operate_tasks`, as for single tasks.
    for name in ("viewer", "operator"):
        groups.get(name=name).permissions.add(*ours.filter(codename__startswith="view_"))
    groups.get(name="administrator").permissions.add(*ours)


class Migration(migrations.Migration):

    dependencies = [
        ("tasks", "0007_webhooks"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Operation',
            fields=[
                ('id', models.UUIDField(default=tasks.models.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('kind', models.TextField(choices=[('retry', 'Retry'), ('cancel', 'Cancel'), ('move', 'Move'), ('purge', 'Purge'), ('set_priority', 'Set priority')])),
                ('status', models.TextField(choices=[('running', 'Running'), ('paused', 'Paused'), ('cancelled', 'Cancelled'), ('finished', 'Finished')], db_default='running')),
                ('filter', models.JSONField()),
                ('to_queue', models.TextField(db_default='')),
                ('to_priority', models.SmallIntegerField(null=True)),
                ('cursor', models.UUIDField()),
                ('last_id', models.UUIDField()),
                ('total', models.IntegerField()),
                ('done', models.IntegerField(db_default=0)),
                ('changed', models.IntegerField(db_default=0)),
                ('skipped', models.IntegerField(db_default=0)),
                ('failed', models.IntegerField(db_default=0)),
                ('reasons', models.JSONField(db_default=models.Value({}, models.JSONField()))),
                ('pace', models.IntegerField()),
                ('paced_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('trouble_count', models.SmallIntegerField(db_default=0)),
                ('error', models.TextField(db_default='')),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('started_at', models.DateTimeField(null=True)),
                ('finished_at', models.DateTimeField(null=True)),
                ('made_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('owner', models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='operations', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'db_table': 'operation',
                'indexes': [models.Index(models.F('paced_at'), condition=models.Q(('status', 'running')), name='operation_running')],
                'constraints': [
                    models.CheckConstraint(condition=models.Q(('kind__in', ['retry', 'cancel', 'move', 'purge', 'set_priority'])), name='operation_kind_known'),
                    models.CheckConstraint(condition=models.Q(('status__in', ['running', 'paused', 'cancelled', 'finished'])), name='operation_status_known'),
                    models.CheckConstraint(condition=models.Q(('filter', {}), _negated=True), name='operation_has_filter'),
                    models.CheckConstraint(condition=models.Q(('pace__gte', 1)), name='operation_pace_positive'),
                    models.CheckConstraint(condition=models.Q(('done', models.F('changed') + models.F('skipped') + models.F('failed'))), name='operation_counts_add_up'),
                    models.CheckConstraint(condition=models.Q(models.Q(('kind', 'move'), ('to_queue', ''), _negated=True), models.Q(('kind', 'set_priority'), ('to_priority', None), _negated=True)), name='operation_has_goal'),
                    models.CheckConstraint(condition=models.Q(models.Q(('status__in', frozenset(['cancelled', 'finished'])), ('finished_at__isnull', False)), models.Q(models.Q(('status__in', frozenset(['cancelled', 'finished'])), _negated=True), ('finished_at', None)), _connector='OR'), name='operation_stopped_has_end'),
                ],
            },
        ),
        migrations.RunPython(seed, migrations.RunPython.noop),
        migrations.RunPython(grant, migrations.RunPython.noop),
    ]
