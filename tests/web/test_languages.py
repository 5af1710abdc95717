"""Pages, problems and forms in the reader's language; the switch; a header that names nonsense."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import translation

from accounts.languages import language_for
from accounts.models import Plan, User
from portal.web.urls import urlpatterns
from tasks.errors import InvalidInput, UnreadableFile
from tasks.lifecycle import ending, finish
from tasks.lifecycle.claim import Claimed
from tasks.lifecycle.submit import Submission, submit_batch
from tasks.schedules.draft import Draft
from tasks.schedules.manage import create_schedule
from tasks.ui.sentences import in_language
from tests.leftovers import leftovers
from tests.web.conftest import Finish, SignIn, Submit

pytestmark = pytest.mark.django_db

CHINESE = "zh-hans"
NONSENSE = [
    "",
    "*",
    "xx",
    "q=1",
    ";;;",
    "zh;q=nonsense",
    "zh-" + "x" * 600,
    "é\u4e2d",
    "en-US;q=0.9," * 200,
    "../../etc",
]


NAMES = {"alice@example.com", "Pro", "English"}


@pytest.fixture
def chinese(sign_in: SignIn, alice: User) -> Client:
    """Alice's browser; she reads Chinese."""
    User.objects.filter(pk=alice.pk).update(language=CHINESE)
    return sign_in(alice)


def test_no_english_is_left_on_a_page(
    chinese: Client, alice: User, submit: Submit, claim: Callable[[], Claimed], finished: Finish
) -> None:
    done = finished(alice, {"text": "你好", "warnings": ["No speech was heard."]}, as_type="pdf.extract")
    submit(alice)
    failing = claim()
    finish.finish_attempt(failing, ending.failed(failing, UnreadableFile("The file holds no sound."), traceback=""))
    waiting = submit(alice, "diagnostic.sleep", {"seconds": 1})
    create_schedule(alice, Draft(Submission("diagnostic.echo", {"message": "你好"}), cron="0 6 * * *"))
    paths = [f"/{one.pattern}" for one in urlpatterns if "<" not in str(one.pattern)]
    paths += [reverse("web:task", args=[task]) for task in (done.pk, failing.id, waiting.pk)]
    paths += [reverse("web:schedule", args=[alice.schedules.get().pk])]
    paths += [reverse("web:submit", args=[name]) for name in ("pdf.extract", "speech.transcribe", "text.generate")]
    paths += [reverse(name) for name in ("account_change_password", "mfa_index", "usersessions_list")]
    pages = {path: answer.text for path in paths if (answer := chinese.get(path)).status_code == 200}
    found = [f"{path}: {text}" for path, page in pages.items() for text in leftovers(page, CHINESE, names=NAMES)]
    assert len(pages) > 20
    assert not found, "\n".join(found)


def test_what_is_stored_in_english_is_said_in_the_readers_language(
    chinese: Client, alice: User, claim: Callable[[], Claimed]
) -> None:
    echo = Submission("diagnostic.echo", {"message": "你好"})
    batch = submit_batch(alice, [echo, InvalidInput("The file has no name.")]).batch
    failing = claim()
    finish.finish_attempt(failing, ending.failed(failing, UnreadableFile("The file holds no sound."), traceback=""))
    shown = chinese.get(reverse("web:batch", args=[batch.pk])).text
    assert not leftovers(shown, CHINESE, names=NAMES)
    assert re.search(r'href="/tasks" aria-current="page"', shown)
    # As the script asks, which shows what it is told.
    Plan.objects.update(file_bytes=1)
    upload = {"file": SimpleUploadedFile("字.txt", b"words")}
    refused = chinese.post(reverse("web:upload"), upload, headers={"Accept": "application/json"})
    assert refused.status_code == 422
    assert not leftovers(refused.json()["error"], CHINESE, names=NAMES)
    filtered = chinese.get(reverse("web:tasks"), {"from": "2100-01-02"}).text
    assert "2100年1月2日" in filtered


def test_language_is_chosen_on_any_page_and_remembered(client: Client, sign_in: SignIn, alice: User) -> None:
    stranger = client.post(reverse("language"), {"language": CHINESE, "next": reverse("account_login")})
    assert stranger["Location"] == reverse("account_login")
    page = client.get(reverse("account_login"))
    assert '<html lang="zh-hans"' in page.text
    assert "登录" in page.text
    assert page["Content-Language"] == CHINESE

    sign_in(alice).post(reverse("language"), {"language": CHINESE, "next": "https://elsewhere.example"})
    alice.refresh_from_db()
    assert alice.language == CHINESE
    other = sign_in(alice)
    assert "你好" in other.get(reverse("web:home"), headers={"Accept-Language": "en"}).text
    assert '<html lang="en"' in client.get(reverse("web:status"), headers={"Cookie": ""}).text


def test_account_has_the_language_in_its_form(page: Client, alice: User) -> None:
    given = {"name": "Alice", "time_zone": "", "language": CHINESE}
    assert "已保存" in page.post(reverse("web:account"), given, follow=True).text
    assert page.post(reverse("web:account"), given | {"language": "xx"}).status_code == 422
    assert page.post(reverse("web:account"), given | {"language": ""}).status_code == 302
    alice.refresh_from_db()
    assert alice.language == ""


@pytest.mark.parametrize("header", NONSENSE)
def test_header_that_names_nonsense_is_english(client: Client, header: str) -> None:
    for path in ("/status", "/no-such-page", "/api/v1/tasks"):
        answer = client.get(path, headers={"Accept-Language": header})
        assert answer.status_code in {200, 404, 401}
        assert answer["Content-Language"] == "en"


def test_problem_is_in_the_language_that_the_client_asks_for(client: Client) -> None:
    answer = client.get("/api/v1/tasks", headers={"Accept-Language": "zh-CN,zh;q=0.9,en;q=0.8"})
    assert answer.json()["title"] == "请求没有说明由谁发送。"
    assert answer.json()["code"] == "not_authenticated"
    assert "Accept-Language" in answer["Vary"]
    assert client.get("/api/v1/tasks").json()["title"] == "The request does not say who sends it."


def test_task_types_are_described_in_the_language_that_is_asked_for(page: Client) -> None:
    asked = page.get("/api/v1/task-types/pdf.extract", headers={"Accept-Language": "zh"}).json()
    usual = page.get("/api/v1/task-types/pdf.extract").json()
    assert (asked["title"], usual["title"]) == ("读取 PDF", "Read a PDF")
    assert asked["input_schema"]["properties"]["pages"]["title"] == "页"
    assert asked["input_schema"]["properties"].keys() == usual["input_schema"]["properties"].keys()


@pytest.mark.parametrize(
    ("english", "chinese"),
    [
        ("reading page 3 of 20", "正在读取第 3 页，共 20 页"),
        ("The attempt took longer than its timeout of 60 seconds.", "这次尝试超过了 60 秒的时限。"),
        ("No speech was heard. The file has no name.", "没有听到语音。文件没有名称。"),
        ("n1 was lost 1 min 15 s ago; it ran nothing.", "n1 在 1 分 15 秒前失联；当时没有运行任何任务。"),
        ("≥ 2 h 5 min", "≥ 2 小时 5 分"),
        ("a.pdf: Page 2: there is no text on it.", "a.pdf：第 2 页：其中没有文字。"),
        (
            "a.pdf: “DE88”: its check digits are wrong, it is no valid IBAN.",
            "a.pdf：“DE88”：校验位错误，不是有效的 IBAN。",
        ),
        (
            "Sheet S: the empty columns between B and XFD are left out of the table.",
            "工作表 S：B 和 XFD 之间的空列没有放入表格。",
        ),
        ("3 pictures in the file were not read.", "文件中有 3 张图片没有读取。"),
        ("What nobody ever said", "What nobody ever said"),
        ("What nobody: ever said on a day.", "What nobody: ever said on a day."),
        ("{count} is no place", "{count} is no place"),
        ("x" * 100_000, "x" * 100_000),
    ],
)
def test_stored_sentence_is_translated_when_it_is_shown(english: str, chinese: str) -> None:
    with translation.override(CHINESE):
        assert in_language(english) == chinese
    assert in_language(english) == english


def test_what_is_sent_to_somebody_is_in_their_language(alice: User) -> None:
    alice.language = CHINESE
    with language_for(alice):
        assert translation.gettext("Saved.") == "已保存。"
    alice.language = "nonsense"
    with language_for(alice):
        assert translation.gettext("Saved.") == "Saved."
