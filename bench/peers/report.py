"""What was measured against what is asked for: the table on the screen and the files."""

import datetime
import json
import os
import platform

# The most that our server may take, as a share of redis-server in the same run.
RATIO_TARGETS = {
    "GET P1": 1.0, "SET P1": 1.0,
    "GET P16": 0.47, "SET P16": 0.45,
    "GET P64": 0.22, "SET P64": 0.22,
    "TLS GET P1": 1.0, "TLS SET P1": 1.0, "TLS GET P16": 1.0, "TLS SET P16": 1.0,
    "memory": 0.66, "memory with TTL": 0.58,
    "hashes of 8 fields": 0.75, "one hash": 0.65, "one set": 0.65, "one sorted set": 0.55,
}
# Of the commands on collections, by pipeline depth.
COLLECTION_TARGETS = {"P1": 1.0, "P16": 0.5}
# Of scripts, transactions and PUBLISH, at every depth.
MESSAGING_TARGET = 0.8
MESSAGING = ("EVALSHA", "MULTI", "PUBLISH")
# The most in itself.
BYTE_TARGETS = {"idle connection": 1024}

HEADER = ("measurement", "unit", "redis", "ours", "ratio", "target", "")


def rows(results, names):
    """One row per measurement: label, unit, the peer's figure, ours, ratio, target, verdict."""
    peer, ours = names
    table = []
    for label, cell in results.get("speed", {}).items():
        table.append(row(label, "us CPU", cell[peer]["cpu_us"], cell[ours]["cpu_us"], ".2f"))
    for label in ("memory", "memory with TTL", "idle connection"):
        if label in results:
            table.append(row(label, "bytes", results[label][peer], results[label][ours], ".0f"))
    for label, figures in results.get("collection memory", {}).items():
        table.append(row(label, "bytes", figures[peer], figures[ours], ".0f"))
    return table


def ratio_target(label):
    if label.startswith(MESSAGING):
        return MESSAGING_TARGET
    return RATIO_TARGETS.get(label) or COLLECTION_TARGETS[label.rpartition(" ")[2]]


def row(label, unit, theirs, mine, form):
    ratio = mine / theirs if theirs else float("inf")
    if label in BYTE_TARGETS:
        target, met = f"{BYTE_TARGETS[label]} B", mine <= BYTE_TARGETS[label]
    else:
        # A ratio is compared as it is printed.
        target, met = f"{ratio_target(label):.2f}", round(ratio, 2) <= ratio_target(label)
    return (label, unit, format(theirs, form), format(mine, form), f"{ratio:.2f}", target, "met" if met else "MISSED")


def all_met(table):
    return all(line[-1] == "met" for line in table)


def rate_rows(results, names):
    """Requests per second, and the floor's CPU where a floor ran, for the reader of the file."""
    table = []
    for label, cell in results.get("speed", {}).items():
        line = [label]
        for name in names:
            line += [f"{cell[name]['rps']:,.0f}", f"{cell[name]['p99_ms']:.2f}"]
        if "floor" in cell:
            line.append(f"{cell['floor']['cpu_us'] / cell[names[0]]['cpu_us']:.2f}")
        table.append(tuple(line))
    return table


def rate_header(results):
    floor = any("floor" in cell for cell in results.get("speed", {}).values())
    return ("run", "redis req/s", "p99 ms", "ours req/s", "p99 ms") + (("floor's ratio",) if floor else ())


def as_text(header, table):
    widths = [max(len(line[column]) for line in (header, *table)) for column in range(len(header))]

    def pad(line):
        first, *rest = (cell.ljust(width) if column < 2 else cell.rjust(width)
                        for column, (cell, width) in enumerate(zip(line, widths)))
        return "  ".join((first, *rest)).rstrip()

    return "\n".join(pad(line) for line in (header, *table))


def as_markdown(header, table):
    lines = ["| " + " | ".join(header) + " |", "|" + "---|" * len(header)]
    return "\n".join(lines + ["| " + " | ".join(line) + " |" for line in table])


def machine():
    model = "unknown CPU"
    with open("/proc/cpuinfo") as info:
        for line in info:
            if line.startswith("model name"):
                model = line.partition(":")[2].strip()
                break
    return {"cpu": model, "cpus": os.cpu_count(), "kernel": platform.release(), "load_at_start": os.getloadavg()[0]}


def write(folder, results, names, command):
    """Writes the raw figures as JSON and the tables as markdown; returns the markdown file's path."""
    os.makedirs(folder, exist_ok=True)
    stem = os.path.join(folder, datetime.datetime.now().strftime("%Y%m%d-%H%M%S"))
    with open(stem + ".json", "w") as file:
        json.dump({"command": command, **results}, file, indent=1)
    about = results["machine"]
    with open(stem + ".md", "w") as file:
        file.write("# Side by side\n\n")
        file.write(f"`{command}` on {about['cpu']}, {about['cpus']} CPUs, Linux {about['kernel']}.\n\n")
        for name, text in results["versions"].items():
            file.write(f"- {name}: {text}\n")
        file.write("\n" + as_markdown(HEADER, rows(results, names)) + "\n")
        rates = rate_rows(results, names)
        if rates:
            file.write("\n" + as_markdown(rate_header(results), rates) + "\n")
    return stem + ".md"
