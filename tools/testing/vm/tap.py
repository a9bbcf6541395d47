# SPDX-License-Identifier: GPL-2.0-only
"""Reads the TAP of test programs run by guest-tests."""

import re

RESULT = re.compile(r"(not )?ok\b\s*(\d+)?\s*(?:- )?(.*?)(?:\s*# *(SKIP|XFAIL|TODO)\b\s*(.*))?$")
PLAN = re.compile(r"1\.\.(\d+)(?:\s*# *SKIP\b\s*(.*))?$")


class Program:
    """What one program said so far."""

    def __init__(self, name):
        self.name = name
        self.planned = None
        self.seen = 0
        self.failed = 0
        self.said = []      # comment lines since the last result


class Collector:
    """Takes guest-tests' output line by line and keeps the totals.

    A test passes only by saying so: an expected failure, a program that stops
    before its plan is done, exits with an error or says nothing is a failure.
    """

    def __init__(self, write, verbose=False, prefix=""):
        self.write, self.verbose, self.prefix = write, verbose, prefix
        self.passed, self.failed, self.skipped = 0, [], []
        self.program = None
        self.done = set()
        self.kept = {}

    def line(self, line):
        if line.startswith("@@ begin "):
            self.begin(line.split()[2])
        elif line.startswith("@@ left ") and self.program:
            self.fail(self.program, "left behind: " + line.split(None, 3)[3])
        elif line.startswith("@@ end "):
            self.end(int(line.split()[3]))
        elif self.program is None:
            self.write(line)
        else:
            self.tap(line)

    def begin(self, name):
        # "modules" comes twice: at the start and at the end
        self.program = self.kept.setdefault(name, Program(self.prefix + name))

    def tap(self, line):
        prog = self.program
        if self.verbose:
            self.write(line)
        result, plan = RESULT.match(line), PLAN.match(line)
        if result:
            self.result(prog, *result.groups())
            prog.said = []
        elif plan:
            prog.planned = int(plan.group(1))
            if plan.group(2) is not None:
                self.skip(prog, "(all)", plan.group(2))
        else:
            prog.said.append(line)

    def result(self, prog, bad, _number, name, directive, reason):
        prog.seen += 1
        if bad or directive in ("XFAIL", "TODO"):
            self.fail(prog, name or str(prog.seen))
        elif directive == "SKIP":
            self.skip(prog, name, reason)
        else:
            self.passed += 1
            if not self.verbose:
                self.write(f"ok {prog.name}: {name}")

    def skip(self, prog, name, reason):
        self.skipped.append((f"{prog.name}: {name}", reason or "no reason given"))
        self.write(f"skip {prog.name}: {name} ({reason or 'no reason given'})")

    def fail(self, prog, what):
        prog.failed += 1
        self.failed.append(f"{prog.name}: {what}")
        if not self.verbose:
            for line in prog.said[-40:]:
                self.write(f"    {line}")
        self.write(f"not ok {prog.name}: {what}")

    def end(self, status):
        prog, self.program = self.program, None
        self.done.add(prog.name)
        if status in (124, 137):
            self.fail(prog, "took too long and was ended")
        elif prog.planned is None and prog.seen == 0:
            self.fail(prog, f"no test result (exit status {status})")
        elif prog.planned is not None and prog.seen < prog.planned:
            self.fail(prog, f"{prog.planned - prog.seen} of {prog.planned} tests "
                      f"gave no result (exit status {status})")
        elif status not in (0, 4) and not prog.failed:
            self.fail(prog, f"exit status {status}")
