"""The numbers that others report for boxes, by faster-coco-eval."""

import numpy as np
from jaxtyping import Float

from gradatim.core.errors import ConfigError

__all__ = ["coco_numbers"]

_SIDE = 1000.0  # shares become pixels of a square picture: overlaps do not change
_KINDS = {"ap": "AP_all", "ap50": "AP_50", "ap75": "AP_75", "ar": "AR_third"}
# AR_third is the AR with 100 boxes, after those with 1 and 10.


def coco_numbers(
    found: Float[np.ndarray, "rows found 6"], there: Float[np.ndarray, "rows most 5"]
) -> dict[str, float]:
    """Return AP@[.5:.95], AP50, AP75 and AR with 100 boxes a picture as faster-coco-eval has them.

    Our own scores (`ops.detection.average_precision`) are held against these in tests: they are
    what a climb reports, since a bootstrap asks for them some hundred times.

    Args:
        found: left, top, right, bottom as shares, confidence, class; -1 for none.
        there: left, top, right, bottom as shares, class; -1 for none.

    Returns:
        "ap", "ap50", "ap75" and "ar", shares in [0, 1]; nan where nothing is there.

    Raises:
        ConfigError: the package is not installed.

    Source:
        Lin et al. 2014, "Microsoft COCO"; https://github.com/MiXaiLL76/faster_coco_eval.

    Deviations:
        None.
    """
    try:
        from faster_coco_eval import COCO, COCOeval_faster
    except ImportError as error:
        what = "COCO's own numbers need faster-coco-eval"
        raise ConfigError(f'{what}; install it: pip install "gradatim[pictures]"') from error
    if not (there[..., 4] >= 0).any():
        return dict.fromkeys(_KINDS, float("nan"))
    marks = _annotations(there.astype(np.float64), there[..., 4])
    known = set((np.unique(there[..., 4])).astype(int) + 1) - {0}
    truth = COCO(
        {
            "images": [{"id": i + 1, "width": _SIDE, "height": _SIDE} for i in range(len(there))],
            "categories": [{"id": name, "name": str(name)} for name in sorted(known)],
            "annotations": marks,
        }
    )
    results = _annotations(found.astype(np.float64), found[..., 5])
    # A class that is nowhere counts for nothing, and neither does a false alarm of it.
    results = [result for result in results if result["category_id"] in known]
    if not results:
        return dict.fromkeys(_KINDS, 0.0)
    judge = COCOeval_faster(truth, truth.loadRes(results), "bbox")
    judge.run()
    return {name: float(judge.stats_as_dict[theirs]) for name, theirs in _KINDS.items()}


def _annotations(boxes: np.ndarray, classes: np.ndarray) -> list[dict[str, object]]:
    """Return boxes as COCO writes them: left, top, width, height; classes begin at 1."""
    marks: list[dict[str, object]] = []
    for row, place in zip(*np.nonzero(classes >= 0), strict=True):
        left, top, right, bottom = (_SIDE * boxes[row, place, :4]).tolist()
        wide, high = right - left, bottom - top
        marks.append(
            {
                "id": len(marks) + 1,
                "image_id": int(row) + 1,
                "category_id": int(classes[row, place]) + 1,
                "bbox": [left, top, wide, high],
                "area": wide * high,
                "iscrowd": 0,
                "score": float(boxes[row, place, 4]),
            }
        )
    return marks
