"""TensorBoard: a folder of event files, one run a fit, without TensorFlow.

The bytes of a file are a function of the records, and more records only make it longer. So
writing again adds what is missing, and a file that was cut off is completed.

Source: tensorboard 2.21, "RecordWriter", "plugins.hparams".
"""

import io
from collections.abc import Iterator, Mapping
from itertools import accumulate
from pathlib import Path
from typing import Any, ClassVar, Self

from gradatim.core.errors import ConfigError
from gradatim.runs import disk
from gradatim.runs.loggers._logger import Logger
from gradatim.runs.loggers._tracks import Track, identity

__all__ = ["LOGGER", "TensorBoard"]

HEAD = 2
"""Events before the first record."""


class TensorBoard(Logger):
    """Events below `OUT/NAME OF THE RUN/NAME OF THE FIT`.

    Args:
        folder: of the run's events.
        mark: what tells the run from others of the same name.
    """

    summary: ClassVar[str] = "event files for TensorBoard"
    packages: ClassVar[tuple[str, ...]] = ("tensorboard",)
    look: ClassVar[str] = "tensorboard --logdir {place}"

    def __init__(self, folder: Path, mark: str) -> None:
        self.folder, self.mark = folder, mark
        self.place = str(folder)

    @classmethod
    def opened(cls, run: Path, out: str | None) -> Self:
        """Take the folder `out/NAME`; by default `tensorboard/NAME` beside the run."""
        if out is not None and "://" in out:
            raise ConfigError(f"--out {out}: tensorboard writes into a folder; name one")
        folder = (Path(out) if out else run.parent / "tensorboard") / run.name
        mark = identity(run)
        others = [p for p in folder.rglob("*tfevents*") if not p.name.endswith(f".{mark}")]
        if others:
            text = f"{folder} holds the events of another run of that name"
            raise ConfigError(f"{text}; name another folder with --out, or delete it")
        return cls(folder, mark)

    def write(self, track: Track) -> int:
        """Make the file of a track longer, or anew when a resumed fit wrote other records."""
        path = self.folder / track.name / f"events.out.tfevents.{track.begun:.0f}.{self.mark}"
        pieces = [_framed(event) for event in _events(track)]
        content = b"".join(pieces)
        before = path.read_bytes() if path.is_file() else b""
        kept = len(before) if content.startswith(before) else 0
        if not kept:
            disk.write(path, content)
        elif kept < len(content):
            disk.append(path, content[kept:])  # in place: TensorBoard keeps the file open
        ends = list(accumulate(map(len, pieces)))
        return sum(end > kept for end in ends[HEAD : HEAD + len(track.points)])


LOGGER = TensorBoard


def _framed(event: Any) -> bytes:
    """Return an event as it stands in a file, with its length and checksums."""
    from tensorboard.summary.writer.record_writer import RecordWriter

    buffer = io.BytesIO()
    RecordWriter(buffer).write(event.SerializeToString(deterministic=True))
    return buffer.getvalue()


def _events(track: Track) -> Iterator[Any]:
    """Yield the version and the settings, then an event a record, then the scores and the end."""
    from tensorboard.compat.proto.event_pb2 import Event

    yield Event(wall_time=track.begun, file_version="brain.Event:2")
    yield Event(wall_time=track.begun, summary=_settings(track))
    step, moment = 0, track.begun
    for point in track.points:
        step, moment = point.step, track.begun + point.seconds
        yield _scalars(moment, step, point.values)
    if track.finished:
        scores = {f"scores/{name}": value for name, value in track.scores.items()}
        yield _scalars(moment, step, scores)
        yield Event(wall_time=moment, summary=_ended(track, moment))


def _scalars(moment: float, step: int, values: Mapping[str, float]) -> Any:
    from tensorboard.compat.proto.event_pb2 import Event
    from tensorboard.compat.proto.summary_pb2 import Summary

    told = [Summary.Value(tag=name, simple_value=value) for name, value in values.items()]
    return Event(wall_time=moment, step=step, summary=Summary(value=told))


def _settings(track: Track) -> Any:
    """Return the settings for the page of hyper-parameters."""
    from tensorboard.plugins.hparams import metadata, plugin_data_pb2

    info = plugin_data_pb2.SessionStartInfo(group_name=track.name, start_time_secs=track.begun)
    for name, value in track.settings.items():
        if isinstance(value, bool):
            info.hparams[name].bool_value = value
        elif isinstance(value, str):
            info.hparams[name].string_value = value
        else:
            info.hparams[name].number_value = value
    data = plugin_data_pb2.HParamsPluginData(session_start_info=info)
    return _plugin(metadata.SESSION_START_INFO_TAG, data)


def _ended(track: Track, moment: float) -> Any:
    from tensorboard.plugins.hparams import api_pb2, metadata, plugin_data_pb2

    how = api_pb2.STATUS_FAILURE if track.failed else api_pb2.STATUS_SUCCESS
    info = plugin_data_pb2.SessionEndInfo(status=how, end_time_secs=moment)
    data = plugin_data_pb2.HParamsPluginData(session_end_info=info)
    return _plugin(metadata.SESSION_END_INFO_TAG, data)


def _plugin(tag: str, data: Any) -> Any:
    from tensorboard.compat.proto.summary_pb2 import Summary
    from tensorboard.plugins.hparams import metadata

    known = metadata.create_summary_metadata(data)
    # Written by the plugin itself, the order of the settings would differ from process to process.
    data.version = metadata.PLUGIN_DATA_VERSION
    known.plugin_data.content = data.SerializeToString(deterministic=True)
    return Summary(value=[Summary.Value(tag=tag, metadata=known, tensor=metadata.NULL_TENSOR)])
