#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Prints gcovr's summary as a table of the files, with their lines and branches."""

import json
import sys


def share(part, whole):
    return f"{part:6} /{whole:6} {100 * part / whole if whole else 100:6.1f}%"


def row(name, entry):
    lines = share(entry["line_covered"], entry["line_total"])
    print(f"{name:32} {lines}  {share(entry['branch_covered'], entry['branch_total'])}")


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        summary = json.load(file)
    print(f"{'':32} {'lines':>23}  {'branches':>23}")
    for entry in summary["files"]:
        row(entry["filename"], entry)
    for part in "drivers/sva/", "lib/libsva/":
        files = [f for f in summary["files"] if f["filename"].startswith(part)]
        row(part + "*", {key: sum(f[key] for f in files) for key in
                         ("line_covered", "line_total", "branch_covered", "branch_total")})
    row("all", summary)


main()
