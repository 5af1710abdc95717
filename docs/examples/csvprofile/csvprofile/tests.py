"""The handler alone, with real files and without a database."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from django.test import SimpleTestCase

from tasks.errors import UnreadableFile
from tasks.testing import FolderContext, run, run_sample


class ProfileTest(SimpleTestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.ctx = FolderContext(Path(folder.name))

    def profile(self, data: bytes, **options: Any) -> dict[str, Any]:
        return run("csv.profile", self.ctx, file=self.ctx.add("a.csv", data), **options)

    def test_sample_is_profiled(self) -> None:
        result = run_sample("csv.profile", self.ctx, {"file": {"$sample": "ferries.csv"}})
        passengers = result["columns"][3]
        self.assertEqual((result["rows"], result["delimiter"]), (8, "semicolon"))
        self.assertEqual((passengers["kind"], passengers["filled"]), ("number", 7))
        self.assertEqual((passengers["smallest"], passengers["largest"]), ("12", "705"))

    def test_empty_column_and_short_rows(self) -> None:
        result = self.profile(b"a,b\n1,\n2\n", delimiter="comma")
        self.assertEqual([column["kind"] for column in result["columns"]], ["number", "empty"])

    def test_what_is_no_text_is_refused(self) -> None:
        with self.assertRaises(UnreadableFile):
            self.profile(b"\xff\xfe\x00")
