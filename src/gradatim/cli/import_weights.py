"""`gradatim import-weights`."""

import sys
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from gradatim.cli.options import Json, inert, print_json

__all__ = ["import_weights"]

Three = Annotated[tuple[float, float, float] | None, Parameter(negative=())]


def import_weights(
    file: Path,
    /,
    *,
    model: str,
    names: Path | None = None,
    mean: Three = None,
    std: Three = None,
    out: Path | None = None,
    json: Json = False,
) -> None:
    """Turn a published state dict into a model of this project.

    Parameters
    ----------
    file
        A .pth file with a state dict, or a .safetensors file. Nothing in it is ever run.
    model
        The network, such as resnet18.
    names
        A text file with the name of each class on a line; ImageNet's 1000 by default.
    mean
        Of red, green and blue in [0, 1], such as 0.485 0.456 0.406.
    std
        Their standard deviations, such as 0.229 0.224 0.225.
    out
        The model folder; by default runs/MODEL-imported.
    json
        Print one JSON object.
    """
    from gradatim.session.import_weights import import_weights as bring

    found = bring(file, model, names=names, mean=mean, deviation=std, out=out)
    if json:
        print_json(
            {
                "run": str(found.folder),
                "rung": found.rung,
                "parameters": found.parameters,
                "classes": found.classes,
                "left_out": list(found.left_out),
            }
        )
        return
    said = f"{found.rung}: {found.parameters:,} parameters, {found.classes} classes\n"
    if found.left_out:
        said += f"Left out, for training alone: {len(found.left_out)} tensors\n"
    said += f"Run: {found.folder}\nNext: gradatim predict {found.folder} PICTURE\n"
    sys.stdout.write(inert(said))
