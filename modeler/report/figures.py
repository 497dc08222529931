"""Figures of a sweep: dollars and misses by size, the fleet over time, the lag by phase.

Each is drawn once and rendered to the formats asked for; the bytes depend on the result alone.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from modeler.report.style import GRID, INK, MISSES, MONEY, PAPER, PHASES, SOFT, drawing
from modeler.report.view import Result, scenario_name

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from modeler.predict.accuracy import AccuracyCurve
    from traces import Trace

_DPI = 160  # 1536 points across: sharp on a slide
# Colours that turn with the page when it is shown dark; the page defines the variables.
_TURNING = {
    INK: "--ink",
    SOFT: "--soft",
    GRID: "--grid",
    PAPER: "--paper",
    MONEY: "--money",
    MISSES: "--misses",
    PHASES["provision"]: "--provision",
    PHASES["load"]: "--load",
}


def write_figures(
    result: Result,
    folder: Path,
    timeline: Mapping[str, Any] | None = None,
    formats: Sequence[str] = ("png", "svg"),
) -> list[Path]:
    """Draw every figure that the result has data for.

    Parameters
    ----------
    result : mapping. A sweep, schema ``sweep/1``.
    folder : Path. Exists already.
    timeline : mapping, optional. Load and fleet over time of one scenario.
    formats : sequence of str. Any of ``png``, ``svg`` and ``pdf``.

    Returns
    -------
    list of Path
        ``goldilocks``, ``dollars_and_misses``, ``timeline`` and ``lag`` in each format.
    """
    written = []
    with drawing():
        for name, figure in _figures(result, timeline):
            for kind in formats:
                path = folder / f"{name}.{kind}"
                path.write_bytes(rendered(figure, kind))
                written.append(path)
    return written


def write_accuracy(
    curve: AccuracyCurve, folder: Path, formats: Sequence[str] = ("png", "svg")
) -> list[Path]:
    """Draw the accuracy of published models against their size.

    Returns
    -------
    list of Path
        ``accuracy`` in each format.
    """
    from modeler.report import plot_accuracy

    with drawing():
        return _written(plot_accuracy.draw(curve), folder, "accuracy", formats)


def write_traffic(
    trace: Trace, made: Trace, folder: Path, formats: Sequence[str] = ("png", "svg")
) -> list[Path]:
    """Draw traffic beside what its law makes.

    Returns
    -------
    list of Path
        ``traffic`` in each format.
    """
    from modeler.report import plot_traffic

    with drawing():
        return _written(plot_traffic.draw(trace, made), folder, "traffic", formats)


def incident_figure(result: Result, kind: str) -> bytes:
    """Draw a window of traffic under several policies.

    Parameters
    ----------
    result : mapping. An incident, schema ``incident/1``.
    kind : str. ``png``, ``svg`` or ``pdf``.
    """
    from modeler.report import plot_incident

    with drawing():
        return rendered(plot_incident.draw(result), kind)


def _written(figure: Figure, folder: Path, name: str, formats: Sequence[str]) -> list[Path]:
    written = [folder / f"{name}.{kind}" for kind in formats]
    for path, kind in zip(written, formats, strict=True):
        path.write_bytes(rendered(figure, kind))
    return written


def inline_svg(result: Result, timeline: Mapping[str, Any] | None = None) -> dict[str, str]:
    """The same figures as SVG elements to stand inside one HTML page.

    Text stays text, names of parts are unique on the page, and ink and paper take the page's own
    colours.

    Returns
    -------
    dict of str to str
        Figure's name to ``<svg>`` element.
    """
    with drawing():
        import matplotlib

        matplotlib.rcParams["svg.fonttype"] = "none"
        return {
            name: _inline(rendered(figure, "svg").decode("utf-8"), name)
            for name, figure in _figures(result, timeline)
        }


def _figures(result: Result, timeline: Mapping[str, Any] | None) -> Iterator[tuple[str, Figure]]:
    from modeler.report import plot_goldilocks, plot_lag, plot_sizes, plot_timeline

    headline = plot_goldilocks.draw(result)
    if headline is not None:
        yield "goldilocks", headline
    by_size = plot_sizes.draw(result)
    if by_size is not None:
        yield "dollars_and_misses", by_size
    if timeline is not None and timeline["t_s"]:
        yield "timeline", plot_timeline.draw(timeline, _name_of(result, timeline))
    lag = plot_lag.draw(result)
    if lag is not None:
        yield "lag", lag


def _name_of(result: Result, timeline: Mapping[str, Any]) -> str:
    """What a timeline is of, if it says which of the scenarios."""
    for row in result["scenarios"]:
        if row["scenario_id"] == timeline.get("scenario_id"):
            return scenario_name(result, row)
    return ""


def rendered(figure: Figure, kind: str) -> bytes:
    """A figure as a file's content; under `modeler.report.style.drawing`."""
    # No date and no program version: the bytes are the result's.
    metadata: dict[str, dict[str, Any]] = {
        "png": {"Software": None},
        "svg": {"Date": None, "Creator": None},
        "pdf": {"CreationDate": None, "Creator": None, "Producer": None},
    }
    buffer = io.BytesIO()
    figure.savefig(buffer, format=kind, dpi=_DPI, metadata=metadata[kind])
    return buffer.getvalue()


def _inline(svg: str, name: str) -> str:
    element = svg[svg.index("<svg") :]
    element = re.sub(r"<metadata>.*?</metadata>\s*", "", element, flags=re.DOTALL)
    element = re.sub(r'\sxmlns(:\w+)?="[^"]*"', "", element)
    element = element.replace("xlink:href=", "href=")
    element = re.sub(r'(\bid="|href="#|url\(#)', rf"\g<1>{name}-", element)
    for colour, variable in _TURNING.items():
        element = element.replace(colour, f"var({variable})")
    # The page scales it; the viewBox keeps its shape.
    return re.sub(r'(<svg[^>]*?) (?:width|height)="[^"]*"', r"\1", element, count=2)
