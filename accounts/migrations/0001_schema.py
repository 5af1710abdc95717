"""Tables of users, plans, overrides, API tokens, and tries to sign in."""

import django.contrib.postgres.fields
import django.core.validators
import django.db.models.deletion
import django.db.models.functions.datetime
import django.db.models.functions.text
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    replaces = [
        ("accounts", "0001_initial"),
        ("accounts", "0003_pace"),
    ]

    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
    ]

    operations = [
        migrations.CreateModel(
            name='Plan',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=50, unique=True)),
                ('is_default', models.BooleanField(default=False, help_text='New users get this plan.')),
                ('slots', models.PositiveIntegerField(help_text='Tasks that may be ready or running at once, per cluster.')),
                ('weight', models.FloatField(help_text='Share of worker time against others.', validators=[django.core.validators.MinValueValidator(0.1)])),
                ('max_waiting', models.PositiveIntegerField(verbose_name='most waiting')),
                ('per_minute', models.PositiveIntegerField(blank=True, help_text='Submissions; a batch counts once.', null=True)),
                ('per_day', models.PositiveIntegerField(blank=True, help_text='Tasks, by UTC day.', null=True)),
                ('max_priority', models.PositiveSmallIntegerField(validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(10)], verbose_name='highest priority')),
                ('high_per_day', models.PositiveIntegerField(blank=True, help_text='Tasks of priority 7–8.', null=True)),
                ('urgent_per_day', models.PositiveIntegerField(blank=True, help_text='Tasks of priority 9–10.', null=True)),
                ('longest_timeout', models.PositiveIntegerField(default=3600, help_text='Seconds one attempt may take.')),
                ('file_bytes', models.BigIntegerField(default=5368709120, help_text='Bytes of files kept at once.', verbose_name='file storage')),
                ('keep_days', models.PositiveIntegerField(help_text='Content is purged this long after a task ended.')),
            ],
            options={
                'db_table': 'plan',
                'ordering': ['slots'],
                'constraints': [models.UniqueConstraint(condition=models.Q(('is_default', True)), fields=('is_default',), name='plan_one_default'), models.CheckConstraint(condition=models.Q(('weight__gt', 0)), name='plan_weight_positive')],
            },
        ),
        migrations.CreateModel(
            name='Pace',
            fields=[
                ('key', models.BinaryField(primary_key=True, serialize=False)),
                ('level', models.FloatField()),
                ('tried_at', models.DateTimeField()),
            ],
            options={
                'db_table': 'pace',
                'indexes': [models.Index(models.F('tried_at'), name='pace_tried_at')],
            },
        ),
        migrations.CreateModel(
            name='User',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('password', models.CharField(max_length=128, verbose_name='password')),
                ('last_login', models.DateTimeField(blank=True, null=True, verbose_name='last login')),
                ('is_superuser', models.BooleanField(default=False, help_text='Designates that this user has all permissions without explicitly assigning them.', verbose_name='superuser status')),
                ('email', models.EmailField(max_length=254, unique=True)),
                ('name', models.CharField(blank=True, max_length=150)),
                ('time_zone', models.CharField(blank=True, help_text="As in the tz database; empty: the portal's.", max_length=64)),
                ('is_active', models.BooleanField(default=True, verbose_name='active')),
                ('is_staff', models.BooleanField(default=False, help_text='May sign in to the admin.', verbose_name='operator')),
                ('date_joined', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('groups', models.ManyToManyField(blank=True, help_text='The groups this user belongs to. A user will get all permissions granted to each of their groups.', related_name='user_set', related_query_name='user', to='auth.group', verbose_name='groups')),
                ('user_permissions', models.ManyToManyField(blank=True, help_text='Specific permissions for this user.', related_name='user_set', related_query_name='user', to='auth.permission', verbose_name='user permissions')),
                ('plan', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='users', to='accounts.plan')),
            ],
            options={
                'db_table': 'account',
                'constraints': [models.UniqueConstraint(django.db.models.functions.text.Lower('email'), name='account_email_once')],
            },
        ),
        migrations.CreateModel(
            name='ApiToken',
            fields=[
                ('id', models.CharField(max_length=16, primary_key=True, serialize=False)),
                ('name', models.CharField(max_length=100)),
                ('secret_sha256', models.CharField(max_length=64)),
                ('scopes', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(choices=[('tasks:read', 'read tasks'), ('tasks:write', 'submit, cancel and retry tasks'), ('files', 'upload and download files'), ('webhooks', 'manage webhooks'), ('account', 'read quota and usage, manage tokens'), ('operate', "operators' API; only for operators")], max_length=20), size=None)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('expires_at', models.DateTimeField(blank=True, null=True)),
                ('last_used_at', models.DateTimeField(null=True)),
                ('revoked_at', models.DateTimeField(null=True)),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='api_tokens', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'db_table': 'api_token',
                'ordering': ['-created_at'],
            },
        ),
        migrations.CreateModel(
            name='PlanOverride',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('limit', models.CharField(choices=[('slots', 'Slots'), ('weight', 'Weight'), ('max_waiting', 'most waiting'), ('per_minute', 'per minute'), ('per_day', 'per day'), ('max_priority', 'highest priority'), ('high_per_day', 'high a day'), ('urgent_per_day', 'urgent a day'), ('longest_timeout', 'longest timeout'), ('file_bytes', 'file storage'), ('keep_days', 'days kept')], max_length=20)),
                ('value', models.FloatField()),
                ('reason', models.CharField(max_length=200)),
                ('ends_at', models.DateTimeField(blank=True, null=True)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('made_by', models.ForeignKey(editable=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='overrides', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'db_table': 'plan_override',
                'constraints': [models.UniqueConstraint(fields=('user', 'limit'), name='plan_override_one_per_limit')],
            },
        ),
    ]
