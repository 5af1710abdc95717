"""Names of queues, clusters and model servers have a rule. What was named before it stays usable.

Queues and clusters keep an odd name, marked: millions of tasks, and the settings of nodes that run now, may carry it.
A model server's name is for people and stands nowhere else: it is written in one line.
"""

from django.db import migrations, models

import tasks.names

SLUG = r"\A[A-Za-z0-9][A-Za-z0-9._-]{0,99}\Z"
ODD = r"\u0001-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069"
LINE = rf"\A[^ {ODD}][^{ODD}]{{0,199}}\Z"

MARK = f"""
    UPDATE queue SET has_old_name = true WHERE name !~ '{SLUG}';
    UPDATE cluster SET has_old_name = true WHERE name !~ '{SLUG}';
"""
# Where nothing is left of the name, the address has to do.
MEND = f"""
    UPDATE backend SET name = coalesce(
        nullif(rtrim(left(ltrim(regexp_replace(name, '[{ODD}]+', ' ', 'g')), 200)), ''),
        left(regexp_replace(base_url, '[ {ODD}]+', '', 'g'), 200)
    ) WHERE name !~ '{LINE}';
"""


class Migration(migrations.Migration):
    dependencies = [("tasks", "0013_plan_without_statuses")]

    operations = [
        *(
            migrations.AddField(table, "has_old_name", models.BooleanField(db_default=False, default=False, editable=False))
            for table in ("queue", "cluster")
        ),
        # Else a name might come in between the repair and the rule.
        migrations.RunSQL("LOCK TABLE queue, cluster, backend IN SHARE ROW EXCLUSIVE MODE", migrations.RunSQL.noop),
        migrations.RunSQL(MARK + MEND, migrations.RunSQL.noop),
        *(
            migrations.AlterField(
                table, "name", models.TextField(primary_key=True, serialize=False, validators=[tasks.names.validate_slug])
            )
            for table in ("queue", "cluster")
        ),
        migrations.AlterField("backend", "name", models.TextField(validators=[tasks.names.validate_line])),
        *(
            migrations.AddConstraint(
                table,
                models.CheckConstraint(
                    name=f"{table}_name_slug", condition=models.Q(name__regex=SLUG) | models.Q(has_old_name=True)
                ),
            )
            for table in ("queue", "cluster")
        ),
        migrations.AddConstraint(
            "backend", models.CheckConstraint(name="backend_name_line", condition=models.Q(name__regex=LINE))
        ),
    ]
