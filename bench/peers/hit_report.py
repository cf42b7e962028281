"""Hit ratios against what is asked for: tables, files and the plot."""

import json
import os

from peers import plot, report

# In points of the hit ratio: what the S3 policy must be ahead of both of Redis's at 1% of a Zipf mix, and what LRU may be
# behind Redis's anywhere.
S3_AHEAD = 4.0
S3_SHARE = 1.0
LRU_BEHIND = 0.5
# A server that holds so many more or fewer keys than it should is not compared.
HELD_TOLERANCE = 0.02
PLOTTED = (("redis", "allkeys-lru"), ("redis", "allkeys-lfu"), ("ours", "allkeys-random"), ("ours", "allkeys-lru"),
           ("ours", "allkeys-lfu"), ("ours", "allkeys-s3"))


def held_well(result, keys):
    return abs(result["held_mean"] - keys) <= max(HELD_TOLERANCE * keys, 1)


def cell_text(result, keys):
    if "refused" in result:
        return "refused"
    notes = f" {result['refused_sets']:,} SETs refused" if result["refused_sets"] else ""
    return f"{100 * result['ratio']:.2f}{'' if held_well(result, keys) else ' !'} ({result['held_mean']:,.0f}){notes}"


def table(trace):
    """(header, lines): a line for each policy, a column for each size, hit ratios in percent and the keys held."""
    cells = trace["cells"]
    header = ("server", "policy", *(f"{share:g}%: {cell['keys']:,} keys" for share, cell in cells.items()))
    lines = []
    first = next(iter(cells.values()))
    for name in ("redis", "ours"):
        for policy in first[name]:
            lines.append((name, policy, *(cell_text(cell[name][policy], cell["keys"]) for cell in cells.values())))
    for policy in first["exact"]:
        lines.append(("exact", policy, *(f"{100 * cell['exact'][policy]:.2f}" for cell in cells.values())))
    return header, lines


def about(name, trace):
    return f"{name} ({trace['what']}): {trace['requests']:,} requests, {trace['footprint']:,} different keys"


def text(name, trace):
    return about(name, trace) + "\n" + report.as_text(*table(trace))


def verdicts(results):
    """(line, whether it is met) for each target that this run says something of."""
    found = []
    for name, trace in results["traces"].items():
        for share, cell in trace["cells"].items():
            ours, theirs, keys = cell["ours"], cell["redis"], cell["keys"]
            if share == S3_SHARE and usable(ours, "allkeys-s3", keys):
                best = max(result["ratio"] for result in theirs.values())
                ahead = 100 * (ours["allkeys-s3"]["ratio"] - best)
                found.append(verdict(f"{name}, {share:g}%: allkeys-s3 is {ahead:+.2f} points from Redis's better policy, "
                                     f"asked for is +{S3_AHEAD:.2f}", ahead >= S3_AHEAD))
            if usable(ours, "allkeys-lru", keys):
                ahead = 100 * (ours["allkeys-lru"]["ratio"] - theirs["allkeys-lru"]["ratio"])
                found.append(verdict(f"{name}, {share:g}%: allkeys-lru is {ahead:+.2f} points from Redis's, "
                                     f"asked for is no less than -{LRU_BEHIND:.2f}", ahead >= -LRU_BEHIND))
    return found


def usable(policies, name, keys):
    return name in policies and "ratio" in policies[name] and held_well(policies[name], keys)


def verdict(line, met):
    return f"{'met   ' if met else 'MISSED'}  {line}", met


def draw(path, results):
    charts = []
    for name, trace in results["traces"].items():
        chart = plot.Bars(f"{name}: {trace['what']}", "%", "hit ratio")
        for share, cell in trace["cells"].items():
            bars = {f"{server} {policy.removeprefix('allkeys-')}": 100 * cell[server][policy]["ratio"]
                    for server, policy in PLOTTED if "ratio" in cell[server].get(policy, {})}
            marks = {f"exact {policy}": 100 * ratio for policy, ratio in cell["exact"].items()
                     if policy in ("LRU", "Belady")}
            chart.add(f"{share:g}% of the footprint, {cell['keys']:,} keys", bars, marks)
        charts.append(chart)
    return plot.write(path, charts)


def write(folder, results, lines):
    """hits.json, hits.md, hits.svg and, where SVG can be turned into it, hits.png; returns their paths."""
    os.makedirs(folder, exist_ok=True)
    stem = os.path.join(folder, "hits")
    with open(stem + ".json", "w", encoding="utf-8") as file:
        json.dump(results, file, indent=1)
    machine = results["machine"]
    with open(stem + ".md", "w", encoding="utf-8") as file:
        file.write(f"# Hit ratios\n\n`{results['command']}` on {machine['cpu']}, {machine['cpus']} CPUs. In percent; in "
                   "brackets, how many keys were held.\n")
        for name, version in results["versions"].items():
            file.write(f"\n- {name}: {version}")
        file.write("\n")
        for name, trace in results["traces"].items():
            file.write(f"\n{about(name, trace)}\n\n{report.as_markdown(*table(trace))}\n")
        if lines:
            file.write("\n" + "\n".join(f"- {line}" for line, _ in lines) + "\n")
    return [stem + ".md", stem + ".json", *draw(stem + ".svg", results)]
