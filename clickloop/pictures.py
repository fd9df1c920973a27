"""Pictures of measured figures as SVG, for pages and reports; readable on light and dark ground (pure)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from xml.etree.ElementTree import Element, SubElement, indent, tostring

WIDTH = 720
_ROW = 30
_TOP = 44
_BOTTOM = 40
_LABELS = 230
_RIGHT = 70
_PLOT = 300
_TICKS = 5
_LABEL_ROOM = 90
_NAMES = 130
_STYLE = """
text { font: 13px system-ui, sans-serif; fill: #1f2933; }
.title { font-weight: 600; font-size: 15px; }
.quiet { fill: #66727f; }
.bar { fill: #2563a8; } .bar.before { fill: #9aa8b5; } .dot { fill: #2563a8; }
.line { stroke: #2563a8; stroke-width: 2; fill: none; } .line.before { stroke: #9aa8b5; }
.range { stroke: #1f2933; stroke-width: 1.5; } .axis { stroke: #c3ccd4; }
@media (prefers-color-scheme: dark) {
  text { fill: #e4e9ee; } .quiet { fill: #9aa8b5; } .bar, .dot { fill: #6ea8e6; } .bar.before { fill: #5d6a77; }
  .line { stroke: #6ea8e6; } .line.before { stroke: #5d6a77; } .range { stroke: #e4e9ee; } .axis { stroke: #46525e; }
}
"""


@dataclass(frozen=True, slots=True)
class Measurement:
    """One figure of a picture.

    Attributes:
        low: Lower end of its interval; None where it has none, as `high`.
        before: Whether it is what others are compared with, and drawn more quietly.
    """

    label: str
    value: float
    low: float | None = None
    high: float | None = None
    before: bool = False


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """A point of a curve: a label at (x, y)."""

    label: str
    x: float
    y: float


@dataclass(frozen=True, slots=True)
class PictureLine:
    """Values at 1, 2, 3 and so on, under a name.

    Attributes:
        before: As of `Measurement`.
    """

    label: str
    values: Sequence[float]
    before: bool = False


def draw_bars(title: str, measured: Sequence[Measurement], *, end: float | None = None, digits: int = 3) -> str:
    """Return figures as horizontal bars below each other, on one scale from 0.

    Args:
        end: Right end of the scale; the largest figure without one.
        digits: Decimals of the figures.
    """
    most = end or max((max(one.value, one.high or 0.0) for one in measured), default=1.0) or 1.0
    height = _TOP + _ROW * len(measured) + 12
    picture = _start(title, height, "; ".join(f"{one.label} {one.value:.{digits}f}" for one in measured))
    scale = (WIDTH - _LABELS - _RIGHT) / most
    for place, one in enumerate(measured):
        middle = _TOP + _ROW * place + _ROW / 2
        _write(picture, _LABELS - 10, middle + 4, one.label, anchor="end")
        look = "bar before" if one.before else "bar"
        _add(picture, "rect", look, x=_LABELS, y=middle - 9, width=max(scale * one.value, 0.0), height=18)
        if one.low is not None and one.high is not None:
            ends = {"x1": _LABELS + scale * max(one.low, 0.0), "x2": _LABELS + scale * one.high}
            _add(picture, "line", "range", y1=middle, y2=middle, **ends)
        beside = _LABELS + scale * max(one.value, one.high or 0.0) + 8
        _write(picture, beside, middle + 4, f"{one.value:.{digits}f}")
    return _end(picture)


def draw_curve(title: str, places: Sequence[CurvePoint], *, across: str, up: str) -> str:
    """Return points joined in their order, with what the axes mean; the horizontal one begins at 0."""
    height = _TOP + _PLOT + _BOTTOM
    picture = _start(title, height, "; ".join(f"{one.label}: {one.x:g}, {one.y:.3f}" for one in places))
    left, right, bottom = 70.0, WIDTH - _RIGHT, float(_TOP + _PLOT)
    most_x = max((one.x for one in places), default=1.0) or 1.0
    low, high = _span([one.y for one in places])

    def at(x: float, y: float) -> tuple[float, float]:
        return left + (right - left) * x / most_x, bottom - (_PLOT - 20) * (y - low) / (high - low)

    _add(picture, "line", "axis", x1=left, y1=bottom, x2=right, y2=bottom)
    _add(picture, "line", "axis", x1=left, y1=_TOP, x2=left, y2=bottom)
    for step in range(_TICKS + 1):
        share = step / _TICKS
        x, y = at(most_x * share, low + (high - low) * share)
        _write(picture, x, bottom + 18, f"{most_x * share:.3g}", anchor="middle", look="quiet")
        _write(picture, left - 8, y + 4, f"{low + (high - low) * share:.3f}", anchor="end", look="quiet")
    _write(picture, (left + right) / 2, bottom + 35, across, anchor="middle", look="quiet")
    _write(picture, left, _TOP - 6, up, look="quiet")
    corners = " ".join(f"{x:.1f},{y:.1f}" for x, y in (at(one.x, one.y) for one in places))
    SubElement(picture, "polyline", {"class": "line", "points": corners})
    for one in places:
        x, y = at(one.x, one.y)
        _add(picture, "circle", "dot", cx=x, cy=y, r=5)
        late = x > right - _LABEL_ROOM
        _write(picture, x - 9 if late else x + 9, y + 18, one.label, anchor="end" if late else "start")
    return _end(picture)


def draw_lines(title: str, lines: Sequence[PictureLine], *, across: str, up: str, marks: Mapping[int, str]) -> str:
    """Return lines over the same places, each with its name at its end.

    Args:
        marks: What is said of a place, counted from 1, under the top.
    """
    told = "; ".join(f"{one.label}: {', '.join(f'{value:.3f}' for value in one.values)}" for one in lines)
    picture = _start(title, _TOP + _PLOT + _BOTTOM, told)
    left, right, bottom = 70.0, WIDTH - _NAMES, float(_TOP + _PLOT)
    low, high = _span([value for one in lines for value in one.values])
    places = max((len(one.values) for one in lines), default=1)

    def at(place: int, value: float) -> tuple[float, float]:
        across_share = (place - 1) / max(places - 1, 1)
        return left + (right - left) * across_share, bottom - (_PLOT - 20) * (value - low) / (high - low)

    _add(picture, "line", "axis", x1=left, y1=bottom, x2=right, y2=bottom)
    _add(picture, "line", "axis", x1=left, y1=_TOP, x2=left, y2=bottom)
    for step in range(_TICKS + 1):
        value = low + (high - low) * step / _TICKS
        _write(picture, left - 8, at(1, value)[1] + 4, f"{value:.3f}", anchor="end", look="quiet")
    for place in range(1, places + 1):
        _write(picture, at(place, low)[0], bottom + 18, str(place), anchor="middle", look="quiet")
    for place, mark in marks.items():
        _add(picture, "line", "axis", x1=at(place, low)[0], y1=_TOP, x2=at(place, low)[0], y2=bottom)
        _write(picture, at(place, low)[0], _TOP + 12, mark, anchor="middle", look="quiet")
    _write(picture, (left + right) / 2, bottom + 35, across, anchor="middle", look="quiet")
    _write(picture, left, _TOP - 6, up, look="quiet")
    for one in lines:
        corners = [at(place, value) for place, value in enumerate(one.values, start=1)]
        look = "line before" if one.before else "line"
        SubElement(picture, "polyline", {"class": look, "points": " ".join(f"{x:.1f},{y:.1f}" for x, y in corners)})
        x, y = corners[-1]
        _write(picture, x + 8, y + 4, one.label, look="quiet" if one.before else "")
    return _end(picture)


def _span(values: Sequence[float]) -> tuple[float, float]:
    """Return the ends of a scale that holds all values with some air."""
    low, high = min(values, default=0.0), max(values, default=1.0)
    air = (high - low) / 10 or 0.01
    return low - air, high + air


def _start(title: str, height: float, told: str) -> Element:
    box = {"xmlns": "http://www.w3.org/2000/svg", "viewBox": f"0 0 {WIDTH} {height:g}", "role": "img"}
    picture = Element("svg", box | {"aria-label": f"{title}. {told}"})
    SubElement(picture, "style").text = _STYLE
    _write(picture, 12, 22, title, look="title")
    return picture


def _add(picture: Element, kind: str, look: str, **places: float) -> None:
    SubElement(picture, kind, {"class": look} | {name: f"{value:.1f}" for name, value in places.items()})


def _write(picture: Element, x: float, y: float, text: str, *, anchor: str = "start", look: str = "") -> None:
    place = {"x": f"{x:.1f}", "y": f"{y:.1f}", "text-anchor": anchor} | ({"class": look} if look else {})
    SubElement(picture, "text", place).text = text


def _end(picture: Element) -> str:
    indent(picture)
    return tostring(picture, encoding="unicode") + "\n"
