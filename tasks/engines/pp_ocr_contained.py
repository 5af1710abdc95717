"""The process of `pp_ocr`: keeps the models in memory, finds lines of writing in pictures and reads them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from statistics import fmean, median
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tasks.engines import pp_ocr
from tasks.engines.contained import Tell
from tasks.engines.line_pictures import Quad, cut_line, cut_out, pieces_of, resized
from tasks.engines.reading_order import WITHOUT_SPACES

Grey = NDArray[np.uint8]

# Lines are looked for in pieces of at most this many pixels: memory grows with them.
MAX_PIXELS, MAX_SIDE = 2_900_000, 2048
MOST_PIECES = 24
# Smaller pictures are enlarged to this; print lower than LOW is looked for again, enlarged to READABLE.
SMALL_SIDE, LOW, READABLE = 960, 13.0, 22.0
# A line read less surely than this is left out, and counted.
LEAST_CONFIDENCE = 0.5
# One or two letters by themselves are often no writing: corners of codes, marks, textures.
FEW_LETTERS, LEAST_CONFIDENCE_OF_FEW = 2, 0.8
# In a square of the line's height.
FEWEST_LETTERS = 0.3
# Letters whose middles lie further apart than this, in heights of the line, have a space between them.
SPACE = 1.25
# Read surely: of the longest lines, when asking which way is up.
PROBES, SURE = 5, 0.8
# Lines this much higher than wide are lying, or run downwards.
TALL = 1.5


@dataclass(frozen=True)
class Read:
    """What stands in one cut-out line: characters with the places of their middles, from 0 to 1 along the line."""

    text: str
    confidence: float
    places: list[float]
    sureness: list[float]


def look(tell: Tell, *, path: str, may_turn: bool) -> dict[str, Any]:
    """Find and read the lines of a grey picture that is stored as a NumPy array; see `pp_ocr.look`."""
    grey: Grey = np.load(Path(path), allow_pickle=False)
    quads, reduced = _find(grey)
    if may_turn and quads and (turn := _turn_of(grey, quads)):
        return {"lines": [], "turn": turn, "unread": 0, "reduced": reduced}
    reads = _read_all(grey, quads)
    lines = [_line(quad, read) for quad, read in zip(quads, reads, strict=True) if _is_sure(quad, read)]
    return {"lines": lines, "turn": 0, "unread": len(quads) - len(lines), "reduced": round(reduced, 3)}


def _is_sure(quad: Quad, read: Read) -> bool:
    # A long line of which a full stop was read, surely: its letters are of a script that the model does not know.
    length, height = sorted(_extent(quad), reverse=True)
    least = LEAST_CONFIDENCE_OF_FEW if len(read.places) <= FEW_LETTERS else LEAST_CONFIDENCE
    return read.confidence >= least and len(read.places) > FEWEST_LETTERS * length / max(height, 1.0)


def _find(grey: Grey) -> tuple[list[Quad], float]:
    """Return the corners of all lines, in pixels of the picture, and the scale at which they were looked for."""
    height, width = grey.shape
    long, short = max(height, width), max(1, min(height, width))
    if long > 3 * short:
        # A strip: shrunk to one piece, its writing would vanish.
        scale = min(2.0, max(MAX_SIDE * MOST_PIECES / 2 / long, 0.01), 1400 / short)
        return _find_in_pieces(grey, scale), min(1.0, scale)
    scale = min(MAX_SIDE / long, (MAX_PIXELS / grey.size) ** 0.5, max(1.0, min(2.0, SMALL_SIDE / long)))
    quads = _find_in_pieces(grey, scale)
    heights = [_extent(quad)[1] * scale for quad in quads]
    if scale < 1 and heights and median(heights) < LOW:
        finer = min(1.0, scale * READABLE / median(heights), (MOST_PIECES * MAX_PIXELS / 2 / grey.size) ** 0.5)
        if finer > 1.2 * scale:
            return _find_in_pieces(grey, finer), finer
    return quads, min(1.0, scale)


def _find_in_pieces(grey: Grey, scale: float) -> list[Quad]:
    quads: list[Quad] = []
    for left, top, piece in pieces_of(resized(grey, scale), MAX_SIDE, MAX_PIXELS):
        found = _engine()(_as_colour(piece), use_det=True, use_cls=False, use_rec=False)
        for box in found.boxes if found.boxes is not None else ():
            quads.append((np.asarray(box, dtype=np.float32) + np.array([left, top])) / scale)
    return quads


def _turn_of(grey: Grey, quads: list[Quad]) -> int:
    """Return the quarter turn, counter-clockwise in degrees, that brings the writing upright; 0 where it is."""
    longest = sorted(quads, key=lambda quad: -max(_extent(quad)))[:PROBES]
    lying = sum(_extent(quad)[1] > TALL * _extent(quad)[0] for quad in longest) > len(longest) / 2
    ways = (90, 270) if lying else (0, 180)
    pictures = [cut_out(grey, quad) for quad in longest]
    confidences = {ways[0]: _mean_confidence([np.rot90(picture, ways[0] // 90) for picture in pictures])}
    if confidences[ways[0]] < SURE:
        confidences[ways[1]] = _mean_confidence([np.rot90(picture, ways[1] // 90) for picture in pictures])
    best = max(confidences, key=lambda way: confidences[way])
    # Neither way: writing that runs downwards, or none that this model reads.
    return best if confidences[best] >= SURE else 0


def _mean_confidence(pictures: list[Grey]) -> float:
    return fmean(read.confidence if read.text.strip() else 0.0 for read in _recognise(pictures))


def _read_all(grey: Grey, quads: list[Quad]) -> list[Read]:
    pictures = [cut_out(grey, quad) for quad in quads]
    reads = _recognise_long(pictures)
    # A single character may be narrow, and a line may lie: both ways are tried.
    tall = [place for place, picture in enumerate(pictures) if picture.shape[0] > TALL * picture.shape[1]]
    turned = _recognise_long([np.rot90(pictures[place]) for place in tall])
    for place, other in zip(tall, turned, strict=True):
        if other.confidence * len(other.text) > reads[place].confidence * len(reads[place].text):
            reads[place] = other
    return reads


def _recognise_long(pictures: list[Grey]) -> list[Read]:
    """Read lines of any length: the long ones are cut at gaps, read in parts and joined."""
    parts = [cut_line(picture) for picture in pictures]
    flat = iter(_recognise([part for _, _, part in (part for line in parts for part in line)]))
    return [_joined([(start, share, next(flat)) for start, share, _ in line]) for line in parts]


def _joined(parts: list[tuple[float, float, Read]]) -> Read:
    if len(parts) == 1:
        return parts[0][2]
    texts, places, sureness = "", [], []
    for start, share, read in parts:
        # A line is cut where there is least ink: between two words, where writing has spaces.
        apart = texts and read.text and not (WITHOUT_SPACES.match(texts[-1]) or WITHOUT_SPACES.match(read.text[0]))
        texts += (" " if apart else "") + read.text
        places += [start + share * place for place in read.places]
        sureness += read.sureness
    return Read(texts, fmean(sureness) if sureness else 0.0, places, sureness)


def _recognise(pictures: list[Grey]) -> list[Read]:
    if not pictures:
        return []
    engine = _engine()
    engine.return_word_box = True
    said = engine.recognize_txt([_as_colour(picture) for picture in pictures])
    return [
        _read_of(text, confidence, info)
        for text, confidence, info in zip(said.txts, said.scores, said.word_results, strict=True)
    ]


def _read_of(text: str, confidence: float, info: Any) -> Read:
    columns = [column for word in info.word_cols or () for column in word]
    letters = sum(not character.isspace() for character in text)
    if len(columns) == letters and info.line_txt_len:
        places = [min(1.0, (column + 0.5) / info.line_txt_len) for column in columns]
    else:
        places = [(number + 0.5) / max(letters, 1) for number in range(letters)]
    # One for each character that was read, blanks included.
    given = list(info.confs or ())
    spaced = given if len(given) == len(text) else [confidence] * len(text)
    sureness = [value for character, value in zip(text, spaced, strict=True) if not character.isspace()]
    return Read(text, confidence, places, sureness)


def _line(quad: Quad, read: Read) -> dict[str, Any]:
    (left, top), (right, bottom) = quad.min(axis=0).tolist(), quad.max(axis=0).tolist()
    length, height = sorted(_extent(quad), reverse=True)
    words, done = [], 0
    step = 1 / max(1, len(read.places))
    for text in _words_of(read, SPACE * height / max(length, 1.0)):
        mine = slice(done, done + len(text))
        places = read.places[mine]
        half = min(step, (places[-1] - places[0]) / (len(places) - 1) if len(places) > 1 else step) / 2
        start = left + (right - left) * max(0.0, places[0] - half)
        end = left + (right - left) * min(1.0, places[-1] + half)
        words.append((text, round(start, 1), round(max(end, start + 1), 1), round(fmean(read.sureness[mine]), 4)))
        done += len(text)
    box = [round(value, 1) for value in (left, top, right, bottom)]
    return {"box": box, "confidence": round(read.confidence, 4), "words": words}


def _words_of(read: Read, space: float) -> list[str]:
    """Return the words of a line: what its spaces part, and gaps that were not read as spaces."""
    words: list[str] = []
    for text in read.text.split():
        place = sum(map(len, words))
        start = 0
        for number in range(1, len(text)):
            if read.places[place + number] - read.places[place + number - 1] > space:
                words.append(text[start:number])
                start = number
        words.append(text[start:])
    return words


def _extent(quad: Quad) -> tuple[float, float]:
    """Return a line's length along its upper edge, and its height."""
    return float(np.linalg.norm(quad[1] - quad[0])), float(np.linalg.norm(quad[3] - quad[0]))


def _as_colour(grey: Grey) -> NDArray[np.uint8]:
    return np.ascontiguousarray(np.repeat(grey[:, :, np.newaxis], 3, axis=2))


@cache
def _engine() -> Any:
    from rapidocr import RapidOCR

    finder, reader = pp_ocr.model_paths()
    return RapidOCR(
        params={
            # Explicit paths: without them it would look for the files, and download what it does not find.
            "Det.model_path": str(finder),
            "Rec.model_path": str(reader),
            "Det.limit_type": "max",
            "Det.limit_side_len": MAX_SIDE,
            "Global.log_level": "critical",
            "Global.use_preprocess_img": False,
            "Global.use_vertical_padding": False,
            "Global.use_cls": False,
            # A second thread costs half as much again in processor time, and takes the core of another worker.
            "EngineConfig.onnxruntime.intra_op_num_threads": 1,
            "EngineConfig.onnxruntime.inter_op_num_threads": 1,
            "EngineConfig.onnxruntime.enable_cpu_mem_arena": False,
        }
    )
