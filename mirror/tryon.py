"""The networks' fit: garment features (once a garment) -> CWM -> IGM -> Fit."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import cv2
import numpy as np

from mirror.arms import bare_forearms, before_the_chest, down_to_the_end
from mirror.backdrop import Backdrop
from mirror.chest import Chest
from mirror.either import ramp
from mirror.engine import Engine, Outputs, Ticket
from mirror.errors import ModelError
from mirror.frames import CANVAS_H, CANVAS_W, Bare, Crop, Fit, Frame, Person
from mirror.hands import Hand, Masks, hands_in_front, hands_of
from mirror.inputs import OF_WARP, GarmentInputs, PersonInputs, enlarge, outline_of, person_drawing, picture_of
from mirror.leaps import leaps
from mirror.light import exposure, torso_shading
from mirror.maps import GARMENT_CHANNELS, PERSON_CHANNELS, supported
from mirror.modelset import REMEDY
from mirror.retouch import (
    as_filmed,
    between_its_ends,
    over_the_rim_of_skin,
    trousers,
    without_bites,
    without_stray_holes,
)
from mirror.sleeves import Sleeves
from mirror.smooth import OneEuro
from mirror.tone import even
from mirror.wardrobe import Garment
from mirror.worn import Worn

MAX_GARMENTS = 64
"""Garments whose features are kept (0.3 MB each); the one not worn for the longest goes first."""
LEAP = 0.2
"""By so much, of the flow's own units, it differs within three map pixels where one layer ends and another begins."""
ROOM = (0.15, 0.5)
"""Share of background in what the generator paints up to which none of the room is, and from which all of it: told at
half the canvas's resolution, it grows slowly at a garment's outline, and half a garment there is a halo."""
RIM_PX, BEYOND = 3, (1.0, 0.75)
"""Canvas pixels by which the repair reaches beyond the person, and of the person's mask, from which on that begins, and
wholly: with less, the old outline stood around the new garment as a thread."""
_RIM = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * RIM_PX + 1, 2 * RIM_PX + 1))
GAIN_CUTOFF_HZ = 0.5
"""How fast the garment's brightness follows that of the room, where no network gives it."""
_CHANNELS = {"garment_maps": GARMENT_CHANNELS, "person_maps": PERSON_CHANNELS}
_WANTED = {"cwm_garment": (), "cwm_person": ("flow", "coverage")}
_WANTED_OF_GENERATOR = {
    "repair": ("repair_mask", "repair_colour", "shading"),
    "plain": ("rendered", "composite_mask"),
}


@dataclass(frozen=True)
class _Prepared:
    """A garment as the networks have read it."""

    garment: Garment
    inputs: GarmentInputs
    sleeves: Sleeves
    features: Outputs


@dataclass(frozen=True)
class Seen:
    """What a picture tells of hands, trousers and, where the garment bares them, forearms: all that needs no fit.
    trousers: of `retouch.trousers`; forearms: of `arms.before_the_chest`."""

    hands: list[Hand]
    trousers: np.ndarray
    forearms: np.ndarray | None


@dataclass(frozen=True)
class Warped:
    """What the person stage leaves to the generator. flow and coverage as in `Fit`; outline: float32 256x192, 0..1, the
    garment's mask by the flow. seen: None for generators that do not tell skin apart."""

    frame: Frame
    person: PersonInputs
    crop: Crop
    flow: np.ndarray
    coverage: np.ndarray
    outline: np.ndarray
    seen: Seen | None = None
    room: tuple[np.ndarray, np.ndarray] | None = None
    """What is known of the room behind, of `Backdrop.behind`."""


class PendingFit:
    """A fit whose generator is still at work."""

    def __init__(self, made: Ticket[Fit] | Fit) -> None:
        self._made = made

    @property
    def ready(self) -> bool:
        return self._made.ready if isinstance(self._made, Ticket) else True

    def result(self, timeout_s: float | None = None) -> Fit:
        """Wait for it. Raises EngineError with its cause, TimeoutError."""
        return self._made.result(timeout_s) if isinstance(self._made, Ticket) else self._made


class NeuralFitter:
    """Fits a garment to a person with the networks of a model set. Called from one thread, but for `prepare`.

    `fit` does it at once. `submit` returns when the person stage is done and leaves the generator at work, so that the
    person stage of the next frame can begin meanwhile.
    """

    name = "neural"

    def __init__(self, models_dir: Path, threads: int = 2, cache: Path | None = None, remembers: bool = True) -> None:
        """threads: cores that an inference may use. cache: where compiled networks are kept. remembers: from frame to
        frame, the room behind people and what they wear; not for pictures that do not follow each other.

        Raises ModelError, one sentence, where the set cannot be used.
        """
        self.engine = Engine(models_dir, threads, cache)
        _check(self.engine)
        person_drawing()  # compiled now, not while the first picture waits
        self._garments: OrderedDict[int, _Prepared] = OrderedDict()
        self._lock = threading.Lock()  # garments are prepared ahead on a thread of its own
        self._gain = OneEuro(GAIN_CUTOFF_HZ, 0.0)
        self._generator = self.engine["igm"] if "igm" in self.engine else None  # noqa: SIM401
        spec = self._generator.spec if self._generator else None
        self._ahead = [port.name for port in spec.inputs if port.name not in OF_WARP] if spec else []
        paints = [port.name for port in spec.outputs] if spec else []
        self._tells_skin = "skin_mask" in paints
        self._backdrop = Backdrop() if remembers and "background" in paints else None
        self._worn = Worn() if remembers else None
        self._chest = Chest() if remembers else None

    def prepare(self, garment: Garment) -> None:
        """Run the garment branch, unless its features are kept from before."""
        self._prepared(garment)

    def fit(self, frame: Frame, person: Person, crop: Crop, garment: Garment) -> Fit:
        """The garment on the person of this frame."""
        return self.submit(frame, person, crop, garment).result()

    def submit(self, frame: Frame, person: Person, crop: Crop, garment: Garment) -> PendingFit:
        """The person stage of this frame, then the generator started."""
        prepared = self._prepared(garment)
        warped, picture = self._warp(frame, person, crop, prepared)
        if self._generator is None:
            return PendingFit(self._fit_without_generator(warped))
        given = {p.name: warped.person.named(p.name, picture, warped.coverage) for p in self._generator.spec.inputs}
        finish = fit_of_repair if self._generator.spec.form == "repair" else _fit_of_plain
        return PendingFit(self._generator.submit(given, partial(finish, warped)))

    def see_nobody(self, frame: Frame) -> None:
        """A frame without a person shows the whole room; who comes next may be somebody else."""
        if self._backdrop is not None:
            self._backdrop.see(frame, None)
        if self._worn is not None:
            self._worn.forget()
        if self._chest is not None:
            self._chest.forget()

    def close(self) -> None:
        """Wait for what is under way and release the networks."""
        self.engine.close()
        self._garments.clear()

    def _prepared(self, garment: Garment) -> _Prepared:
        key = id(garment)
        with self._lock:
            if key in self._garments:
                self._garments.move_to_end(key)
                return self._garments[key]
        # without the lock: a fit must not wait for a garment that is prepared ahead
        inputs, network = GarmentInputs(garment), self.engine["cwm_garment"]
        features = network.run({port.name: inputs.named(port.name) for port in network.spec.inputs})
        prepared = _Prepared(garment, inputs, Sleeves(garment), features)
        with self._lock:
            self._garments[key] = prepared
            self._garments.move_to_end(key)
            while len(self._garments) > MAX_GARMENTS:
                self._garments.popitem(last=False)
        return prepared

    def _warp(self, frame: Frame, person: Person, crop: Crop, prepared: _Prepared) -> tuple[Warped, np.ndarray]:
        """The person stage, and the garment by its flow, of `GarmentInputs.warped`."""
        size = (CANVAS_W, CANVAS_H)
        canvas = cv2.warpAffine(frame.image, crop.matrix, size, borderMode=cv2.BORDER_REPLICATE)
        mask = cv2.warpAffine(person.mask, crop.matrix, size)
        landmarks = crop.to_canvas(person.landmarks[:, :2].astype(np.float64))
        inputs = PersonInputs(canvas, mask, landmarks, self._worn, self._chest)
        network = self.engine["cwm_person"]
        ports = [port.name for port in network.spec.inputs]
        answer: Ticket[Outputs] = network.submit(
            {n: prepared.features[n] if n in prepared.features else inputs.named(n) for n in ports}
        )
        for name in self._ahead:  # while the warp is at work on another thread
            inputs.named(name)
        seen = seen_of(inputs, prepared.garment) if self._tells_skin else None
        arms = prepared.sleeves.arms(inputs)
        room = None
        if self._backdrop is not None:
            self._backdrop.see(frame, person)
            room = self._backdrop.behind(crop, frame.size)
        warp = answer.result()
        shown, covered = prepared.sleeves.laid_on(arms, warp["flow"][0], warp["coverage"][0, 0])
        flow, coverage = enlarge_flow(shown), np.clip(enlarge(covered), 0.0, 1.0)
        picture = prepared.inputs.warped(flow)
        return Warped(frame, inputs, crop, flow, coverage, outline_of(picture), seen, room), picture

    def _fit_without_generator(self, warped: Warped) -> Fit:
        """Light from the luminance of what the person wears; nothing of the old garment is painted over."""
        torso = warped.person.mask * (warped.coverage > 0.5)
        gain = self._gain(np.array([exposure(warped.frame.image)]), warped.frame.moment)[0]
        shading = torso_shading(warped.person.canvas, torso) * np.float32(gain)
        return Fit(warped.flow, warped.coverage, shading, None, warped.crop, warped.frame.t_capture)


def seen_of(person: PersonInputs, garment: Garment) -> Seen:
    """Slow enough, 3 ms, to be asked while a network is at work."""
    return Seen(hands_of(person), trousers(person), before_the_chest(person) if garment.sleeves != "long" else None)


def fit_of_repair(warped: Warped, made: Outputs) -> Fit:
    """IGM's own form: its outputs, enlarged, are a Fit's fields. Runs on the runtime's thread."""
    behind, repair, bare = repair_of(made, warped.person.mask, warped.room)
    seen, coverage, relit = warped.seen, warped.coverage, None
    if bare is not None and seen is not None:
        repair *= 1.0 - cv2.max(as_filmed(warped.person, bare.share), seen.trousers)
        repair = over_the_rim_of_skin(warped.person, repair, bare.share)
    if "composite_mask" in made:  # sets made before there was one leave the coverage as it is
        warp = supported(coverage)
        coverage = without_bites(warp * made["composite_mask"][0, 0], warp, repair)
        outline = between_its_ends(warped.outline, coverage)
        end = float(warped.crop.to_canvas(np.array(warped.frame.size, np.float64))[1])
        if bare is not None and seen is not None:
            bare = Bare(even(bare.colour, warped.person.face), bare.share.copy())
            if seen.forearms is not None:
                bare_forearms(warped.person, seen.forearms, coverage, repair, bare.share)
                down_to_the_end(warped.person, repair, bare.share, end)
            room = enlarge(made["background"][0, 0]) if "background" in made else np.zeros_like(coverage)
            masks = Masks(outline, room, coverage, repair, behind, bare.share)
            relit = hands_in_front(warped.person, seen.hands, masks, bare.colour, seen.forearms is not None)
        coverage = without_stray_holes(coverage, outline, warped.person.maps[0], end)
    shading = enlarge(made["shading"][0, 0])
    colours = cv2.cvtColor(behind, cv2.COLOR_BGR2BGRA)
    cv2.insertChannel(repair, colours, 3)
    return Fit(warped.flow, coverage, shading, colours, warped.crop, warped.frame.t_capture, bare, relit)


def repair_of(
    made: Outputs, person: np.ndarray, room: tuple[np.ndarray, np.ndarray] | None = None
) -> tuple[np.ndarray, np.ndarray, Bare | None]:
    """`Fit.repair`, its colours (float32 256x192x3) and its alpha (float32 256x192) apart, and `Fit.bare` of the
    generator's outputs. person: float32 256x192, 0..1, the person's mask.

    room: what is known of the room behind, as `Backdrop.behind` has it: it is painted where the generator paints
    background.

    Outside the person the repair reaches RIM_PX farther: there a camera mixes the old garment into what is behind it.
    """
    behind, bare = colours_of(made)
    if room is not None and "background" in made:
        share = cv2.multiply(ramp(enlarge(made["background"][0, 0]), ROOM), room[1])
        behind = cv2.blendLinear(room[0], behind, share, 1.0 - share)
    mask = made["repair_mask"][0, 0]
    wide = cv2.dilate(cv2.convertScaleAbs(mask, alpha=255.0), _RIM)  # of 8 bits: a quarter of the time
    beyond = cv2.multiply(wide, ramp(person, BEYOND), scale=1.0 / 255.0, dtype=cv2.CV_32F)
    return behind, cv2.max(mask, beyond), bare


def colours_of(made: Outputs) -> tuple[np.ndarray, Bare | None]:
    """What the generator paints with: what is behind, float32 256x192x3 BGR, 0..255, and bared skin before it."""
    behind = enlarge(picture_of(made["repair_colour"]))
    if "skin_mask" not in made:  # sets made before these were two
        return behind, None
    return behind, Bare(picture_of(made["skin_colour"]), made["skin_mask"][0, 0])


def painted(behind: np.ndarray, bare: Bare | None) -> np.ndarray:
    """Both in one picture of the canvas, float32 256x192x3 BGR, 0..255."""
    if bare is None:
        return behind
    return cv2.blendLinear(enlarge(bare.colour), behind, bare.share, 1.0 - bare.share)


def _fit_of_plain(warped: Warped, made: Outputs) -> Fit:
    """PF-AFN's form: mask x warped + (1 - mask) x rendered, the rendered person kept to where a person is."""
    repair = np.empty((CANVAS_H, CANVAS_W, 4), np.float32)
    repair[..., :3] = picture_of(made["rendered"])
    repair[..., 3] = warped.person.mask
    coverage = warped.coverage * made["composite_mask"][0, 0]
    shading = np.ones((CANVAS_H, CANVAS_W), np.float32)
    return Fit(warped.flow, coverage, shading, repair, warped.crop, warped.frame.t_capture)


def enlarge_flow(flow: np.ndarray) -> np.ndarray:
    """A flow (float32 2xhxw) -> 256x192x2; no mean is taken across an edge, where it leaps from sleeve to torso."""
    flow = np.ascontiguousarray(flow.transpose(1, 2, 0))
    if flow.shape[:2] == (CANVAS_H, CANVAS_W):
        return flow
    smooth, edges = enlarge(flow), leaps(flow, LEAP)
    if edges is not None:
        size = (CANVAS_W, CANVAS_H)
        edges = cv2.resize(edges, size, interpolation=cv2.INTER_NEAREST)
        cv2.copyTo(cv2.resize(flow, size, interpolation=cv2.INTER_NEAREST), edges, smooth)
    return smooth


def _check(engine: Engine) -> None:
    """That the set has the networks, outputs and input channels this program knows."""
    wanted = dict(_WANTED)
    if "igm" in engine:
        form = engine["igm"].spec.form
        if form not in _WANTED_OF_GENERATOR:
            raise ModelError(f"The generator in {engine.models.folder} has the unknown form {form!r}: {REMEDY}.")
        wanted["igm"] = _WANTED_OF_GENERATOR[form]
    for name, outputs in wanted.items():
        spec = engine[name].spec
        if missing := set(outputs) - {port.name for port in spec.outputs}:
            raise ModelError(f"{spec.xml} has no output {', '.join(sorted(missing))}: {REMEDY}.")
        for port in spec.inputs:
            if port.channels and port.channels != _CHANNELS.get(port.name):
                raise ModelError(
                    f"{spec.xml} was made for other channels of {port.name} than this program's: {REMEDY}."
                )
