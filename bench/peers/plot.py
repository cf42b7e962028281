"""Line charts over time, and bars in groups, as SVG, written directly: no library is needed to look at a result."""

import html
import shutil
import subprocess

WIDTH, HEIGHT = 900, 220
LEFT, RIGHT, TOP, BOTTOM = 80, 20, 30, 30
COLOURS = ("#c0392b", "#2471a3", "#1e8449", "#7d3c98")
BAR_COLOURS = ("#e6b0aa", "#c0392b", "#d5d8dc", "#aed6f1", "#2471a3", "#1e8449")
PNG_SCALE = 2


class Chart:
    """One panel: series of (x, y) points on common axes; y from 0 to the greatest that is shown."""

    def __init__(self, title, unit):
        self.title, self.unit = title, unit
        self.series = []  # (name, points, dashed)
        self.spans = []  # (name, from, to), shaded

    def add(self, name, points):
        self.series.append((name, points))

    def shade(self, index, begin, end):
        self.spans.append((index, begin, end))

    def svg(self, offset):
        xs = [x for _, points in self.series for x, _ in points] or [0, 1]
        ys = [y for _, points in self.series for _, y in points] or [0, 1]
        right, high = max(xs) or 1, max(ys) * 1.05 or 1
        inner_width, inner_height = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM

        def place(x, y):
            return LEFT + x / right * inner_width, offset + TOP + (1 - y / high) * inner_height

        lines = [f'<text x="{LEFT}" y="{offset + 18}" font-weight="bold">{html.escape(self.title)}</text>']
        for index, begin, end in self.spans:
            x0, x1 = place(begin, 0)[0], place(min(end, right), 0)[0]
            lines.append(f'<rect x="{x0:.1f}" y="{offset + TOP}" width="{x1 - x0:.1f}" height="{inner_height}" '
                         f'fill="{COLOURS[index]}" opacity="0.10"/>')
        for step in range(5):
            y = high * step / 4
            height = place(0, y)[1]
            lines.append(f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{height:.1f}" y2="{height:.1f}" stroke="#ddd"/>')
            lines.append(f'<text x="{LEFT - 6}" y="{height + 4:.1f}" text-anchor="end">{y:.4g} {self.unit}</text>')
        for step in range(11):
            x = right * step / 10
            lines.append(f'<text x="{place(x, 0)[0]:.1f}" y="{offset + HEIGHT - 10}" text-anchor="middle">'
                         f'{x:.1f} s</text>')
        for index, (name, points) in enumerate(self.series):
            path = " ".join("%.1f,%.1f" % place(x, y) for x, y in points)
            colour = COLOURS[index % len(COLOURS)]
            lines.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="1.5"/>')
            lines.append(f'<text x="{WIDTH - RIGHT - 90 * (len(self.series) - index)}" y="{offset + 18}" '
                         f'fill="{colour}">{html.escape(name)}</text>')
        return "\n".join(lines)


class Bars:
    """One panel: groups of bars from 0 to the greatest, and lines across a group to compare them with."""

    def __init__(self, title, unit, axis):
        self.title, self.unit, self.axis = title, unit, axis
        self.groups = []  # (label, {name: value}, {name: value})

    def add(self, label, bars, marks):
        self.groups.append((label, bars, marks))

    def svg(self, offset):
        names = list(dict.fromkeys(name for _, bars, _ in self.groups for name in bars))
        colours = {name: BAR_COLOURS[index % len(BAR_COLOURS)] for index, name in enumerate(names)}
        high = max((value for _, bars, marks in self.groups for value in (*bars.values(), *marks.values())),
                   default=0) * 1.1 or 1
        top, inner_height = offset + TOP + 18, HEIGHT - TOP - BOTTOM - 18
        group_width = (WIDTH - LEFT - RIGHT) / max(len(self.groups), 1)
        bar_width = group_width * 0.6 / max(len(names), 1)

        def place(value):
            return top + (1 - value / high) * inner_height

        lines = [f'<text x="{LEFT}" y="{offset + 18}" font-weight="bold">{html.escape(self.title)}</text>']
        for index, name in enumerate(names):
            x = LEFT + index * 130
            lines.append(f'<rect x="{x}" y="{offset + 26}" width="9" height="9" fill="{colours[name]}"/>'
                         f'<text x="{x + 13}" y="{offset + 35}">{html.escape(name)}</text>')
        for step in range(5):
            y = place(high * step / 4)
            lines.append(f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}" stroke="#ddd"/>'
                         f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{high * step / 4:.3g}{self.unit}</text>')
        lines.append(f'<text transform="translate(20 {top + inner_height / 2:.1f}) rotate(-90)" '
                     f'text-anchor="middle">{html.escape(self.axis)}</text>')
        for number, (label, bars, marks) in enumerate(self.groups):
            left = LEFT + number * group_width + group_width * 0.05
            for index, name in enumerate(names):
                if name in bars:
                    x, y = left + index * bar_width, place(bars[name])
                    lines.append(f'<rect x="{x:.1f}" y="{y:.1f}" width="{bar_width * 0.9:.1f}" '
                                 f'height="{top + inner_height - y:.1f}" fill="{colours[name]}"/>'
                                 f'<text x="{x + bar_width * 0.45:.1f}" y="{y - 3:.1f}" font-size="8" '
                                 f'text-anchor="middle">{bars[name]:.1f}</text>')
            right = left + len(names) * bar_width
            for name, value in marks.items():
                y = place(value)
                lines.append(f'<line x1="{left:.1f}" x2="{right + 6:.1f}" y1="{y:.1f}" y2="{y:.1f}" stroke="#333" '
                             f'stroke-dasharray="4 3"/><text x="{right + 9:.1f}" y="{y + 3:.1f}" font-size="9">'
                             f'{html.escape(name)} {value:.1f}</text>')
            lines.append(f'<text x="{(left + right) / 2:.1f}" y="{offset + HEIGHT - 12}" text-anchor="middle">'
                         f'{html.escape(label)}</text>')
        return "\n".join(lines)


def write(path, charts):
    """The charts, one below the other, as SVG; as PNG beside it where rsvg-convert is there. Returns the paths."""
    with open(path, "w", encoding="utf-8") as file:
        file.write(f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT * len(charts)}" '
                   'font-family="sans-serif" font-size="11">\n<rect width="100%" height="100%" fill="white"/>\n')
        for number, chart in enumerate(charts):
            file.write(chart.svg(number * HEIGHT) + "\n")
        file.write("</svg>\n")
    if not shutil.which("rsvg-convert"):
        return [path]
    png = path.removesuffix(".svg") + ".png"
    subprocess.run(["rsvg-convert", "--zoom", str(PNG_SCALE), "-o", png, path], check=True)
    return [path, png]
