"""The list of alarms, and the form that says what counts as one and who is told."""

from __future__ import annotations

from typing import Any

import pytest
from django.db.models.functions import Now
from django.test import Client

from accounts.system import system_user
from tasks.models import Alarm, AlarmSettings, AuditEntry, WebhookEndpoint

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)

FORM = "/admin/tasks/alarmsettings/1/change/"


@pytest.fixture
def given(operator: Client) -> dict[str, Any]:
    """The form as it is."""
    form = operator.get(FORM).context["adminform"].form
    return {name: form[name].value() if form[name].value() is not None else "" for name in form.fields}


def test_alarms_are_listed_while_they_last_and_after(operator: Client, viewer: Client) -> None:
    Alarm.objects.create(kind="disk", about="files", text="The disk is full.", path="/admin/tasks/file/", is_bad=True)
    Alarm.objects.create(
        kind="backend", about="1", text="It was away.", path="/admin/", is_bad=False, ended_at=Now(), told_at=Now()
    )
    lasting = viewer.get("/admin/tasks/alarm/").text
    assert "The disk is full." in lasting
    assert "Urgent" in lasting
    assert "It was away." not in lasting
    assert "It was away." in viewer.get("/admin/tasks/alarm/?lasts=over").text
    assert len(viewer.get("/admin/tasks/alarm/?lasts=all&kind__exact=disk").context["cl"].result_list) == 1
    assert "What counts, and who is told" in operator.get("/admin/tasks/alarm/").text


def test_operators_set_thresholds_and_receivers_and_it_is_audited(
    operator: Client, given: dict[str, Any], settings: Any
) -> None:
    settings.EMAIL_HOST = "mail.example.com"
    settings.OUTBOUND_ALLOW = ["hooks.internal"]
    changed = given | {
        "oldest_wait_minutes": 30, "mail_to": "olga@example.com\notto@example.com\nolga@example.com",
        "told": ["no_workers", "disk"], "quiet_from": "22:00", "quiet_until": "07:00",
        "webhook_url": "http://127.0.0.1:9/hook",
    }  # fmt: skip
    settings.OUTBOUND_ALLOW = ["127.0.0.1:*"]
    page = operator.post(FORM, changed, follow=True)
    assert page.redirect_chain[-1][0] == "/admin/tasks/alarm/"
    assert "signed with this secret, which is not shown again: whsec_" in page.text
    stored = AlarmSettings.objects.get()
    assert (stored.oldest_wait_minutes, stored.mail_to) == (30, ["olga@example.com", "otto@example.com"])
    assert "paused" in stored.not_told
    assert "disk" not in stored.not_told
    assert stored.endpoint == WebhookEndpoint.objects.get()
    entry = AuditEntry.objects.get(target_kind="alarmsettings")
    assert "whsec_" not in str(entry.details)
    # Saved again as it is: the same secret stays.
    again = operator.get(FORM).context["adminform"].form
    kept = {name: again[name].value() if again[name].value() is not None else "" for name in again.fields}
    assert "whsec_" not in operator.post(FORM, kept, follow=True).text
    assert AlarmSettings.objects.get().endpoint_id == stored.endpoint_id
    operator.post(FORM, kept | {"webhook_url": ""})
    assert not WebhookEndpoint.objects.exists()


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("oldest_wait_minutes", "99999999999", "less than or equal to 10080"),
        ("oldest_wait_minutes", "", "This field is required."),
        ("failure_percent", "0", "greater than or equal to 1"),
        ("mail_to", "nobody", "Enter a valid email address."),
        ("mail_to", "olga@example.com", "No server for e-mail is set up"),
        ("webhook_url", "https://127.0.0.1/x", "does not lead to a public address"),
        ("portal_url", "portal", "Enter a valid URL."),
        ("quiet_from", "22:00", "Quiet hours need a beginning and an end."),
        ("quiet_from+quiet_until", "22:00", "Quiet hours end at another time than they begin."),
        ("told", ["nothing"], "is not one of the available choices"),
    ],
)
def test_what_cannot_be_set_is_said(operator: Client, given: dict[str, Any], name: str, value: Any, said: str) -> None:
    page = operator.post(FORM, given | dict.fromkeys(name.split("+"), value))
    assert page.status_code == 200
    assert said in page.text
    assert not AuditEntry.objects.exists()


def test_address_that_was_given_up_is_said_and_tried_again_when_it_is_saved(
    operator: Client, given: dict[str, Any]
) -> None:
    endpoint = WebhookEndpoint.objects.create(
        owner=system_user(), url="https://hooks.example.com/secret", events=["alarm.began"], secret="s",
        disabled_at=Now(), disabled_reason="Every delivery failed for three days.",
    )  # fmt: skip
    AlarmSettings.objects.update(endpoint=endpoint)
    assert "Nothing is posted there any more: Every delivery failed for three days." in operator.get(FORM).text
    page = operator.post(FORM, given | {"webhook_url": endpoint.url}, follow=True)
    assert "whsec_" not in page.text
    assert WebhookEndpoint.objects.get(pk=endpoint.pk).disabled_at is None


def test_viewer_reads_the_settings_and_changes_nothing(viewer: Client) -> None:
    AlarmSettings.objects.update(
        endpoint=WebhookEndpoint.objects.create(
            owner=system_user(), url="https://hooks.example.com/secret", events=["alarm.began"], secret="s"
        )
    )
    page = viewer.get(FORM).text
    assert "https://hooks.example.com/…" in page
    assert "/secret" not in page
    assert "no workers, node lost or silent" in page
    assert viewer.post(FORM, {}).status_code == 403
    assert viewer.get("/admin/tasks/alarmsettings/").headers["Location"] == FORM
    assert viewer.get("/admin/tasks/alarmsettings/add/").status_code == 403
