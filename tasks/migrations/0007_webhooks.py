"""Makes the tables of webhooks, the duties that look after them, and the permissions of operators."""

import django.contrib.postgres.fields
import django.db.models.deletion
import django.db.models.functions.datetime
import tasks.models.ids
from django.conf import settings
from django.contrib.auth.management import create_permissions
from django.db import migrations, models

# Seconds between two runs of each duty.
DUTIES = {"deliver_webhooks": 0.5, "forget_deliveries": 60, "forget_task_webhooks": 3600}

TUNE = """
    ALTER TABLE webhook_delivery SET (fillfactor = 70, autovacuum_vacuum_scale_factor = 0,
                                      autovacuum_vacuum_threshold = 2000, autovacuum_vacuum_cost_delay = 0);
"""


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
        content_type__app_label="tasks", content_type__model__in=["webhookendpoint", "webhookdelivery"]
    )
    groups = apps.get_model("auth", "Group").objects
    groups.get(name="viewer").permissions.add(*ours.filter(codename__startswith="view_"))
    groups.get(name="operator").permissions.add(
        *ours.filter(codename__startswith="view_"), *ours.filter(codename="operate_webhooks")
    )
    groups.get(name="administrator").permissions.add(*ours)


class Migration(migrations.Migration):

    dependencies = [
        ("tasks", "0006_backends"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='WebhookEndpoint',
            fields=[
                ('id', models.UUIDField(default=tasks.models.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('url', models.TextField(blank=True)),
                ('description', models.TextField(blank=True, db_default='')),
                ('events', django.contrib.postgres.fields.ArrayField(base_field=models.TextField(), size=None)),
                ('secret', models.TextField()),
                ('previous_secret', models.TextField(db_default='')),
                ('previous_until', models.DateTimeField(null=True)),
                ('failing_since', models.DateTimeField(null=True)),
                ('disabled_at', models.DateTimeField(null=True)),
                ('disabled_reason', models.TextField(db_default='')),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('owner', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='webhook_endpoints', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'db_table': 'webhook_endpoint',
                'permissions': [('operate_webhooks', 'Can redeliver webhooks')],
            },
        ),
        migrations.CreateModel(
            name='WebhookDelivery',
            fields=[
                ('id', models.UUIDField(default=tasks.models.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('url', models.TextField()),
                ('event', models.TextField()),
                ('task_id', models.UUIDField(null=True)),
                ('task_version', models.IntegerField(null=True)),
                ('payload', models.JSONField()),
                ('status', models.TextField(choices=[('pending', 'Pending'), ('succeeded', 'Succeeded'), ('failed', 'Failed')], db_default='pending')),
                ('tries', models.JSONField(db_default=models.Value([], models.JSONField()))),
                ('failures', models.SmallIntegerField(db_default=0)),
                ('next_try_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), null=True)),
                ('give_up_at', models.DateTimeField()),
                ('trying_task_id', models.UUIDField(null=True)),
                ('error', models.TextField(db_default='')),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('finished_at', models.DateTimeField(null=True)),
                ('owner', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.CASCADE, to=settings.AUTH_USER_MODEL)),
                ('endpoint', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='deliveries', to='tasks.webhookendpoint')),
            ],
            options={
                'verbose_name_plural': 'webhook deliveries',
                'db_table': 'webhook_delivery',
            },
        ),
        migrations.CreateModel(
            name='TaskWebhook',
            fields=[
                ('task_id', models.UUIDField(primary_key=True, serialize=False)),
                ('url', models.TextField()),
                ('endpoint', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, to='tasks.webhookendpoint')),
            ],
            options={
                'db_table': 'task_webhook',
            },
        ),
        migrations.AddConstraint(
            model_name='webhookendpoint',
            constraint=models.UniqueConstraint(condition=models.Q(('url', '')), fields=('owner',), name='webhook_endpoint_one_for_submissions'),
        ),
        migrations.AddConstraint(
            model_name='webhookendpoint',
            constraint=models.CheckConstraint(condition=models.Q(('disabled_at', None), models.Q(('disabled_reason', ''), _negated=True), _connector='OR'), name='webhook_endpoint_disabled_with_reason'),
        ),
        migrations.AddIndex(
            model_name='webhookdelivery',
            index=models.Index(models.F('owner'), models.OrderBy(models.F('id'), descending=True), name='webhook_delivery_owner'),
        ),
        migrations.AddIndex(
            model_name='webhookdelivery',
            index=models.Index(models.F('endpoint'), models.OrderBy(models.F('id'), descending=True), name='webhook_delivery_endpoint'),
        ),
        migrations.AddIndex(
            model_name='webhookdelivery',
            index=models.Index(models.F('endpoint'), models.F('next_try_at'), condition=models.Q(('status', 'pending'), ('trying_task_id', None)), name='webhook_delivery_due'),
        ),
        migrations.AddIndex(
            model_name='webhookdelivery',
            index=models.Index(models.F('endpoint'), models.F('trying_task_id'), condition=models.Q(('trying_task_id__isnull', False)), name='webhook_delivery_trying'),
        ),
        migrations.AddIndex(
            model_name='webhookdelivery',
            index=models.Index(models.F('finished_at'), condition=models.Q(('finished_at__isnull', False)), name='webhook_delivery_over'),
        ),
        migrations.AddConstraint(
            model_name='webhookdelivery',
            constraint=models.UniqueConstraint(fields=('task_id', 'task_version', 'endpoint'), name='webhook_delivery_once'),
        ),
        migrations.AddConstraint(
            model_name='webhookdelivery',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('status', 'pending'), ('next_try_at__isnull', False), ('finished_at', None)), models.Q(models.Q(('status', 'pending'), _negated=True), ('next_try_at', None), ('finished_at__isnull', False)), _connector='OR'), name='webhook_delivery_pending_has_next'),
        ),
        migrations.AddConstraint(
            model_name='webhookdelivery',
            constraint=models.CheckConstraint(condition=models.Q(('trying_task_id', None), ('status', 'pending'), _connector='OR'), name='webhook_delivery_tried_while_pending'),
        ),
        migrations.RunSQL(TUNE, migrations.RunSQL.noop),
        migrations.RunPython(seed, migrations.RunPython.noop),
        migrations.RunPython(grant, migrations.RunPython.noop),
    ]
