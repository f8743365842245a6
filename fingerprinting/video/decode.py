"""From a video file to grey frames with their times, as a stream: memory does not grow with the length."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import av
import numpy as np
from av.codec.context import CodecContext
from av.container import InputContainer
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from PIL import Image

from fingerprinting.audio.containers import open_container
from fingerprinting.errors import LimitExceededError, UnreadableMediaError
from fingerprinting.media import Limits

MAX_FRAME_PIXELS: Final = 36_000_000
"""8K. A decoder holds a dozen frames, so a video may have fewer pixels than a picture."""

SHOWN_PIXELS: Final = 230_400
"""Frames are halved, thirded ... to at least so many pixels: 720p to 640 by 360."""

DENSE_PIXELS: Final = 30_000_000_000
"""So many pixels, 20 minutes of 720p, are decoded densely; of what follows, key frames only. This bounds the time that
a long video takes, by the video alone and not by how busy the machine is."""

SPARSE_PIXELS: Final = 30_000_000_000
SPARSE_SECONDS: Final = 2.0
"""Beyond the dense part key frames are at least so far apart; after `SPARSE_PIXELS` more, `SPARSEST_SECONDS`."""

SPARSEST_SECONDS: Final = 30.0

_DECODE_ERRORS: Final = (av.error.FFmpegError, ValueError, OSError, EOFError)
_MAX_BROKEN_PACKETS: Final = 1000
_FALLBACK_RATE: Final = 25.0
_ROUNDING: Final = 1e-3
# Formats whose first plane is the grey, with a byte a pixel.
_GREY_FIRST: Final = ("yuv4", "yuvj4", "yuva4", "nv12", "nv21", "gray")
_DEEP: Final = ("le", "be", "p9", "p10", "p12", "p14", "p16")


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame that is looked at.

    Attributes:
        time: in seconds from the beginning.
        grey: mode L, upright, `SHOWN_PIXELS` or a little more.
        size: width and height of the whole frame.
    """

    time: float
    grey: Image.Image
    size: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Pace:
    """How many seconds lie, at least, between the frames that are looked at: fewer at first.

    Attributes:
        step: after the beginning.
        first_step: in the beginning.
        first_seconds: how long that is.
    """

    step: float
    first_step: float = 0.0
    first_seconds: float = 0.0

    def after(self, time: float) -> float:
        """Give when the frame after one is due."""
        step = self.first_step if time < self.first_seconds else self.step
        return (int(time / step + _ROUNDING) + 1) * step

    def is_earlier(self, time: float, due: float) -> bool:
        """Whether time went back, so that what is due does not count."""
        return time < due - 2 * self.step


class Footage:
    """The frames of the first moving track of a file, at a pace: iterate over it once.

    Attributes:
        end: where the last frame that was decoded stands, in seconds.
        is_damaged: packets had to be skipped.
        is_sparse: of a part only key frames were decoded, because it is long.
    """

    def __init__(self, path: Path, limits: Limits, pace: Pace) -> None:
        self._path = path
        self._limits = limits
        self._pace = pace
        self.end = 0.0
        self.is_damaged = False
        self.is_sparse = False

    def __iter__(self) -> Iterator[Frame]:
        """Decode. There may be no frame at all, where none can be decoded.

        Raises:
            UnreadableMediaError: damaged beyond opening, or without a moving track.
            UnsupportedMediaError: not a container that we open.
            LimitExceededError: longer, or with larger frames, than is accepted.
        """
        with open_container(self._path, self._limits) as container:
            stream = _track(container)
            self._refuse_long(_stated_seconds(container, stream))
            _refuse_large(stream.codec_context.width, stream.codec_context.height)
            context = stream.codec_context
            context.thread_count = 1
            context.skip_frame = "NONREF"
            context.options = {"max_pixels": str(MAX_FRAME_PIXELS), "skip_loop_filter": "all"}
            begin: float | None = None
            due = 0.0
            for nth, frame in enumerate(self._decoded(container, stream)):
                stamp: float | None = frame.time
                time = nth / _rate(stream) if stamp is None else stamp
                begin = time if begin is None else begin
                time = max(0.0, time - begin)
                self._refuse_long(time)
                self.end = max(self.end, time)
                if time + _ROUNDING >= due or self._pace.is_earlier(time, due):
                    due = self._pace.after(time)
                    yield Frame(time, _grey(frame), (frame.width, frame.height))

    def _decoded(self, container: InputContainer, stream: VideoStream) -> Iterator[VideoFrame]:
        packets = container.demux(stream)
        thrift, broken = _Thrift(stream.codec_context), 0
        while broken < _MAX_BROKEN_PACKETS:
            try:
                packet = next(packets, None)
            except _DECODE_ERRORS:
                self.is_damaged = True
                return
            if packet is None:
                return
            if not thrift.wants(packet):
                continue
            try:
                frames = stream.decode(packet)
            except av.error.MemoryError as error:
                raise MemoryError from error
            except _DECODE_ERRORS:
                self.is_damaged = True
                broken += 1
                continue
            for frame in frames:
                thrift.spend(frame)
                self.is_sparse = thrift.is_sparse
                yield frame

    def _refuse_long(self, seconds: float) -> None:
        if seconds > self._limits.max_seconds:
            raise LimitExceededError(
                f"This video is longer than the {self._limits.max_seconds:,.0f} seconds that are accepted."
                " Cut it into parts and use each of them.",
                max_seconds=self._limits.max_seconds,
            )


class _Thrift:
    """Leaves out what is decoded of a long video: first all but key frames, then most of these."""

    def __init__(self, context: CodecContext) -> None:
        self._context = context
        self._left = DENSE_PIXELS
        self._apart = 0.0
        self._next: float | None = None
        self.is_sparse = False

    def wants(self, packet: "Packet[VideoStream]") -> bool:
        """Whether a packet is to be decoded."""
        if not self.is_sparse or packet.size == 0:  # the last, empty one makes the decoder give out what it holds
            return True
        if not packet.is_keyframe:
            return False
        stamp = packet.pts if packet.pts is not None else packet.dts
        time = None if stamp is None or packet.time_base is None else float(stamp * packet.time_base)
        if time is not None and self._next is not None and self._next - self._apart <= time < self._next:
            return False
        self._next = None if time is None else time + self._apart
        return True

    def spend(self, frame: VideoFrame) -> None:
        """Count what was decoded."""
        self._left -= frame.width * frame.height
        if self._left >= 0:
            return
        self._apart = SPARSEST_SECONDS if self.is_sparse else SPARSE_SECONDS
        self._left = SPARSE_PIXELS
        self.is_sparse = True
        self._context.skip_frame = "NONKEY"


def _track(container: InputContainer) -> VideoStream:
    for stream in container.streams.video:
        if not stream.disposition & av.stream.Disposition.attached_pic:
            if stream.codec_context is None:
                raise UnreadableMediaError(
                    "The picture of this video is in a form that is not known. Export it as MP4."
                )
            return stream
    raise UnreadableMediaError("This file has no moving picture. Choose a video.")


def _stated_seconds(container: InputContainer, stream: VideoStream) -> float:
    if stream.duration is not None and stream.time_base is not None:
        return float(stream.duration * stream.time_base)
    return container.duration / av.time_base if container.duration is not None else 0.0


def _refuse_large(width: int, height: int) -> None:
    if width * height > MAX_FRAME_PIXELS:
        raise LimitExceededError(
            f"This video is too large: its frames have more than {MAX_FRAME_PIXELS / 1e6:,.0f} million pixels."
            " Export a smaller version and use that.",
            max_pixels=MAX_FRAME_PIXELS,
        )


def _rate(stream: VideoStream) -> float:
    rate = stream.average_rate
    return float(rate) if rate else _FALLBACK_RATE


def _grey(frame: VideoFrame) -> Image.Image:
    name = frame.format.name
    if not (name.startswith(_GREY_FIRST) and not name.endswith(_DEEP)):
        frame = frame.reformat(format="gray")
    plane = frame.planes[0]
    rows = np.frombuffer(memoryview(plane), np.uint8)[: plane.line_size * frame.height].reshape(
        frame.height, plane.line_size
    )
    grey = Image.fromarray(rows[:, : frame.width])
    factor = max(1, int((frame.width * frame.height / SHOWN_PIXELS) ** 0.5))
    if factor > 1 and min(grey.size) >= factor:
        grey = grey.reduce(factor)
    turns = round(frame.rotation / 90) % 4
    return grey.transpose(_TURNS[turns]) if turns else grey


_TURNS: Final = {1: Image.Transpose.ROTATE_90, 2: Image.Transpose.ROTATE_180, 3: Image.Transpose.ROTATE_270}
