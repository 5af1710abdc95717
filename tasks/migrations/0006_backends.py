"""Makes the tables of model servers, what keeps them in order, and who may change them."""

import django.contrib.postgres.fields
import django.db.models.deletion
import django.db.models.expressions
import django.db.models.functions.datetime
from django.contrib.auth.management import create_permissions
from django.db import migrations, models

KINDS = ("chat", "embeddings", "images", "vision", "speech", "http")
# Seconds between two runs (tasks.lifecycle.sweep).
DUTIES = {"check_backends": 15, "end_leases": 5, "forget_calls": 60}
# Places come and go with every call.
TUNE = """
    ALTER TABLE backend SET (fillfactor = 50);
    ALTER TABLE backend_lease SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000,
                                   autovacuum_vacuum_cost_delay = 0);
"""


def seed(apps, _schema_editor):
    for kind in KINDS:
        apps.get_model("tasks", "BackendPool").objects.get_or_create(kind=kind)
    for name, seconds in DUTIES.items():
        apps.get_model("tasks", "Duty").objects.get_or_create(name=name, defaults={"every_seconds": seconds})


def grant(apps, schema_editor):
    # Django makes permissions only after all migrations, so those that are granted here are made first.
    config = apps.get_app_config("tasks")
    config.models_module = True
    create_permissions(config, apps=apps, verbosity=0, using=schema_editor.connection.alias)
    config.models_module = None
    permissions = apps.get_model("auth", "Permission").objects.filter(content_type__app_label="tasks")
    ours = permissions.filter(codename__regex=r"^(add|change|delete|view)_backend")
    groups = apps.get_model("auth", "Group").objects
    groups.get(name="viewer").permissions.add(*ours.filter(codename="view_backend"))
    groups.get(name="operator").permissions.add(*ours.filter(codename__endswith="_backend"))
    groups.get(name="administrator").permissions.add(*ours)


class Migration(migrations.Migration):
    dependencies = [("tasks", "0005_schedules")]
    operations = [
        migrations.CreateModel(
            name='BackendPool',
            fields=[
                ('kind', models.TextField(choices=[('chat', 'Chat'), ('embeddings', 'Embeddings'), ('images', 'Images'), ('vision', 'Vision'), ('speech', 'Speech'), ('http', 'HTTP')], primary_key=True, serialize=False)),
                ('strategy', models.TextField(choices=[('least_busy', 'least busy, by weight'), ('round_robin', 'round robin, by weight'), ('sticky', 'sticky by user')], db_default='least_busy')),
            ],
            options={
                'db_table': 'backend_pool',
            },
        ),
        migrations.CreateModel(
            name='Backend',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.TextField(choices=[('chat', 'Chat'), ('embeddings', 'Embeddings'), ('images', 'Images'), ('vision', 'Vision'), ('speech', 'Speech'), ('http', 'HTTP')])),
                ('name', models.TextField()),
                ('base_url', models.TextField(help_text='As http://gpu1:8000/v1; without a key in it.', verbose_name='address')),
                ('model_names', django.contrib.postgres.fields.ArrayField(base_field=models.TextField(), blank=True, db_default=models.Value([], django.contrib.postgres.fields.ArrayField(base_field=models.TextField(), size=None)), default=list, help_text='Only these are used; empty: those that the server names itself.', size=None, verbose_name='models')),
                ('weight', models.FloatField(db_default=1.0, default=1.0, help_text='Its share of the calls, against the others.')),
                ('most_calls', models.IntegerField(db_default=4, default=4, help_text='Counted across all nodes.', verbose_name='most calls at once')),
                ('enabled', models.BooleanField(db_default=True, default=True)),
                ('from_environment', models.BooleanField(db_default=False, editable=False)),
                ('named_at', models.DateTimeField(editable=False, null=True)),
                ('turn', models.FloatField(db_default=0.0, editable=False)),
                ('seen_models', django.contrib.postgres.fields.ArrayField(base_field=models.TextField(), editable=False, null=True, size=None)),
                ('checked_at', models.DateTimeField(editable=False, null=True)),
                ('check_seconds', models.FloatField(editable=False, null=True)),
                ('failure_count', models.IntegerField(db_default=0, editable=False)),
                ('failing', models.TextField(db_default='', editable=False)),
                ('last_error', models.TextField(db_default='', editable=False)),
                ('last_error_at', models.DateTimeField(editable=False, null=True)),
                ('open_until', models.DateTimeField(editable=False, null=True)),
                ('rests_until', models.DateTimeField(editable=False, null=True)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
            ],
            options={
                'db_table': 'backend',
                'ordering': ['kind', 'name'],
                'constraints': [models.UniqueConstraint(fields=('kind', 'base_url'), name='backend_one_per_address'), models.CheckConstraint(condition=models.Q(('kind__in', ['chat', 'embeddings', 'images', 'vision', 'speech', 'http'])), name='backend_kind_known'), models.CheckConstraint(condition=models.Q(('weight__gt', 0), ('weight__lte', 1000)), name='backend_weight_range'), models.CheckConstraint(condition=models.Q(('most_calls__range', (1, 10000))), name='backend_most_calls_range')],
            },
        ),
        migrations.CreateModel(
            name='BackendKey',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('sealed', models.TextField()),
                ('ending', models.TextField()),
                ('rests_until', models.DateTimeField(null=True)),
                ('backend', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='keys', to='tasks.backend')),
            ],
            options={
                'db_table': 'backend_key',
            },
        ),
        migrations.CreateModel(
            name='BackendCall',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('ended_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('seconds', models.FloatField()),
                ('failure', models.TextField()),
                ('backend', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='calls', to='tasks.backend')),
            ],
            options={
                'db_table': 'backend_call',
                'indexes': [models.Index(models.F('backend'), models.F('ended_at'), name='backend_call_recent'), models.Index(models.F('ended_at'), name='backend_call_old')],
            },
        ),
        migrations.CreateModel(
            name='BackendLease',
            fields=[
                ('id', models.UUIDField(primary_key=True, serialize=False)),
                ('place', models.IntegerField()),
                ('task_id', models.UUIDField()),
                ('token', models.UUIDField()),
                ('taken_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('backend', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='leases', to='tasks.backend')),
            ],
            options={
                'db_table': 'backend_lease',
                'constraints': [models.UniqueConstraint(fields=('backend', 'place'), name='backend_lease_one_per_place')],
            },
        ),
        migrations.RunSQL(TUNE, migrations.RunSQL.noop),
        migrations.RunPython(seed, migrations.RunPython.noop),
        migrations.RunPython(grant, migrations.RunPython.noop),
    ]
