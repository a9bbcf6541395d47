# SPDX-License-Identifier: GPL-2.0-only
"""Devices that a guest unplugs are there again."""

import json
import socket


class Hand:
    """Plugs in again, as it was, what the guest has unplugged. Only what has an id
    on QEMU's command line is ever told to be gone."""

    def __init__(self, devices):
        self.devices = {}
        for words in devices:
            driver, *rest = words.split(",")
            known = dict(word.split("=", 1) for word in rest if "=" in word)
            if "id" in known:
                self.devices[known["id"]] = dict(known, driver=driver)
        self.ours, self.theirs = socket.socketpair()
        self.rest = b""
        self.say("qmp_capabilities")

    def words(self):
        """For QEMU's command line"""
        return ["-chardev", f"socket,id=hand,fd={self.theirs.fileno()}",
                "-qmp", "chardev:hand"]

    def say(self, command, **arguments):
        self.ours.sendall(json.dumps({"execute": command,
                                      "arguments": arguments}).encode())

    def listen(self):
        """What QEMU has said since. It never ends: both ends are open here."""
        *lines, self.rest = (self.rest + self.ours.recv(65536)).split(b"\n")
        for line in map(json.loads, lines):
            gone = line.get("data", {}).get("device")
            if line.get("event") == "DEVICE_DELETED" and gone in self.devices:
                self.say("device_add", **self.devices[gone])

    def close(self):
        self.ours.close()
        self.theirs.close()
