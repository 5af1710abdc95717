"""Alarms, what counts as one, who is told; causes of failures. What failed within 30 days is looked at: it is not new."""

import datetime

import django.contrib.postgres.fields
import django.core.validators
import django.db.models.deletion
import django.db.models.functions.datetime
import tasks.models.alarm
from django.conf import settings
from django.contrib.auth.management import create_permissions
from django.db import migrations, models
from django.db.models.functions import Now


OPERATE = ("change_alarmsettings",)
LOOK = ("view_alarm", "view_alarmsettings")


def begin(apps, _schema_editor):
    now = Now()
    apps.get_model("tasks", "AlarmSettings").objects.get_or_create(
        pk=1, defaults={"causes_since": now, "causes_noted_until": now - datetime.timedelta(days=30)}
    )


def grant(apps, schema_editor):
    """Whoever looks sees alarms; operators say what counts as one and who is told."""
    config = apps.get_app_config("tasks")
    # Django makes permissions only after all migrations, so those that are granted here are made first.
    config.models_module = True
    create_permissions(config, apps=apps, verbosity=0, using=schema_editor.connection.alias)
    config.models_module = None
    permissions = apps.get_model("auth", "Permission").objects.filter(content_type__app_label="tasks")
    for name, wanted in {"viewer": LOOK, "operator": LOOK + OPERATE, "administrator": LOOK + OPERATE}.items():
        # Somebody may have renamed or removed a group.
        for group in apps.get_model("auth", "Group").objects.filter(name=name):
            group.permissions.add(*permissions.filter(codename__in=wanted))


class Migration(migrations.Migration):

    dependencies = [
        ('tasks', '0009_nodes'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Alarm',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.TextField(choices=[('no_workers', 'no workers'), ('lost_node', 'node lost or silent'), ('backend', 'model server down'), ('database', 'database'), ('disk', 'disk'), ('failure_rate', 'failure rate'), ('new_cause', 'new cause of failure'), ('oldest_wait', 'long wait'), ('webhook', 'webhook failing'), ('schedule', 'schedule refused'), ('operation', 'operation paused'), ('paused', 'paused or drained by an operator')])),
                ('about', models.TextField()),
                ('text', models.TextField()),
                ('path', models.TextField()),
                ('is_bad', models.BooleanField()),
                ('began_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('seen_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('ended_at', models.DateTimeField(null=True)),
                ('told_at', models.DateTimeField(null=True)),
                ('end_told_at', models.DateTimeField(null=True)),
            ],
            options={
                'db_table': 'alarm',
                'default_permissions': ('view',),
            },
        ),
        migrations.CreateModel(
            name='AlarmSettings',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('oldest_wait_minutes', models.IntegerField(db_default=15, default=15, help_text='Alarm when the oldest task of an open queue has waited for longer.', validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(10080)])),
                ('failure_percent', models.IntegerField(db_default=20, default=20, help_text='Alarm when so many attempts of a task type failed in the last 15 minutes.', validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(100)])),
                ('failure_least', models.IntegerField(db_default=5, default=5, help_text='But only from so many failed attempts on.', validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(1000000)])),
                ('new_cause_hours', models.IntegerField(db_default=24, default=24, help_text='A cause of failure that was never seen before is an alarm for so long; 0: never.', validators=[django.core.validators.MinValueValidator(0), django.core.validators.MaxValueValidator(720)])),
                ('disk_free_percent', models.IntegerField(db_default=10, default=10, help_text='Alarm when less of the disk of files is free.', validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(100)])),
                ('connections_percent', models.IntegerField(db_default=80, default=80, help_text='Alarm when more of the connections that the database allows are in use.', validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(100)])),
                ('transaction_minutes', models.IntegerField(db_default=10, default=10, help_text='Alarm when a transaction in the database has been open for longer: it slows down everybody.', validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(10080)])),
                ('tell_after_seconds', models.IntegerField(db_default=60, default=60, help_text='An alarm that is over sooner is told to nobody.', validators=[django.core.validators.MinValueValidator(0), django.core.validators.MaxValueValidator(86400)])),
                ('mail_to', django.contrib.postgres.fields.ArrayField(base_field=models.TextField(validators=[django.core.validators.EmailValidator()]), blank=True, db_default=models.Value([], django.contrib.postgres.fields.ArrayField(base_field=models.TextField(), size=None)), default=list, size=None, verbose_name='e-mail to')),
                ('not_told', django.contrib.postgres.fields.ArrayField(base_field=models.TextField(choices=[('no_workers', 'no workers'), ('lost_node', 'node lost or silent'), ('backend', 'model server down'), ('database', 'database'), ('disk', 'disk'), ('failure_rate', 'failure rate'), ('new_cause', 'new cause of failure'), ('oldest_wait', 'long wait'), ('webhook', 'webhook failing'), ('schedule', 'schedule refused'), ('operation', 'operation paused'), ('paused', 'paused or drained by an operator')]), blank=True, db_default=models.Value(['paused'], django.contrib.postgres.fields.ArrayField(base_field=models.TextField(), size=None)), default=tasks.models.alarm.paused_only, size=None)),
                ('quiet_from', models.TimeField(blank=True, null=True)),
                ('quiet_until', models.TimeField(blank=True, null=True)),
                ('urgent_always', models.BooleanField(db_default=True, default=True)),
                ('portal_url', models.TextField(blank=True, db_default='', verbose_name='address of the portal')),
                ('causes_since', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('causes_noted_until', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
            ],
            options={
                'verbose_name': 'alarm settings',
                'verbose_name_plural': 'alarm settings',
                'db_table': 'alarm_settings',
                'default_permissions': ('view', 'change'),
            },
        ),
        migrations.CreateModel(
            name='Cause',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('type', models.TextField()),
                ('code', models.TextField()),
                ('fingerprint', models.TextField()),
                ('first_at', models.DateTimeField()),
                ('last_at', models.DateTimeField()),
            ],
            options={
                'db_table': 'cause',
                'default_permissions': (),
            },
        ),
        migrations.AddIndex(
            model_name='alarm',
            index=models.Index(models.F('id'), condition=models.Q(('end_told_at', None), ('told_at__isnull', False)), name='alarm_end_to_tell'),
        ),
        migrations.AddIndex(
            model_name='alarm',
            index=models.Index(models.F('ended_at'), condition=models.Q(('ended_at__isnull', False)), name='alarm_over'),
        ),
        migrations.AddConstraint(
            model_name='alarm',
            constraint=models.UniqueConstraint(condition=models.Q(('ended_at', None)), fields=('kind', 'about'), name='alarm_one_at_a_time'),
        ),
        migrations.AddConstraint(
            model_name='alarm',
            constraint=models.CheckConstraint(condition=models.Q(('end_told_at', None), models.Q(('told_at', None), _negated=True), _connector='OR'), name='alarm_end_told_after_begin'),
        ),
        migrations.AddField(
            model_name='alarmsettings',
            name='endpoint',
            field=models.ForeignKey(db_constraint=False, db_index=False, editable=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='tasks.webhookendpoint'),
        ),
        migrations.AddIndex(
            model_name='cause',
            index=models.Index(models.OrderBy(models.F('first_at'), descending=True), name='cause_first'),
        ),
        migrations.AddIndex(
            model_name='cause',
            index=models.Index(models.F('last_at'), name='cause_last'),
        ),
        migrations.AddConstraint(
            model_name='cause',
            constraint=models.UniqueConstraint(fields=('type', 'code', 'fingerprint'), name='cause_once'),
        ),
        migrations.AddConstraint(
            model_name='alarmsettings',
            constraint=models.CheckConstraint(condition=models.Q(('pk', 1)), name='alarm_settings_one'),
        ),
        migrations.AddConstraint(
            model_name='alarmsettings',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('quiet_from', None), ('quiet_until', None)), models.Q(('quiet_from__isnull', False), ('quiet_until__isnull', False)), _connector='OR'), name='alarm_settings_quiet_both'),
        ),
        migrations.RunPython(begin, migrations.RunPython.noop),
        migrations.RunPython(grant, migrations.RunPython.noop),
    ]
