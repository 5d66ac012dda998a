"""Boxes with their names on a picture, and pictures as the bytes of a PNG file."""

import io

import numpy as np

from gradatim.ops.detection.outlines import Line, outlined
from gradatim.ops.segmentation.overlay import PALETTE

__all__ = ["labelled", "png_bytes"]


def png_bytes(picture: np.ndarray) -> bytes:
    """Return a picture, uint8 (1 or 3, height, width), as a PNG file."""
    from PIL import Image

    pixels = picture[0] if len(picture) == 1 else picture.transpose(1, 2, 0)
    file = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(pixels)).save(file, "PNG")
    return file.getvalue()


def labelled(picture: np.ndarray, boxes: np.ndarray, names: tuple[str, ...]) -> np.ndarray:
    """Return a picture with boxes, a colour a class, each with its class and how sure it is.

    Args:
        picture: uint8 (1 or 3, height, width).
        boxes: (boxes, 6), best first: edges as shares of width and height, how sure, class.
        names: of the classes.
    """
    lines = [(box[:4], Line(_colour(box))) for box in boxes[::-1]]  # the surest lies on top
    drawn = outlined(picture, lines)
    return _written(drawn, boxes[::-1], names) if len(boxes) else drawn


def _colour(box: np.ndarray) -> tuple[int, int, int]:
    return PALETTE[int(box[5]) % len(PALETTE)]


def _written(picture: np.ndarray, boxes: np.ndarray, names: tuple[str, ...]) -> np.ndarray:
    """Return a picture with a small plate above each box, or below its upper edge."""
    from PIL import Image, ImageDraw, ImageFont

    canvas = Image.fromarray(np.ascontiguousarray(picture.transpose(1, 2, 0)))
    pencil, font = ImageDraw.Draw(canvas), ImageFont.load_default(max(9, canvas.height // 40))
    for box in boxes:
        said = f"{names[int(box[5])]} {box[4]:.2f}"
        x, y = box[0] * canvas.width, box[1] * canvas.height
        height = pencil.textbbox((0, 0), said, font=font)[3] + 1
        place = (x, y - height if y >= height else y)
        pencil.rectangle(pencil.textbbox(place, said, font=font), fill=_colour(box))
        pencil.text(place, said, fill=(0, 0, 0), font=font)
    return np.asarray(canvas).transpose(2, 0, 1)
