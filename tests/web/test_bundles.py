"""Sheets and scripts are joined as they are written; what cannot be joined is told."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.contrib.staticfiles import finders

from tasks.ui.bundles import BundleFinder, join_modules


@pytest.fixture
def scripts(tmp_path: Path, settings: Any) -> Iterator[Path]:
    settings.STATICFILES_DIRS = [tmp_path]
    finders.get_finder.cache_clear()  # type: ignore[attr-defined]
    yield tmp_path
    finders.get_finder.cache_clear()  # type: ignore[attr-defined]


def test_bundles_are_found_as_files() -> None:
    listed = {path: Path(storage.path(path)).read_text() for path, storage in BundleFinder().list([])}
    assert set(listed) == set(settings.STATIC_BUNDLES)
    for path, sources in settings.STATIC_BUNDLES.items():
        assert Path(str(finders.find(path))).read_text() == listed[path]
        for source in sources:
            whole = Path(str(finders.find(source))).read_text()
            assert whole.splitlines()[-1] in listed[path]


def test_modules_are_joined_in_the_order_they_need(scripts: Path) -> None:
    (scripts / "main.js").write_text('import { two } from "./a/b.js";\nimport { one } from "./c.js";\none(two);\n')
    (scripts / "a").mkdir()
    (scripts / "a/b.js").write_text('import { one } from "../c.js";\nconst own = 1;\nexport const two = one(own);\n')
    (scripts / "c.js").write_text("const own = 2;\nexport function one(number) {\n  return number + own;\n}\n")
    joined = join_modules("main.js")
    places = [joined.index(f"// {name}\n") for name in ("c.js", "a/b.js", "main.js")]
    assert places == sorted(places)
    assert joined.count("// c.js") == 1
    assert "const { one } = module_c_js;" in joined
    assert "return { two };" in joined
    assert "import" not in joined
    assert "export" not in joined


@pytest.mark.parametrize(
    "line", ["export default 1;", 'import "./x.js";', "export { a };", 'import * as a from "./x.js";']
)
def test_module_that_cannot_be_joined_is_told(scripts: Path, line: str) -> None:
    (scripts / "main.js").write_text(f"{line}\n")
    with pytest.raises(ValueError, match=r"main\.js cannot be joined"):
        join_modules("main.js")
