"""How much processor time reading a PDF's page takes, without OCR: ``python -m tests.bench.pdf_pages FILE…``

The least of five readings counts: other work on the machine adds to a reading, and never takes away.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

from tasks.engines.contained import no_check
from tasks.engines.pdf_reader import open_reader

SAMPLES = Path(__file__).parents[1] / "samples"
TIMES = 5


def seconds_a_page(path: Path) -> tuple[int, float]:
    """Return the number of pages and the processor seconds for one of them."""
    least = float("inf")
    for _ in range(TIMES):
        with open_reader(path) as reader:
            began = time.process_time()
            for number in range(1, reader.page_count + 1):
                reader.read_page(number, use_ocr="never", check=no_check)
            least = min(least, (time.process_time() - began) / reader.page_count)
    return reader.page_count, least


def main() -> None:
    for path in [Path(name) for name in sys.argv[1:]] or [SAMPLES / "report.pdf", SAMPLES / "handbook.pdf"]:
        count, seconds = seconds_a_page(path)
        print(f"{path.name}: {count} pages, {seconds * 1000:.1f} ms of processor time a page")


if __name__ == "__main__":
    main()
