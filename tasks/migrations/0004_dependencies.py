"""Dependencies between tasks, learned estimates, and what claims of several and threads need."""

import django.contrib.postgres.fields
import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models

# Seconds between two runs of each duty (tasks.lifecycle.sweep).
DUTIES = {"learn_estimates": 5, "mend_low_rank": 1, "forget_history": 600}


def seed(apps, _schema_editor):
    for name, seconds in DUTIES.items():
        apps.get_model("tasks", "Duty").objects.get_or_create(name=name, defaults={"every_seconds": seconds})
    apps.get_model("tasks", "Learning").objects.get_or_create(pk=1)


class Migration(migrations.Migration):
    dependencies = [("tasks", "0003_grant_operators_groups")]

    operations = [
        migrations.CreateModel(
            name='Dependency',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('any_end', models.BooleanField(db_default=False)),
                ('key', models.TextField(null=True)),
            ],
            options={
                'verbose_name_plural': 'dependencies',
                'db_table': 'dependency',
            },
        ),
        migrations.CreateModel(
            name='Estimate',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('type', models.TextField()),
                ('size_bucket', models.SmallIntegerField()),
                ('recent', django.contrib.postgres.fields.ArrayField(base_field=models.FloatField(), size=None)),
                ('seconds', models.FloatField()),
                ('p50_seconds', models.FloatField()),
                ('p90_seconds', models.FloatField()),
                ('updated_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
            ],
            options={
                'db_table': 'estimate',
            },
        ),
        migrations.CreateModel(
            name='Learning',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('last_attempt', models.BigIntegerField(db_default=0)),
            ],
            options={
                'db_table': 'learning',
            },
        ),
        migrations.AddField(
            model_name='cluster',
            name='low_rank',
            field=models.FloatField(db_default=-1e+300),
        ),
        migrations.AddField(
            model_name='settlement',
            name='has_dependents',
            field=models.BooleanField(db_default=False),
        ),
        migrations.AddField(
            model_name='settlement',
            name='slots',
            field=models.SmallIntegerField(db_default=1),
        ),
        migrations.AddField(
            model_name='task',
            name='alone',
            field=models.BooleanField(db_default=False),
        ),
        migrations.AddField(
            model_name='task',
            name='has_dependents',
            field=models.BooleanField(db_default=False),
        ),
        migrations.AddField(
            model_name='task',
            name='input_hash',
            field=models.UUIDField(null=True),
        ),
        migrations.AddField(
            model_name='task',
            name='size_bucket',
            field=models.SmallIntegerField(db_default=0),
        ),
        migrations.AddField(
            model_name='task',
            name='started_by',
            field=models.UUIDField(null=True),
        ),
        migrations.AddField(
            model_name='task',
            name='waits',
            field=models.BooleanField(db_default=False),
        ),
        migrations.AddField(
            model_name='taskcontent',
            name='needs',
            field=django.contrib.postgres.fields.ArrayField(base_field=models.UUIDField(), db_default=models.Value([], django.contrib.postgres.fields.ArrayField(base_field=models.UUIDField(), size=None)), size=None),
        ),
        migrations.AlterField(
            model_name='attempt',
            name='outcome',
            field=models.TextField(choices=[('succeeded', 'Succeeded'), ('failed', 'Failed'), ('timed_out', 'Timed out'), ('cancelled', 'Cancelled'), ('snoozed', 'Snoozed'), ('busy', 'Model servers busy'), ('died', 'Worker died'), ('lost', 'Node lost'), ('returned', 'Went back'), ('started_others', 'Started other tasks')]),
        ),
        migrations.AddIndex(
            model_name='task',
            index=models.Index(models.F('lane'), condition=models.Q(('status', 'ready')), name='task_ready_lane'),
        ),
        migrations.AddIndex(
            model_name='task',
            index=models.Index(models.F('started_by'), condition=models.Q(('started_by__isnull', False)), name='task_started_by'),
        ),
        migrations.AddIndex(
            model_name='task',
            index=models.Index(models.F('owner'), models.F('type'), models.F('input_hash'), condition=models.Q(('input_hash__isnull', False), ('status', 'succeeded')), name='task_same_work'),
        ),
        migrations.AddField(
            model_name='dependency',
            name='needs',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='dependents', to='tasks.task'),
        ),
        migrations.AddField(
            model_name='dependency',
            name='task',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='dependencies', to='tasks.task'),
        ),
        migrations.AddConstraint(
            model_name='estimate',
            constraint=models.UniqueConstraint(fields=('type', 'size_bucket'), name='estimate_one_per_bucket'),
        ),
        migrations.AddConstraint(
            model_name='dependency',
            constraint=models.UniqueConstraint(fields=('task', 'needs'), name='dependency_once'),
        ),
        migrations.AddConstraint(
            model_name='dependency',
            constraint=models.CheckConstraint(condition=models.Q(('task', models.F('needs')), _negated=True), name='dependency_on_another_task'),
        ),
        migrations.RunPython(seed, migrations.RunPython.noop),
    ]
