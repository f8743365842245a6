"""From a video to the fingerprints of its moving picture: hashes of frames with their times, and features of a few."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final, Protocol

from fingerprinting.image import features
from fingerprinting.media import Limits
from fingerprinting.types import FEATURES_MISSING, Depth, Fingerprint, Prints, Role, SpanUnit
from fingerprinting.video import feature_frames, frame_bytes
from fingerprinting.video.animation import Animation
from fingerprinting.video.choice import FeatureChooser, ViewChooser
from fingerprinting.video.decode import Footage, Frame, Pace

STEP: Final = 0.25
"""Seconds between the frames that are looked at. With 0.5 in works, what moves quickly did not meet its like."""

QUERY_STEP: Final = 0.08
QUERY_SECONDS: Final = 120.0
"""So long the frames of a query lie closer, so that each frame of a work meets one that was shown at the same moment:
what flashes, or moves quickly, is found by it."""

WORK_FEATURE_STEP: Final = 2.0
QUERY_FEATURE_STEP: Final = 0.5
MOST_WORK_FEATURES: Final = 1800
MOST_QUERY_FEATURES: Final = 20

WORK: Final = features.Effort(pixels=60_000, features=160, thumbnail=48, variants=1, doubled=True)
QUERY: Final = features.Effort(pixels=60_000, features=240, thumbnail=96, variants=2, doubled=True)

VIDEO_FLAT: Final = "video-flat"
"""The note of a video whose frames say nothing: blank, of one colour, or none could be decoded."""

VIDEO_DAMAGED: Final = "video-damaged"
"""The remark that parts of the moving picture could not be decoded; the rest counts."""

VIDEO_SPARSE: Final = "video-sparse"
"""The remark that the later part of a long video is known by its key frames only."""


class Moving(Protocol):
    """Frames in order of time, and, once they were all seen, where they end."""

    end: float

    def __iter__(self) -> Iterator[Frame]:
        """Give the frames, once."""
        ...


def fingerprint_video(path: Path, limits: Limits, *, role: Role = Role.WORK, depth: Depth = Depth.STANDARD) -> Prints:
    """Fingerprint the moving picture of a video, from one decoding.

    Returns:
        `video-dct-256`; of a work, and of a query at depth thorough, also `video-sift-itq-128`.

    Raises:
        UnreadableMediaError, UnsupportedMediaError, LimitExceededError: as decoding says.
        MissingExtraError: a query at depth thorough, and OpenCV is not installed.
    """
    footage = Footage(path, limits, _pace(role, depth))
    found = fingerprint_frames(footage, role, depth)
    remarks = ((VIDEO_DAMAGED,) if footage.is_damaged else ()) + ((VIDEO_SPARSE,) if footage.is_sparse else ())
    return Prints(found.fingerprints, found.identifiable, (*found.notes, *remarks))


def fingerprint_animation(path: Path, limits: Limits, *, role: Role, depth: Depth) -> Prints:
    """Fingerprint the frames of an animated picture as those of a video; of a still one, nothing."""
    return fingerprint_frames(Animation(path, limits, _pace(role, depth)), role, depth)


def fingerprint_frames(moving: Moving, role: Role, depth: Depth) -> Prints:
    """Fingerprint frames, wherever they are from: see `fingerprint_video`."""
    views = ViewChooser()
    few = _feature_chooser(role, depth)
    for frame in moving:
        views.take(frame)
        if few is not None:
            few.take(frame, is_cut=views.is_cut)
    hashed = views.finish(moving.end)
    if not hashed:
        return Prints((), identifiable=False, notes=(VIDEO_FLAT,))
    described = [] if few is None else few.finish()
    prints = [
        *(Fingerprint(frame_bytes.ALGORITHM, frame_bytes.VERSION, each, unit=SpanUnit.SECONDS) for each in hashed),
        *(
            Fingerprint(feature_frames.ALGORITHM, feature_frames.VERSION, each, unit=SpanUnit.SECONDS)
            for each in described
        ),
    ]
    notes = (FEATURES_MISSING,) if role is Role.WORK and few is None else ()
    return Prints(tuple(prints), notes=notes)


def _pace(role: Role, depth: Depth) -> Pace:
    if role is Role.WORK or depth is Depth.FAST:
        return Pace(STEP)
    return Pace(STEP, QUERY_STEP, QUERY_SECONDS)


def _feature_chooser(role: Role, depth: Depth) -> FeatureChooser | None:
    if role is Role.WORK:
        return FeatureChooser(WORK, WORK_FEATURE_STEP, MOST_WORK_FEATURES) if features.is_available() else None
    if depth is Depth.THOROUGH:
        return FeatureChooser(QUERY, QUERY_FEATURE_STEP, MOST_QUERY_FEATURES)
    return None
