"""Makes the sample inputs: a report with tables, a handbook, a scan, a photo-like image. Run it after changing it."""

from __future__ import annotations

import io
from pathlib import Path

import cv2
import numpy as np
import reportlab
from PIL import Image, ImageDraw, ImageFilter, ImageFont
from reportlab.lib import colors
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import getSampleStyleSheet
from reportlab.lib.units import cm
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import PageBreak, Paragraph, SimpleDocTemplate, Spacer, Table, TableStyle

HERE = Path(__file__).parent
FONTS = Path(reportlab.__file__).parent / "fonts"
STYLES = getSampleStyleSheet()
GRID = TableStyle([("GRID", (0, 0), (-1, -1), 0.6, colors.grey), ("BACKGROUND", (0, 0), (-1, 0), colors.whitesmoke)])

SALES = [
    ["Region", "Q1", "Q2", "Q3", "Q4", "Total"],
    ["North", "1,204", "1,310", "1,275", "1,466", "5,255"],
    ["South", "980", "1,015", "", "1,120", "3,115"],
    ["East", "1,530", "1,498", "1,601", "1,744", "6,373"],
    ["West", "745", "802", "790", "861", "3,198"],
]
STAFF = [
    ["Site", "Manager", "Staff", "Opened", "Energy (MWh)"],
    ["Bergen", "Ingrid Solheim", "48", "2011", "412.5"],
    ["Porto", "Duarte Figueira", "73", "2016", "655.0"],
    ["Gdansk", "Maja Nowicka", "61", "2019", "530.2"],
]
REPORT = {
    "Lighthouse Works: annual report": [
        "Lighthouse Works makes lamps, lenses and signal gear for harbours. In the reporting year it delivered "
        "17,941 units to 214 harbours in 31 countries, four per cent more than in the year before.",
        "The table lists units delivered by region and quarter. Southern deliveries of the third quarter were moved "
        "to the fourth while the Porto line was rebuilt.",
    ],
    "Sites": [
        "Three sites were working at the end of the year. Bergen makes lenses, Porto assembles lamps and Gdansk "
        "builds signal gear. All three run on electricity from wind and water.",
    ],
    "Outlook": [
        "Orders for the coming year stand at 19,300 units. The board has released 2.4 million euros for a second "
        "lens furnace in Bergen, which is to be lit in September.",
        "Prices of rare earths remain the largest risk. A contract with two suppliers fixes them until the end of "
        "the coming year.",
    ],
}
SCAN = [
    "HARBOUR OFFICE",
    "Receipt for mooring fees",
    "",
    "Vessel: Sea Sparrow, 42 feet, registered in Bergen",
    "Berth 17, north quay, from 3 May to 9 May",
    "Six nights at 38.50 per night: 231.00",
    "Water and electricity: 24.00",
    "Waste disposal: 11.50",
    "Total paid in cash: 266.50",
    "",
    "Please keep this receipt until you leave the harbour.",
    "The gate code changes every Monday at noon.",
    "For help call the harbour master on channel 12.",
]
HANDBOOK = {
    "Visitor handbook of the Ferrand Observatory": [
        "The Ferrand Observatory stands at 2,340 metres on Mount Corvane. It was founded in 1927 by the astronomer "
        "Odile Ferrand, who paid for the first dome with the prize money of the Lisbon Academy.",
        "The main telescope has a mirror of 3.6 metres, polished in Jena. It weighs eleven tonnes and turns on a "
        "film of oil. A smaller telescope of 80 centimetres is open to visitors on clear nights.",
    ],
    "Opening hours and tickets": [
        "The visitor centre is open from Tuesday to Sunday, 10:00 to 17:00, and closed on Mondays. Night tours take "
        "place on Fridays at 21:30 between April and October.",
        "A day ticket costs 12 euros, children under fourteen pay 5 euros. Night tours cost 28 euros and must be "
        "booked at least three days ahead. Refunds are given until the day before the visit.",
    ],
    "Getting here": [
        "The cable car from Saint-Aubrac runs every twenty minutes and takes nine minutes. Private cars may not use "
        "the summit road. Dogs are welcome in the cable car on a lead, but not inside the domes.",
    ],
    "Safety": [
        "Bring warm clothes: even in July the temperature at night falls below 4 degrees. Torches with white light "
        "are forbidden after sunset because they blind the instruments; red torches are lent at the desk.",
        "In an emergency call the warden on extension 55. The nearest hospital is in Valmure, forty minutes away.",
    ],
}


def make_report(path: Path) -> None:
    parts: list[object] = []
    for number, (title, paragraphs) in enumerate(REPORT.items()):
        parts += [PageBreak()] if number else []
        parts += [Paragraph(title, STYLES["Heading1"])]
        parts += [Paragraph(text, STYLES["BodyText"]) for text in paragraphs]
        rows = {0: SALES, 1: STAFF}.get(number)
        parts += [Spacer(1, 0.5 * cm), Table(rows, style=GRID)] if rows else []
    SimpleDocTemplate(str(path), pagesize=A4, title="Annual report", author="Lighthouse Works", invariant=1).build(
        parts
    )


def make_handbook(path: Path) -> None:
    parts: list[object] = []
    for title, paragraphs in HANDBOOK.items():
        parts += [PageBreak()] if title == "Getting here" else []
        parts += [Paragraph(title, STYLES["Heading2"])]
        parts += [Paragraph(text, STYLES["BodyText"]) for text in paragraphs]
    SimpleDocTemplate(str(path), pagesize=A4, title="Visitor handbook", invariant=1).build(parts)


def make_scan(path: Path) -> None:
    """Draw a page at 150 dots per inch, turn it a little, add noise, and keep only the picture."""
    page = draw_page(SCAN, font="Vera.ttf", size=26)
    page = page.rotate(0.9, resample=Image.Resampling.BICUBIC, fillcolor=255)
    page = add_noise(page.filter(ImageFilter.GaussianBlur(0.6)), deviation=18)
    picture = io.BytesIO()
    page.save(picture, "JPEG", quality=45)
    canvas = Canvas(str(path), pagesize=A4, invariant=1)
    canvas.drawImage(ImageReader(picture), 0, 0, *A4)
    canvas.save()


def make_photo(path: Path) -> None:
    """Draw a sign on a textured wall, with a QR code, lit from one side."""
    width, height = 1200, 900
    rows, columns = np.mgrid[0:height, 0:width]
    light = 0.55 + 0.45 * (columns / width) * (1 - 0.3 * rows / height)
    texture = np.random.default_rng(7).normal(0, 9, (height, width))
    wall = np.stack([(light * tone + texture) for tone in (176, 152, 120)], axis=-1)
    photo = Image.fromarray(wall.clip(0, 255).astype(np.uint8))
    draw = ImageDraw.Draw(photo)
    draw.rectangle((110, 120, 800, 640), fill=(24, 74, 112), outline=(235, 235, 225), width=8)
    lines = [("PIER 7", 104), ("Ferry to Corvane", 58), ("Departs daily 08:45", 52), ("No bicycles on deck", 46)]
    top = 150
    for text, size in lines:
        draw.text((150, top), text, fill=(240, 240, 230), font=ImageFont.truetype(str(FONTS / "VeraBd.ttf"), size))
        top += size + 44
    code = cv2.QRCodeEncoder.create().encode("https://ferry.example/pier-7")
    photo.paste(Image.fromarray(code).resize((240, 240), Image.Resampling.NEAREST).convert("RGB"), (880, 330))
    exif = Image.Exif()
    exif.update({0x010F: "Portal", 0x0110: "Sample camera", 0x0132: "2024:06:01 10:20:30", 0x0112: 1})
    photo.filter(ImageFilter.GaussianBlur(0.7)).save(path, "JPEG", quality=80, exif=exif)


def draw_page(
    lines: list[str],
    *,
    font: str = "Vera.ttf",
    size: int = 24,
    ink: int = 0,
    paper: int = 255,
    extent: tuple[int, int] = (1240, 1754),
) -> Image.Image:
    """Return a grey page of lines, as an A4 sheet at 150 dots per inch unless told otherwise."""
    page = Image.new("L", extent, paper)
    draw = ImageDraw.Draw(page)
    face = ImageFont.truetype(str(FONTS / font) if "/" not in font else font, size)
    for number, line in enumerate(lines):
        draw.text((110, 130 + number * size * 1.7), line, fill=ink, font=face)
    return page


def add_noise(page: Image.Image, *, deviation: float, seed: int = 1) -> Image.Image:
    """Return the page with the grain of a cheap scanner."""
    noise = np.random.default_rng(seed).normal(0, deviation, (page.height, page.width))
    return Image.fromarray((np.asarray(page, dtype=float) + noise).clip(0, 255).astype(np.uint8))


if __name__ == "__main__":
    make_report(HERE / "report.pdf")
    make_handbook(HERE / "handbook.pdf")
    make_scan(HERE / "scan.pdf")
    make_photo(HERE / "photo.jpg")
