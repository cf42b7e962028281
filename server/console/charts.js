// Lines over time: with uPlot where it was built in, else as plain SVG.

export const hasPlots = typeof window.uPlot === "function";
const kHeight = 150;

const colour = (index) => getComputedStyle(document.documentElement).getPropertyValue(`--c${index}`).trim();
const ink = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

// series: [{ name }], format: (number) => text. draw(times in s, one list of numbers per series).
export function makeChart(title, series, format) {
  const box = document.createElement("article");
  const heading = document.createElement("h2");
  heading.textContent = title;
  const body = document.createElement("div");
  body.className = "chart";
  box.append(heading, body);
  const draw = hasPlots ? plotter(body, series, format) : sketcher(body, series, format);
  return { box, draw };
}

function plotter(body, series, format) {
  let plot = null;
  const axis = () => ({ stroke: ink("--faint"), grid: { stroke: ink("--line"), width: 1 },
                        ticks: { show: false }, font: "11px system-ui, sans-serif" });
  const make = (data) => new window.uPlot({
    width: Math.max(body.clientWidth, 200), height: kHeight,
    padding: [8, 8, 0, 0],
    cursor: { points: { size: 6 }, y: false, sync: { key: "spinel" } },
    scales: { y: { range: (_, low, high) => [Math.min(0, low || 0), high > 0 ? high * 1.1 : 1] } },
    axes: [{ ...axis(), size: 24, values: "{HH}:{mm}:{ss}", space: 80 },
           { ...axis(), size: 64, space: 34, values: (_, ticks) => ticks.map(format) }],
    series: [{ value: "{HH}:{mm}:{ss}", label: "time" },
             ...series.map((one, index) => ({
               label: one.name, stroke: colour(index), width: 1.6, points: { show: false },
               value: (_, number) => (number === null || number === undefined ? "–" : format(number)),
             }))],
  }, data, body);
  const again = () => {
    if (!plot) return;
    const data = plot.data;
    plot.destroy();
    plot = make(data);
  };
  new ResizeObserver(() => {
    if (plot && body.clientWidth > 0) plot.setSize({ width: body.clientWidth, height: kHeight });
  }).observe(body);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", again);
  return (times, lists) => {
    if (body.clientWidth === 0) return;  // its view is not shown
    if (plot) plot.setData([times, ...lists]);
    else plot = make([times, ...lists]);
    // While nobody points at a moment, the legend shows the last one.
    if (plot.cursor.idx === null || plot.cursor.idx === undefined) plot.setLegend({ idx: times.length - 1 });
  };
}

const kSvg = "http://www.w3.org/2000/svg";

function sketcher(body, series, format) {
  const width = 300;
  const svg = document.createElementNS(kSvg, "svg");
  svg.setAttribute("viewBox", `0 0 ${width} ${kHeight}`);
  svg.setAttribute("preserveAspectRatio", "none");
  const legend = document.createElement("div");
  legend.className = "legend";
  const lines = series.map((one, index) => {
    const path = document.createElementNS(kSvg, "path");
    path.setAttribute("class", `s${index}`);
    svg.append(path);
    const label = document.createElement("span");
    const mark = document.createElement("span");
    mark.className = `s${index}`;
    mark.textContent = "━ ";
    const value = document.createElement("b");
    label.append(mark, `${one.name} `, value);
    legend.append(label);
    return { path, value };
  });
  const top = document.createElement("span");
  legend.append(top);
  body.append(svg, legend);
  return (times, lists) => {
    const high = Math.max(...lists.flat().filter((number) => number !== null), 0) * 1.1 || 1;
    const span = times.length > 1 ? times[times.length - 1] - times[0] : 1;
    lists.forEach((list, index) => {
      let path = "";
      list.forEach((number, i) => {
        if (number === null) return;
        const x = ((times[i] - times[0]) / span) * width;
        const y = kHeight - 2 - (number / high) * (kHeight - 6);
        path += `${path ? "L" : "M"}${x.toFixed(1)} ${y.toFixed(1)}`;
      });
      lines[index].path.setAttribute("d", path);
      const last = list.length ? list[list.length - 1] : null;
      lines[index].value.textContent = last === null ? "–" : format(last);
    });
    top.textContent = `top ${format(high)}`;
  };
}
