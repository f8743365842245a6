"""Chromaprint, algorithm 2, in numpy: the same codes where the C library is not installed.

Written from the published description of the algorithm; the constants (window, note range, smoothing, classifiers) are
facts of the format, as in acoustid/chromaprint, src/fingerprinter_configuration.cpp (MIT part). The library transforms
in 32-bit floats and this file in 64-bit ones: a value within rounding of a threshold may fall on the other side.
"""

from collections.abc import Iterable
from typing import Final, NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

RATE_HZ: Final = 11025
FRAME_SAMPLES: Final = 4096
HOP_SAMPLES: Final = FRAME_SAMPLES // 3
_SMOOTHING: Final = (0.25, 0.75, 1.0, 0.75, 0.25)
_IMAGE_ROWS: Final = 16
CODE_SAMPLES: Final = FRAME_SAMPLES + HOP_SAMPLES * (len(_SMOOTHING) - 1 + _IMAGE_ROWS - 1)
"""How many samples one code is computed from."""

_NOTES: Final = 12
_MIN_HZ, _MAX_HZ = 28, 3520
# A frame with less energy than this counts as silence.
_MIN_NORM: Final = 0.01
_FRAMES_AT_ONCE: Final = 128


class _Classifier(NamedTuple):
    """One filter over (time, note) and the three thresholds that cut its value into two bits."""

    shape: int
    note: int
    notes: int
    rows: int
    thresholds: tuple[float, float, float]


_CLASSIFIERS: Final = (
    _Classifier(0, 4, 3, 15, (1.98215, 2.35817, 2.63523)),
    _Classifier(4, 4, 6, 15, (-1.03809, -0.651211, -0.282167)),
    _Classifier(1, 0, 4, 16, (-0.298702, 0.119262, 0.558497)),
    _Classifier(3, 8, 2, 12, (-0.105439, 0.0153946, 0.135898)),
    _Classifier(3, 4, 4, 8, (-0.142891, 0.0258736, 0.200632)),
    _Classifier(4, 0, 3, 5, (-0.826319, -0.590612, -0.368214)),
    _Classifier(1, 2, 2, 9, (-0.557409, -0.233035, 0.0534525)),
    _Classifier(2, 7, 3, 4, (-0.0646826, 0.00620476, 0.0784847)),
    _Classifier(2, 6, 2, 16, (-0.192387, -0.029699, 0.215855)),
    _Classifier(2, 1, 3, 2, (-0.0397818, -0.00568076, 0.0292026)),
    _Classifier(5, 10, 1, 15, (-0.53823, -0.369934, -0.190235)),
    _Classifier(3, 6, 2, 10, (-0.124877, 0.0296483, 0.139239)),
    _Classifier(2, 1, 1, 14, (-0.101475, 0.0225617, 0.231971)),
    _Classifier(3, 5, 6, 4, (-0.0799915, -0.00729616, 0.063262)),
    _Classifier(1, 9, 2, 12, (-0.272556, 0.019424, 0.302559)),
    _Classifier(3, 4, 2, 14, (-0.164292, -0.0321188, 0.0846339)),
)
_GRAY: Final = np.array([0, 1, 3, 2], dtype=np.uint32)


def codes(chunks: Iterable[NDArray[np.int16]]) -> NDArray[np.uint32]:
    """Compute the codes of mono sound at RATE_HZ, given in chunks; see `audio.chromaprint.codes`."""
    rows = [_notes_of(frames) for frames in _frames(chunks)]
    image = np.concatenate(rows) if rows else np.empty((0, _NOTES))
    return _classify(_normalised(_smoothed(image)))


def _frames(chunks: Iterable[NDArray[np.int16]]) -> Iterable[NDArray[np.int16]]:
    """Cut sound into overlapping frames, a bounded number at once: arrays of shape (n, FRAME_SAMPLES)."""
    rest = np.empty(0, dtype=np.int16)
    for chunk in chunks:
        rest = np.concatenate((rest, chunk))
        if rest.size < FRAME_SAMPLES:
            continue
        frames = sliding_window_view(rest, FRAME_SAMPLES)[::HOP_SAMPLES]
        for start in range(0, len(frames), _FRAMES_AT_ONCE):
            yield frames[start : start + _FRAMES_AT_ONCE]
        rest = rest[len(frames) * HOP_SAMPLES :]


def _notes_of(frames: NDArray[np.int16]) -> NDArray[np.float64]:
    """Add up the energy of each of the twelve notes, over all octaves, shape (n, 12)."""
    # The library keeps the window and the windowed samples in 32 bits; doing so too keeps us closest to it.
    windowed = frames * _WINDOW
    spectrum = np.fft.rfft(windowed.astype(np.float64), axis=1)[:, _FIRST_BIN:_END_BIN]
    energy = spectrum.real**2 + spectrum.imag**2
    notes: NDArray[np.float64] = energy @ _NOTE_OF_BIN
    return notes


def _hamming_window() -> NDArray[np.float32]:
    angle = np.arange(FRAME_SAMPLES) * 2.0 * np.pi / (FRAME_SAMPLES - 1)
    window: NDArray[np.float32] = ((0.54 - 0.46 * np.cos(angle)) / np.iinfo(np.int16).max).astype(np.float32)
    return window


def _note_of_bin() -> NDArray[np.float64]:
    """Say which note each bin of the spectrum belongs to, as a matrix of shape (bins, 12)."""
    hz = np.arange(_FIRST_BIN, _END_BIN) * RATE_HZ / FRAME_SAMPLES
    octave = np.log2(hz / (440.0 / 16.0))
    note = (_NOTES * (octave - np.floor(octave))).astype(np.intp)
    matrix: NDArray[np.float64] = np.eye(_NOTES)[note]
    return matrix


_FIRST_BIN: Final = max(1, round(FRAME_SAMPLES * _MIN_HZ / RATE_HZ))
_END_BIN: Final = min(FRAME_SAMPLES // 2, round(FRAME_SAMPLES * _MAX_HZ / RATE_HZ))
_WINDOW: Final = _hamming_window()
_NOTE_OF_BIN: Final = _note_of_bin()


def _smoothed(image: NDArray[np.float64]) -> NDArray[np.float64]:
    rows = max(0, len(image) - len(_SMOOTHING) + 1)
    total = np.zeros((rows, _NOTES))
    for step, weight in enumerate(_SMOOTHING):
        total += image[step : step + rows] * weight
    return total


def _normalised(image: NDArray[np.float64]) -> NDArray[np.float64]:
    norm = np.sqrt((image**2).sum(axis=1, keepdims=True))
    loud = norm >= _MIN_NORM
    normalised: NDArray[np.float64] = np.divide(image, norm, out=np.zeros_like(image), where=loud)
    return normalised


def _classify(image: NDArray[np.float64]) -> NDArray[np.uint32]:
    count = max(0, len(image) - _IMAGE_ROWS + 1)
    # Sums over any rectangle come from four corners of this table.
    table = np.zeros((len(image) + 1, _NOTES + 1))
    table[1:, 1:] = image.cumsum(axis=1).cumsum(axis=0)
    found = np.zeros(count, dtype=np.uint32)
    for classifier in _CLASSIFIERS:
        inside, outside = _areas(table, count, classifier)
        value = np.log((1.0 + inside) / (1.0 + outside))
        level = np.searchsorted(np.array(classifier.thresholds), value, side="right")
        found = found << np.uint32(2) | _GRAY[level]
    return found


def _areas(
    table: NDArray[np.float64], count: int, classifier: _Classifier
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Sum the image inside and outside a filter's marked part, at every time: two arrays of shape (count,)."""
    low, high, rows = classifier.note, classifier.note + classifier.notes, classifier.rows

    def area(start: int, note: int, end: int, end_note: int) -> NDArray[np.float64]:
        last, first = table[end : end + count], table[start : start + count]
        return last[:, end_note] - first[:, end_note] - last[:, note] + first[:, note]

    half_note, half_row = low + classifier.notes // 2, rows // 2
    third_note, third_row = classifier.notes // 3, rows // 3
    match classifier.shape:
        case 0:  # the whole rectangle
            return area(0, low, rows, high), np.zeros(count)
        case 1:  # upper notes against lower notes
            return area(0, half_note, rows, high), area(0, low, rows, half_note)
        case 2:  # later against earlier
            return area(half_row, low, rows, high), area(0, low, half_row, high)
        case 3:  # one diagonal against the other
            return (
                area(0, half_note, half_row, high) + area(half_row, low, rows, half_note),
                area(0, low, half_row, half_note) + area(half_row, half_note, rows, high),
            )
        case 4:  # middle notes against the notes around them
            return (
                area(0, low + third_note, rows, low + 2 * third_note),
                area(0, low, rows, low + third_note) + area(0, low + 2 * third_note, rows, high),
            )
        case _:  # the middle of the time against its beginning and end
            return (
                area(third_row, low, 2 * third_row, high),
                area(0, low, third_row, high) + area(2 * third_row, low, rows, high),
            )
