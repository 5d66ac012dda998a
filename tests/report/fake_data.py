"""What fake runs are about: sizes, names and ladders."""

from collections.abc import Sequence
from dataclasses import dataclass

HOSTILE = "<script>alert(1)</script>"
BREAKOUT = "\"'><img src=x onerror=alert(1)></style></title></svg><svg onload=alert(1)>{{ 7*7 }}"
TERMINAL = "red \x1b[31m\u202e\x00 end \ud800"

LADDER = {
    "majority": (0.10, "says the commonest class"),
    "softmax": (0.951, "a linear score for each class"),
    "polynomial": (0.974, "products of columns"),
    "kernel_svm": (0.986, "a kernel instead of products, with a margin"),
    "knn": (0.984, "asks the nearest rows"),
    "mlp": (0.972, "learns its own features"),
    "lenet5": (0.983, "shares weights across the picture"),
    "resnet_small": (0.989, "adds shortcuts, so that depth can be trained"),
}
REGRESSION = {"mean": 77.0, "ridge": 55.2, "polynomial": 56.0, "boosted_trees": 57.9, "mlp": 54.8}


@dataclass
class Data:
    """What a fake run is about."""

    name: str = "digits"
    task: str = "classify"
    metric: str = "accuracy"
    rows: int = 900
    classes: Sequence[str] = tuple("0123456789")
    columns: Sequence[str] = ()
    folds: int = 5
    pictures: bool = True
    rungs: Sequence[str] = tuple(LADDER)
    side: int = 8

    @property
    def higher(self) -> bool:
        return self.metric != "rmse"


def table(**changes: object) -> Data:
    """A classification of a table with two classes."""
    names = ("mean radius", "texture", "smoothness", "area", "symmetry")
    values = {"name": "cancer.csv", "classes": ("benign", "malignant"), "columns": names}
    return Data(**{**values, "rows": 560, "pictures": False, **changes})  # type: ignore[arg-type]


def regression(**changes: object) -> Data:
    """A regression of a table."""
    values = {"name": "diabetes", "task": "regress", "metric": "rmse", "classes": ()}
    names = ("age", "sex", "bmi", "pressure")
    more = {"columns": names, "rows": 440, "pictures": False, "rungs": tuple(REGRESSION)}
    return Data(**{**values, **more, **changes})  # type: ignore[arg-type]


def hostile() -> Data:
    """Names that try to become code, everywhere a name can stand."""
    classes = (HOSTILE, BREAKOUT, TERMINAL, "עברית", "a\nb", "x" * 5000)
    return Data(
        name=HOSTILE + BREAKOUT,
        classes=classes,
        columns=(HOSTILE, BREAKOUT, TERMINAL),
        pictures=False,
        rungs=("majority", "softmax", "<b>mlp", "a&b\"'"),
    )
