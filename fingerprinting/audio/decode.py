"""Decode any recording to the one form that the fingerprints are computed from: 11025 Hz, mono, 16 bit."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import av
import numpy as np
from av.audio.fifo import AudioFifo
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream
from av.container import InputContainer
from numpy.typing import NDArray

from fingerprinting.audio.containers import damaged, open_container
from fingerprinting.errors import LimitExceededError, UnreadableMediaError
from fingerprinting.media import DEFAULT_LIMITS, Limits

RATE_HZ: Final = 11025
"""Samples a second of everything decoded here: the rate that Chromaprint works at, so that it does not resample."""

_CHUNK_SAMPLES: Final = 1 << 16
_RESAMPLED_AT_ONCE: Final = 1 << 15
# A file that is nothing but broken packets must end; a scratch in a song is shorter than this.
_MAX_BROKEN_PACKETS: Final = 1000
# What a header or a timestamp may promise beyond the sound that is there, before we call a recording cut short.
_MISSING_SECONDS: Final = 2.0
# PyAV raises subclasses of FFmpegError, and ValueError, OSError or EOFError of Python itself for some broken streams.
_DECODE_ERRORS: Final = (av.error.FFmpegError, ValueError, OSError, EOFError)


class Recording:
    """The sound of one file as a stream: iterate over it once.

    Each chunk is an int16 array of shape (n,), mono, RATE_HZ samples a second; memory does not grow with the length.

    Attributes:
        samples: how many samples were given out so far.
        is_damaged: True once packets had to be skipped, or when the sound ended clearly before the header's word.
    """

    def __init__(self, path: Path, limits: Limits = DEFAULT_LIMITS) -> None:
        self._path = path
        self._limits = limits
        self.samples = 0
        self.is_damaged = False

    def __iter__(self) -> Iterator[NDArray[np.int16]]:
        """Decode.

        Raises:
            UnreadableMediaError: empty, damaged beyond reading, or without a track of sound.
            UnsupportedMediaError: not a container that we open.
            LimitExceededError: longer than `limits.max_seconds` or larger than `limits.max_bytes`.
        """
        with open_container(self._path, self._limits) as container:
            stream = _sound_of(container)
            if _promised_seconds(container, stream) > self._limits.max_seconds:
                self._refuse_what_is_too_long()
            max_samples = int(self._limits.max_seconds * RATE_HZ)
            for chunk in _in_chunks(self._pcm(container, stream)):
                self.samples += len(chunk)
                if self.samples > max_samples:
                    raise self._too_long()
                yield chunk
            self._compare_with_header(container, stream)
        if self.samples == 0:
            raise damaged()

    def _refuse_what_is_too_long(self) -> None:
        """Add up how long the packets say that they are, without decoding any.

        Where a header promises more than is accepted, a day of sound is refused in seconds by that, and a lie is not.
        """
        seconds = 0.0
        with open_container(self._path, self._limits) as container:
            try:
                for packet in container.demux(_sound_of(container)):
                    if packet.duration and packet.time_base:
                        seconds += float(packet.duration * packet.time_base)
                    if seconds > self._limits.max_seconds:
                        raise self._too_long()
            except _DECODE_ERRORS:
                return  # what there is before that is decoded, and said to be damaged

    def _too_long(self) -> LimitExceededError:
        return LimitExceededError(
            f"This recording is longer than the {self._limits.max_seconds:,.0f} seconds that are accepted."
            " Cut it into parts and use each of them.",
            max_seconds=self._limits.max_seconds,
        )

    def _pcm(self, container: InputContainer, stream: AudioStream) -> Iterator[NDArray[np.int16]]:
        resampler = _Resampler()
        for frame in self._frames(container, stream):
            yield from resampler.resample(frame)
        yield from resampler.flush()

    def _frames(self, container: InputContainer, stream: AudioStream) -> Iterator[AudioFrame]:
        """Decode packet by packet. A broken packet is skipped, as players do, and remembered."""
        packets = container.demux(stream)
        broken = 0
        while broken < _MAX_BROKEN_PACKETS:
            try:
                packet = next(packets, None)
            except _DECODE_ERRORS:
                # The container itself is broken here: nothing after this point can be found.
                self.is_damaged = True
                return
            if packet is None:
                return
            try:
                frames = stream.decode(packet)
            except _DECODE_ERRORS:
                self.is_damaged = True
                broken += 1
                continue
            yield from frames

    def _compare_with_header(self, container: InputContainer, stream: AudioStream) -> None:
        promised = _promised_seconds(container, stream)
        if promised - self.samples / RATE_HZ > max(_MISSING_SECONDS, promised * 0.02):
            self.is_damaged = True


def decode(path: Path, limits: Limits = DEFAULT_LIMITS) -> NDArray[np.int16]:
    """Decode a whole recording into memory: shape (n,), mono, RATE_HZ samples a second, 22 KB a second.

    Raises:
        UnreadableMediaError, UnsupportedMediaError, LimitExceededError: as iterating over a Recording does.
    """
    return np.concatenate(list(Recording(path, limits)))


def _promised_seconds(container: InputContainer, stream: AudioStream) -> float:
    """Give the length that the header states; 0 where it states none."""
    if stream.duration is not None and stream.time_base is not None:
        return float(stream.duration * stream.time_base)
    return container.duration / av.time_base if container.duration is not None else 0.0


def _sound_of(container: InputContainer) -> AudioStream:
    stream = container.streams.best("audio")
    if not isinstance(stream, AudioStream):
        raise UnreadableMediaError("This file has no track of sound. Choose a recording.")
    if stream.codec_context is None:
        raise UnreadableMediaError("The sound of this file is in a form that is not known. Export it as MP3 or FLAC.")
    # One thread: many files are decoded at once, and results must not depend on the number of cores.
    stream.codec_context.thread_count = 1
    return stream


class _Resampler:
    """Turns frames of any rate, layout and format into our PCM, also where these change within the stream."""

    def __init__(self) -> None:
        self._shape: tuple[str, str, int] | None = None
        self._resampler: AudioResampler | None = None
        self._waiting = AudioFifo()

    def resample(self, frame: AudioFrame) -> Iterator[NDArray[np.int16]]:
        shape = (frame.format.name, frame.layout.name, frame.sample_rate)
        if shape != self._shape:
            yield from self.flush()
            self._shape = shape
            self._resampler = AudioResampler(format="s16", layout="mono", rate=RATE_HZ)
        # Gaps and jumps of timestamps must not become silence: only the sound counts.
        frame.pts = None
        # A frame has some hundred samples, and a call costs as much as they do: many are resampled together.
        try:
            self._waiting.write(frame)
        except _DECODE_ERRORS as error:
            raise damaged() from error
        if self._waiting.samples >= _RESAMPLED_AT_ONCE:
            yield from self._run(self._waiting.read())

    def flush(self) -> Iterator[NDArray[np.int16]]:
        if self._waiting.samples:
            yield from self._run(self._waiting.read())
        yield from self._run(None)
        self._resampler = None
        self._waiting = AudioFifo()

    def _run(self, frame: AudioFrame | None) -> Iterator[NDArray[np.int16]]:
        if self._resampler is None:
            return
        try:
            frames = self._resampler.resample(frame)
        except _DECODE_ERRORS as error:
            raise damaged() from error
        for converted in frames:
            # A recording that is in our form already passes through, and None is passed back when flushing it.
            if converted is not None:
                yield np.asarray(converted.to_ndarray(), dtype=np.int16).reshape(-1)


def _in_chunks(pieces: Iterator[NDArray[np.int16]]) -> Iterator[NDArray[np.int16]]:
    """Join the few hundred samples of a frame into chunks that are worth a call."""
    waiting: list[NDArray[np.int16]] = []
    waiting_samples = 0
    for piece in pieces:
        if piece.size == 0:
            continue
        waiting.append(piece)
        waiting_samples += piece.size
        if waiting_samples >= _CHUNK_SAMPLES:
            yield np.concatenate(waiting)
            waiting, waiting_samples = [], 0
    if waiting:
        yield np.concatenate(waiting)
