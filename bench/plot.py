#!/usr/bin/env python3
"""Draws results.json of a run as SVG: bars for each workload, lines for growth. Standard library only.

    plot.py RESULTS.JSON OUTPUT-DIRECTORY
"""

from __future__ import annotations

import json
import math
import sys
from pathlib import Path
from xml.sax.saxutils import escape

COLORS = {"ours": "#1b6ca8", "peer": "#b0b0b0", "floor": "#5a9e4b"}
LINES = ["#1b6ca8", "#d1603d", "#5a9e4b", "#8e5aa8", "#b8860b", "#666666"]
FONT = 'font-family="sans-serif" font-size="12"'


def seconds(value: float) -> str:
    return f"{value * 1000:.0f} ms" if value < 1 else f"{value:.2f} s" if value < 100 else f"{value:.0f} s"


def text(x: float, y: float, s: str, more: str = "") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" {FONT} {more}>{escape(s)}</text>'


def svg(width: int, height: int, parts: list[str]) -> str:
    head = f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}">'
    return "\n".join([head, '<rect width="100%" height="100%" fill="white"/>', *parts, "</svg>"]) + "\n"


def decades(low: float, high: float) -> list[float]:
    """The powers of ten that enclose a range."""
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    return [10.0**e for e in range(first, max(last, first + 1) + 1)]


def bars(result: dict) -> str:
    """A bar for each program, on a logarithmic scale of time."""
    rows = sorted((r for r in result["rows"] if r["median_wall_s"]), key=lambda r: r["median_wall_s"])
    left, right, top, step = 230, 640, 56, 24
    ticks = decades(rows[0]["median_wall_s"], rows[-1]["median_wall_s"])
    span = math.log10(ticks[-1] / ticks[0])

    def x(value: float) -> float:
        return left + (right - left) * math.log10(value / ticks[0]) / span

    bottom = top + step * len(rows)
    parts = [text(10, 24, f"{result['name']}: {result['title']}", 'font-weight="bold"')]
    parts.append(text(10, 42, "the scale is logarithmic"))
    for tick in ticks:
        parts.append(f'<line x1="{x(tick):.1f}" y1="{top}" x2="{x(tick):.1f}" y2="{bottom}" stroke="#dddddd"/>')
        parts.append(text(x(tick), bottom + 18, seconds(tick), 'text-anchor="middle"'))
    for i, row in enumerate(rows):
        y, value = top + i * step, row["median_wall_s"]
        width = max(x(value) - left, 1)
        parts.append(text(left - 8, y + 16, row["name"], 'text-anchor="end"'))
        box = f'x="{left}" y="{y + 4}" width="{width:.1f}" height="{step - 8}"'
        parts.append(f'<rect {box} fill="{COLORS[row["kind"]]}"/>')
        parts.append(text(left + width + 6, y + 16, seconds(value)))
    return svg(right + 100, bottom + 34, parts)


def curves(results: list[dict], value_of, title: str, unit) -> str:
    """A line for each program over the sizes of a growth measurement, both scales logarithmic."""
    lines: dict[str, list[tuple[float, float]]] = {}
    for result in results:
        for row in result["rows"]:
            if row["median_wall_s"]:
                lines.setdefault(row["name"], []).append((result["series"]["at"], value_of(row)))
    points = [p for line in lines.values() for p in line]
    xs = decades(min(p[0] for p in points), max(p[0] for p in points))
    ys = decades(min(p[1] for p in points), max(p[1] for p in points))
    left, right, top, bottom = 80, 520, 50, 330

    def x(v: float) -> float:
        return left + (right - left) * math.log10(v / xs[0]) / math.log10(xs[-1] / xs[0])

    def y(v: float) -> float:
        return bottom - (bottom - top) * math.log10(v / ys[0]) / math.log10(ys[-1] / ys[0])

    parts = [text(10, 24, title, 'font-weight="bold"')]
    for tick in xs:
        parts.append(f'<line x1="{x(tick):.1f}" y1="{top}" x2="{x(tick):.1f}" y2="{bottom}" stroke="#dddddd"/>')
        parts.append(text(x(tick), bottom + 18, f"{tick:,.0f}", 'text-anchor="middle"'))
    for tick in ys:
        parts.append(f'<line x1="{left}" y1="{y(tick):.1f}" x2="{right}" y2="{y(tick):.1f}" stroke="#dddddd"/>')
        parts.append(text(left - 8, y(tick) + 4, unit(tick), 'text-anchor="end"'))
    parts.append(text((left + right) / 2, bottom + 38, results[0]["series"]["x"], 'text-anchor="middle"'))
    for i, (name, line) in enumerate(lines.items()):
        color = LINES[i % len(LINES)]
        path = " ".join(f"{x(a):.1f},{y(b):.1f}" for a, b in line)
        parts.append(f'<polyline points="{path}" fill="none" stroke="{color}" stroke-width="2"/>')
        parts += [f'<circle cx="{x(a):.1f}" cy="{y(b):.1f}" r="3.5" fill="{color}"/>' for a, b in line]
        parts.append(f'<rect x="{right + 20}" y="{top + i * 20}" width="12" height="12" fill="{color}"/>')
        parts.append(text(right + 38, top + i * 20 + 11, name))
    return svg(right + 230, bottom + 56, parts)


def write_all(results: list[dict], output: Path) -> list[str]:
    """Write a plot for each workload and two for each kind of growth; return the files' names."""
    written = []

    def write(name: str, content: str) -> None:
        (output / name).write_text(content)
        written.append(name)

    for result in results:
        if result["series"] is None and any(r["median_wall_s"] for r in result["rows"]):
            write(f"{result['name'].lower().replace(' ', '-')}.svg", bars(result))
    for kind in ("G1", "G2"):
        growth = [r for r in results if r["name"].split()[0] == kind and any(x["median_wall_s"] for x in r["rows"])]
        if len(growth) > 1:
            what = growth[0]["series"]["x"]
            time = curves(growth, lambda r: r["median_wall_s"], f"time by {what}", seconds)
            write(f"{kind.lower()}-time.svg", time)
            memory = curves(growth, lambda r: max(r["peak_kib"]) / 1024, f"memory by {what}", lambda v: f"{v:g} MB")
            write(f"{kind.lower()}-memory.svg", memory)
    return written


if __name__ == "__main__":
    read = json.loads(Path(sys.argv[1]).read_text())
    print("\n".join(write_all(read["results"], Path(sys.argv[2]))))
