"""What is found, and by what: words of names, files, tags, prompts and results, of one's own tasks only."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

import pytest

from accounts.models import User
from tasks.files import store_file
from tasks.lifecycle import ending, finish
from tasks.lifecycle.claim import Claimed
from tasks.lifecycle.purge import purge_content, purge_task
from tasks.lifecycle.rename import rename_task
from tasks.lifecycle.submit import Submission, submit_batch, submit_task
from tasks.models import SearchEntry, SearchMark, Task, TaskContent
from tasks.models.newest import Found
from tasks.search import index
from tasks.search.find import count_by_words, find_by_id, find_by_words
from tasks.search.snippets import snippet_of
from tasks.search.words import parse_search

Claim = Callable[[], Claimed | None]

pytestmark = pytest.mark.django_db


def submit(user: User, message: str, **options: object) -> Task:
    return submit_task(user, Submission("diagnostic.echo", {"message": message}, **options)).task  # type: ignore[arg-type]


def find(user: User, text: str, *, most: int = 50, after: UUID | None = None) -> Found[Task]:
    return find_by_words(Task.objects.of(user), parse_search(text), owner_id=user.pk, most=most, after=after)


def end_next(claim: Claim, **result: object) -> None:
    claimed = claim()
    assert claimed is not None
    finish.finish_attempt(claimed, ending.succeeded({"engine": {}} | result))


def ids(found: Found[Task]) -> list[UUID]:
    return [task.pk for task in found.rows]


@pytest.mark.parametrize(
    ("message", "queries", "strange"),
    [
        ("the invoice-2027 of May", ["invoice", "INVOICES", "2027", "voice", "may invoice", "invoice-2027"], ["june"]),
        ("PO7731, Café Zürich", ["7731", "po77", "cafe zurich", "CAFÉ"], ["77311"]),
        ("发票号码 44", ["发票", "票", "码", "票号码", "发票 44"], ["票发", "车"]),
        ("Straße, Ünï, ﬁle", ["straße", "uni", "file"], ["strasse x"]),
        ("100 % of a_b", ["100", "b", "100%"], ["200"]),
    ],
)
def test_task_is_found_by_its_words(alice: User, message: str, queries: list[str], strange: list[str]) -> None:
    other = submit(alice, "something else")
    task = submit(alice, "hello", name=message)
    for query in queries:
        assert ids(find(alice, query)) == [task.pk], query
    for query in strange:
        assert ids(find(alice, query)) == [], query
    assert ids(find(alice, "something")) == [other.pk]


@pytest.mark.parametrize("query", ["", "%", "' & !:* \\ '", "§", "\0", "🏠"])
def test_what_has_no_words_finds_nothing(alice: User, query: str) -> None:
    submit(alice, "100 % § 🏠")
    assert ids(find(alice, query)) == []


def test_everything_of_a_task_is_searched_but_what_gives_access(alice: User, claim: Claim) -> None:
    file = store_file(alice, name="ferry-timetable.txt", chunks=[b"x"])
    task = submit_task(alice, Submission("file.process", {"file": str(file.pk)}, name="Harbour", tags=["boats"])).task
    call = {"url": "https://example.com/lighthouse", "headers": {"Authorization": "Bearer s3cr3t"}}
    TaskContent.objects.filter(pk=task.pk).update(input={"file": str(file.pk), **call})
    end_next(claim, pages=[{"text": "Pier seven"}])
    for query in ("harbour", "timetable", "metab", "boats", "lighthouse", "pier seven"):
        assert ids(find(alice, query)) == [task.pk], query
    for query in ("bearer", "s3cr3t", "authorization", str(file.pk)):
        assert ids(find(alice, query)) == [], query
    # The middle of a word is looked for in names only.
    assert ids(find(alice, "eve")) == []


def test_only_ones_own_is_found(alice: User, bob: User) -> None:
    task = submit(alice, "a secret plan")
    assert ids(find(bob, "secret")) == []
    assert ids(find(alice, "secret")) == [task.pk]


def test_purged_task_is_found_no_more(alice: User, claim: Claim) -> None:
    for message in ("by a person", "by time"):
        submit(alice, f"purged {message}")
        end_next(claim)
    late, early = ids(find(alice, "purged"))
    purge_task(early, by=alice)
    Task.objects.filter(pk=late).update(keep_until="2020-01-01T00:00:00Z")
    purge_content()
    assert not SearchEntry.objects.exists()
    # Whoever had begun to read it comes too late.
    index.read_words([late, early])
    assert not SearchEntry.objects.exists()


def test_new_name_is_found_at_once_and_the_old_one_no_more(alice: User) -> None:
    task = submit(alice, "hello", name="before")
    assert ids(find(alice, "before")) == [task.pk]
    rename_task(task.pk, "afterwards", owner=alice)
    assert (ids(find(alice, "before")), ids(find(alice, "afterwards"))) == ([], [task.pk])


def test_duty_reads_new_tasks_and_their_results_once(alice: User, claim: Claim) -> None:
    task = submit(alice, "the question")
    assert index.read_tasks_for_search() == 1
    assert index.read_tasks_for_search() == 0
    assert not SearchEntry.objects.get(pk=task.pk).has_result
    end_next(claim, text="the answer")
    assert index.read_tasks_for_search() == 1
    assert index.read_tasks_for_search() == 0
    assert "the answer" in SearchEntry.objects.get(pk=task.pk).text


def test_walk_finds_what_the_marks_have_passed(alice: User, claim: Claim, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(index, "LIMIT", 2)
    monkeypatch.setattr(index, "LOOK_AGAIN", 0)
    submit_batch(alice, [Submission("diagnostic.echo", {"message": f"number {number}"}) for number in range(5)])
    end_next(claim)
    SearchMark.objects.update(tasks_until=index.LAST_ID, attempts_until=10**9, walk=index.LAST_ID)
    read = [index.read_tasks_for_search() for _ in range(6)]
    assert sum(read) == 5
    assert SearchMark.objects.get().walk is None
    assert SearchEntry.objects.count() == 5


def test_pages_go_on_behind_each_other(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    batch = submit_batch(alice, [Submission("diagnostic.echo", {"message": "common"})] * 5).batch
    newest_first = [UUID(item["id"]) for item in batch.items][::-1]
    first = find(alice, "common", most=3)
    assert (ids(first), first.end) == (newest_first[:3], newest_first[2])
    last = find(alice, "common", most=3, after=first.end)
    assert (ids(last), last.end) == (newest_first[3:], None)
    assert count_by_words(Task.objects.of(alice), parse_search("common"), owner_id=alice.pk, most=4) == (4, False)
    assert count_by_words(Task.objects.of(alice), parse_search("common"), owner_id=alice.pk, most=9) == (5, True)


def test_task_is_found_by_the_beginning_of_its_id(alice: User, bob: User) -> None:
    task = submit(alice, "hello")
    for text in (str(task.pk)[:13], task.pk.hex[:16].upper(), f" {task.pk} "):
        assert find_by_id(Task.objects.of(alice), text, most=9) == [task]
        assert find_by_id(Task.objects.of(bob), text, most=9) == []
    assert find_by_id(Task.objects.of(alice), str(task.pk)[:7], most=9) == []


@pytest.mark.parametrize(
    ("text", "words", "shown"),
    [
        ("names\fThe Total", ["total"], "The [Total]"),
        ("invoice-2027\fnothing here", ["voice"], "in[voice]-2027"),
        ("\f" + "x " * 100 + "Zürich " + "y " * 200, ["zurich"], "…" + "x " * 30 + "[Zürich] " + "y " * 66 + "y…"),
        ("\f" + "ß" * 5 + " İ needle", ["needle"], "ßßßßß İ [needle]"),
        ("\fa\nb", ["c"], ""),
    ],
)
def test_snippet_shows_where_the_words_stand(text: str, words: list[str], shown: str) -> None:
    pieces = snippet_of(text, words)
    assert "".join(f"[{piece}]" if is_word else piece for piece, is_word in pieces) == shown
