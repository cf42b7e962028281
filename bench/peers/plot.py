"""Line charts over time as SVG, written directly: no library is needed to look at a result."""

import html

WIDTH, HEIGHT = 900, 220
LEFT, RIGHT, TOP, BOTTOM = 80, 20, 30, 30
COLOURS = ("#c0392b", "#2471a3", "#1e8449", "#7d3c98")


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


def write(path, charts):
    with open(path, "w", encoding="utf-8") as file:
        file.write(f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT * len(charts)}" '
                   'font-family="sans-serif" font-size="11">\n<rect width="100%" height="100%" fill="white"/>\n')
        for number, chart in enumerate(charts):
            file.write(chart.svg(number * HEIGHT) + "\n")
        file.write("</svg>\n")
