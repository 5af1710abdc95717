"""Draws pages of Chinese and mixed writing, and photographs of pages, for tests of OCR."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import pylopdf_fonts_zh_cn
from PIL import Image, ImageDraw, ImageFont

FONTS = Path(pylopdf_fonts_zh_cn.__file__).parent
SANS, SERIF = FONTS / "NotoSansSC-Regular.otf", FONTS / "NotoSerifSC-Regular.otf"
CONTRACT = [
    "滨海港务局泊位使用合同",
    "合同编号：BH-2024-0317",
    "甲方：滨海港务局有限公司",
    "租金为人民币178,121.38元，每月五日前支付完毕。",
    "水电费按实际用量计算，由甲方每季度开具发票。",
    "签订日期：2024年10月15日",
]
COLUMNS = (
    [
        "港口建于一九二七年，最初只有",
        "两座木码头，供渔船停靠。战后",
        "扩建了北岸，并铺设了铁路，",
        "货物由此运往内地各城市。",
    ],
    [
        "今天的港口每年接待三千艘船，",
        "其中一半是客轮。夏季从五月到",
        "九月，渡船每二十分钟一班，",
        "自行车不得带上甲板。",
    ],
)
TABLE = [
    ["品名 Item", "数量 Qty", "单价 Price", "金额 Amount"],
    ["信号灯 Lamp", "12", "38.50", "462.00"],
    ["缆绳 Rope", "40", "7.25", "290.00"],
    ["海图桌 Table", "3", "1,204.00", "3,612.00"],
]


def write(
    lines: Sequence[str], *, font: Path = SANS, size: int = 24, extent: tuple[int, int] = (760, 360)
) -> Image.Image:
    """A grey page with the lines one below the other."""
    page = Image.new("L", extent, 250)
    letters = ImageFont.truetype(str(font), size)
    for number, line in enumerate(lines):
        ImageDraw.Draw(page).text((40, 30 + number * size * 2), line, fill=20, font=letters)
    return page


def columns(*, size: int = 22) -> Image.Image:
    """Two columns of Chinese prose."""
    page = Image.new("L", (800, 260), 250)
    letters = ImageFont.truetype(str(SANS), size)
    for place, column in enumerate(COLUMNS):
        for number, line in enumerate(column):
            ImageDraw.Draw(page).text((40 + 400 * place, 30 + number * size * 2), line, fill=20, font=letters)
    return page


def photograph(page: Image.Image, *, seed: int = 1) -> Image.Image:
    """The page on a table: from aside, in uneven light, out of focus, with noise, as a JPEG."""
    chance = np.random.default_rng(seed)
    height, width = page.height, page.width
    edge = int(0.08 * max(height, width))
    scene = np.full((height + 2 * edge, width + 2 * edge), 110, np.uint8)
    scene[edge : edge + height, edge : edge + width] = np.asarray(page)
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], dtype=np.float32) + edge
    moved = corners + chance.uniform(-0.05, 0.05, (4, 2)) * (width, height)
    matrix = cv2.getPerspectiveTransform(corners, moved.astype(np.float32))
    seen = cv2.warpPerspective(scene, matrix, (scene.shape[1], scene.shape[0]), borderValue=110).astype(np.float64)
    rows, places = np.mgrid[0 : scene.shape[0], 0 : scene.shape[1]]
    away = ((places / scene.shape[1] - 0.35) / 0.6) ** 2 + ((rows / scene.shape[0] - 0.3) / 0.6) ** 2
    seen = cv2.GaussianBlur(seen * (0.55 + 0.5 * np.exp(-away)), (0, 0), 1.0) + chance.normal(0, 6, scene.shape)
    stored = io.BytesIO()
    Image.fromarray(seen.clip(0, 255).astype(np.uint8)).save(stored, "JPEG", quality=60)
    return Image.open(stored).convert("RGB")
