#!/usr/bin/env python3
"""Draws cost against the size of the archive from the --json files of ArchiveBench, both axes logarithmic.

    tests/bench/plots.py TARGET.svg FILE.json …
"""
import json
import math
import pathlib
import sys

SHOWN = {"word search w3": "word search, common word", "word search w150000": "word search, rare word",
         "explain one": "explain one message", "hold placement (list)": "place a hold",
         "what-if for a date": "what-if for a date", "order status ": "status"}
WIDTH, HEIGHT, LEFT, TOP, RIGHT, BOTTOM = 760, 420, 70, 20, 230, 50
COLOURS = ["#1b6ca8", "#c0392b", "#2e8b57", "#8e44ad", "#d68910", "#34495e"]


def curves(reports):
    found = {}
    for report in reports:
        for result in report["results"]:
            if result["what"] in SHOWN:
                found.setdefault(result["what"], []).append((report["messages"], result["cpu"]))
            elif result["what"].startswith("purge, certificate"):
                found.setdefault("purge, per 1,000 objects", []).append((report["messages"], result["cpuMicrosEach"]))
    return {SHOWN.get(name, name): sorted(points) for name, points in found.items()}


def draw(found):
    points = [p for line in found.values() for p in line]
    x0, x1 = (math.log10(f(p[0] for p in points)) for f in (min, max))
    y0, y1 = math.floor(math.log10(min(p[1] for p in points))), math.ceil(math.log10(max(p[1] for p in points)))
    x = lambda v: LEFT + (math.log10(v) - x0) / (x1 - x0) * (WIDTH - LEFT - RIGHT)
    y = lambda v: TOP + (y1 - math.log10(v)) / (y1 - y0) * (HEIGHT - TOP - BOTTOM)
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" font-size="12">',
           "<title>CPU time against the number of messages</title>", f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>']
    for power in range(y0, y1 + 1):
        at = y(10 ** power)
        out.append(f'<path d="M{LEFT} {at:.1f}H{WIDTH - RIGHT}" stroke="#ddd"/><text x="{LEFT - 8}" y="{at + 4:.1f}" '
                   f'text-anchor="end">{10.0 ** power:g} ms</text>')
    for size in sorted({p[0] for p in points}):
        out.append(f'<path d="M{x(size):.1f} {TOP}V{HEIGHT - BOTTOM}" stroke="#ddd"/><text x="{x(size):.1f}" '
                   f'y="{HEIGHT - BOTTOM + 18}" text-anchor="middle">{size:,}</text>')
    out.append(f'<text x="{(LEFT + WIDTH - RIGHT) / 2}" y="{HEIGHT - 10}" text-anchor="middle">messages in the archive</text>')
    for number, (name, line) in enumerate(found.items()):
        colour = COLOURS[number % len(COLOURS)]
        dash = ' stroke-dasharray="6 3"' if number >= len(COLOURS) else ""
        path = "L".join(f"{x(a):.1f} {y(b):.1f}" for a, b in line)
        out.append(f'<path d="M{path}" fill="none" stroke="{colour}" stroke-width="2"{dash}/>')
        out += [f'<circle cx="{x(a):.1f}" cy="{y(b):.1f}" r="3" fill="{colour}"/>' for a, b in line]
        at = TOP + 12 + number * 20
        out.append(f'<path d="M{WIDTH - RIGHT + 14} {at}h20" stroke="{colour}" stroke-width="2"{dash}/>'
                   f'<text x="{WIDTH - RIGHT + 40}" y="{at + 4}">{name}</text>')
    return "\n".join(out) + "\n</svg>\n"


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    pathlib.Path(sys.argv[1]).write_text(draw(curves([json.loads(pathlib.Path(f).read_text()) for f in sys.argv[2:]])))
