# SPDX-License-Identifier: GPL-2.0-only
"""One boot of the virtual machine, watched."""

import os
import pathlib
import re
import selectors
import shutil
import subprocess
import sys
import tempfile
import time
import typing

from hotplug import Hand

BOOT = pathlib.Path(os.environ.get("SVA_BOOT", "/"))
# Another kernel than Debian's, see tools/testing/debug/kernel.
KERNEL = pathlib.Path(os.environ.get("SVA_KERNEL") or BOOT)
# How much slower it is: limits of time are multiplied by it.
SLOWER = int(os.environ.get("SVA_SLOWER") or 1)
SRC = pathlib.Path(__file__).resolve().parents[3]
BUILD = pathlib.Path(os.environ.get("SVA_BUILD", SRC / "build"))

# Any of these in the kernel's log fails the run. There is no list of
# exceptions, and there shall be none.
SPLAT = re.compile(
    r"WARNING:|\bBUG\b|\bOops\b|general protection|Kernel panic|"
    r"\bK[ACM]SAN:|UBSAN:|ODEBUG:|\bleaked\b|\bleak:|unreferenced object|"
    r"kmemleak(?!: (Kernel memory leak detector init|Automatic memory scanning))|"
    r"memory leak(?! detector init)|non-static key|locking correctness validator|"
    r"possible recursive locking|circular locking|inconsistent lock state|"
    r"invalid wait context|suspicious RCU|held lock.* freed|bad unlock balance|"
    r"lock held when returning|refcount_t:|blocked for more than|"
    r"rcu: INFO:|rcu_\w+ (self-)?detected|soft lockup|hard LOCKUP|"
    r"Objects remaining|still has objects|double free|use-after-free(?! debug is enabled)|"
    r"scheduling while atomic|sleeping function called|list_(add|del) corruption|"
    r"Unable to handle|stack guard|stack-protector|Bad page|Bad rss|"
    r"IRQ \d+: nobody cared")
# Where no test makes a device do what it may not.
DMA_FAULT = re.compile(r"DMAR:.*fault")
MARK = re.compile(r"sva-test: (\S+)")

# An emulated timer is late on a busy machine, which is no reason to panic.
APPEND = ("no_timer_check "
          "console=ttyS0 panic=-1 oops=panic softlockup_panic=1 hung_task_panic=1 "
          "sysctl.kernel.hung_task_timeout_secs=60 watchdog_thresh=30 "
          "rcupdate.rcu_cpu_stall_timeout=60 random.trust_cpu=on "
          "printk.time=1 loglevel=7 ")

# The debug kernel's: slab caches that are not merged can be counted one by one;
# KUnit suites run when a test asks for it, not when a module is loaded. While the
# first CPU is identified it seems to have no LA57, and an interrupt that comes
# then makes KASAN see accesses outside of all memory.
if KERNEL != BOOT:
    APPEND += "slub_nomerge kunit.enable=1 kunit.autorun=0 no5lvl "


class Hardware(typing.NamedTuple):
    """What a machine has besides the usual, and words for its kernel."""
    devices: list = []
    words: str = ""
    cpu: str = "max"
    # Only the QEMU that tools/testing/qemu builds has it.
    patched: bool = False
    # Tests make its devices access what is blocked.
    faults: bool = False


# An Intel IOMMU with everything that QEMU has, and a PCI Express device with ATS.
VTD = ["-device", "intel-iommu,intremap=on,scalable-mode=on,fsts=on,svm=on,"
       "pasid-bits=20,device-iotlb=on",
       "-device", "pcie-root-port,id=rp",
       "-device", "virtio-rng-pci,bus=rp,iommu_platform=on,ats=on"]
# An Intel IOMMU that nests, an engine behind it, and room to plug in another.
ENGINE = ["-L", "/usr/share/qemu", "-L", "/usr/share/seabios",
          "-device", "intel-iommu,intremap=on,x-scalable-mode=on,x-flts=on,"
          "x-nest=on,x-pasid-mode=on,x-pasid-bits=20,device-iotlb=on,x-prs=on,"
          "x-caches=on",
          "-device", "pcie-root-port,id=port0,chassis=1",
          "-device", "sva-engine,id=engine0,bus=port0"]
# Functions without PASIDs, for VFIO: some that do DMA as they are told, two in groups
# of their own, and two in one slot, which share a group; a disk with the contents of
# the first one; and a network card that has virtual functions.
EDU = [word for where in ("10", "11", "12.0", "12.1") for word in
       ("-device", f"edu,dma_mask=0xffffffffffffffff,addr={where},"
        f"multifunction={'on' if '.' in where else 'off'}")]
VFIO = VTD + EDU + ["-drive", "if=none,id=nvme,format=raw,snapshot=on,"
                    f"file={BOOT / 'guest.erofs'}",
                    "-device", "nvme,drive=nvme,serial=sva",
                    "-device", "pcie-root-port,id=port1,chassis=2",
                    "-device", "igb,bus=port1"]
# Devices of virtio whose accesses are translated: a disk with the contents of the
# first one, and two network cards that are connected.
TRANSLATED = "disable-legacy=on,iommu_platform=on"
VIRTIO = (["-L", "/usr/share/qemu", "-L", "/usr/share/seabios",
           "-drive", "if=none,id=extra,format=raw,snapshot=on,"
           f"file={BOOT / 'guest.erofs'}",
           "-device", f"virtio-blk-pci,drive=extra,serial=sva,addr=18,{TRANSLATED}"]
          + [word for n in (1, 2) for word in
             ("-netdev", f"hubport,id=net{n},hubid=0",
              "-device", f"virtio-net-pci,netdev=net{n},mac=52:54:00:00:00:0{n},"
              f"romfile=,addr=1{8 + n:x},{TRANSLATED}")])


def virtio(iommu, words):
    """A machine with these devices behind the patched QEMU's IOMMU. The firmware
    leaves the disk at work, which gives a fault when translation begins."""
    return Hardware(["-device", f"intel-iommu,intremap=on,x-caches=on{iommu}"] + VIRTIO,
                    f"{words} iommu.passthrough=0 ", patched=True, faults=True)


# A test that needs other machines than the plain one says so at its top:
# "Machine: NAME...". It is run on each of them.
MACHINES = {
    "plain": Hardware(),
    "vtd": Hardware(VTD, "intel_iommu=on,sm_on "),
    "vtd-sm-off": Hardware(VTD, "intel_iommu=on,sm_off "),
    "vtd-legacy": Hardware(["-device", "intel-iommu,intremap=on"], "intel_iommu=on "),
    "vfio": Hardware(VFIO, "intel_iommu=on,sm_on ", faults=True),
    # Tests reach the engine's registers while its driver has it.
    "engine": Hardware(ENGINE, "intel_iommu=on,sm_on iomem=relaxed ", "max,la57=off",
                       True, True),
    "virtio-legacy": virtio("", "intel_iommu=on"),
    "virtio-second": virtio(",x-scalable-mode=on", "intel_iommu=on,sm_on"),
    "virtio-first": virtio(",x-scalable-mode=on,x-flts=on", "intel_iommu=on,sm_on"),
}
PATCHED_QEMU = os.environ.get("SVA_QEMU", "")


def boot_id():
    return pathlib.Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def accel():
    """The accelerator to use. That /dev/kvm opens says little: one short boot
    under KVM decides, and its answer holds until the host boots again."""
    if os.environ.get("SVA_ACCEL"):
        return os.environ["SVA_ACCEL"]
    if not os.access("/dev/kvm", os.R_OK | os.W_OK):
        return "tcg"
    answer = BUILD / "logs" / f"kvm-{boot_id()}-{KERNEL.name}"
    if answer.exists():
        return answer.read_text().strip()
    good = kvm_boots(BUILD / "logs" / "kvm-probe")
    answer.write_text("kvm\n" if good else "tcg\n")
    return "kvm" if good else "tcg"


def kvm_boots(base):
    log, err = base.with_suffix(".kernel.log"), base.with_suffix(".qemu.log")
    log.write_bytes(b"")
    with open(err, "wb") as stderr:
        proc = subprocess.Popen(qemu("kvm", 2, "512M", "sva.probe")
                                + ["-serial", f"file:{log}"], stderr=stderr,
                                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    end = time.monotonic() + 15
    # After an emulation failure QEMU says so and waits for a debugger.
    while (proc.poll() is None and time.monotonic() < end
           and b"KVM internal error" not in err.read_bytes()):
        time.sleep(0.1)
    proc.kill()
    proc.wait()
    return b"sva-probe-ok" in log.read_bytes()


# One nanosecond of the guest's clocks is one instruction, idle time is skipped.
COUNT = ["-icount", "shift=0,sleep=off"]


def qemu(acc, smp, mem, append, machine="plain", count=False):
    """The command line that all boots have in common."""
    hardware = MACHINES[machine]
    if count:
        acc, smp = "tcg,thread=single", 1
    if hardware.patched:
        # CPUs in several threads get lost when a BAR moves that another one is
        # accessing ("iotlb_to_section: Assertion"): functions are unplugged here.
        acc = "tcg,thread=single"
    acc = "tcg,thread=multi" if acc == "tcg" else acc
    return ([PATCHED_QEMU if hardware.patched else "qemu-system-x86_64",
             "-nodefaults", "-no-user-config",
             "-display", "none", "-no-reboot", "-accel", acc, "-cpu", hardware.cpu,
             "-M", "q35,kernel-irqchip=split" if hardware.devices else "q35",
             "-smp", str(smp), "-m", mem]
            + hardware.devices + (COUNT if count else [])
            + ["-kernel", str(KERNEL / "vmlinuz"),
               "-initrd", str(KERNEL / "initramfs"),
               "-append", APPEND + hardware.words + append])


# What guest-init says to the kernel's log, before anything of ours is loaded.
BOOTED = "sva-vm: booted"
# Seconds that a boot may take. Emulated on a busy machine, a kernel sometimes
# never finishes calibrating its timers, or panics over them; the next one does.
BOOT_LIMIT = 90 * SLOWER
BOOTS = 3


class KernelLog:
    """Follows the file that the guest's serial port writes."""

    def __init__(self, path, faults=False):
        self.path, self.faults = path, faults
        self.path.write_bytes(b"")
        self.file = open(path, "rb")
        self.rest = b""
        self.before = []        # the last few lines
        self.after = 0          # lines still to be kept after a splat
        self.where = "boot"     # the test program that was running
        self.splats = []        # (where, [lines])
        self.panic = False
        self.booted = False

    def poll(self):
        data = self.rest + self.file.read()
        *lines, self.rest = data.split(b"\n")
        for line in lines:
            self.line(line.decode(errors="replace").rstrip("\r"))

    def line(self, line):
        mark = MARK.search(line)
        if mark:
            self.where = mark.group(1)
        if "Kernel panic" in line:
            self.panic = True
        if BOOTED in line:
            self.booted = True
        if self.after:
            self.splats[-1][1].append(line)
            self.after -= 1
        elif SPLAT.search(line) or (not self.faults and DMA_FAULT.search(line)):
            self.splats.append((self.where, self.before[-3:] + [line]))
            self.after = 25
        self.before = self.before[-3:] + [line]


class Machine:
    """A virtual machine that runs one shell script."""

    def __init__(self, name, job, pack, smp=2, mem="2G", append="",
                 machine="plain", quiet_limit=150, limit=900, disk="1G", count=False):
        self.name, self.quiet_limit, self.limit = name, quiet_limit, limit
        self.machine = machine
        logs = BUILD / "logs"
        self.log = KernelLog(logs / f"{name}.kernel.log",
                             MACHINES[machine].faults)
        self.output = logs / f"{name}.output.log"
        self.qemu_log = logs / f"{name}.qemu.log"
        self.tmp = tempfile.TemporaryDirectory(prefix="sva-vm-", dir=BUILD)
        tmp = pathlib.Path(self.tmp.name)
        self.status = tmp / "status"
        job_disk = tmp / "job"
        data = job.encode()
        job_disk.write_bytes(data + b"\0" * (-len(data) % 4096))
        self.scratch = scratch = tmp / "scratch"
        self.keep = logs / f"{name}.keep"
        subprocess.run(["mke2fs", "-q", "-t", "ext4", "-O", "^has_journal", "-E",
                        "root_owner=0:0", str(scratch), disk], check=True)
        self.cmd = qemu(accel(), smp, mem, append, machine, count)
        for i, (path, ro) in enumerate(((BOOT / "guest.erofs", "on"), (pack, "on"),
                                        (scratch, "off"), (job_disk, "on"))):
            self.cmd += ["-drive", f"if=none,id=d{i},format=raw,read-only={ro},"
                         f"cache=unsafe,file={path}",
                         "-device", f"virtio-blk-pci,drive=d{i}"]
        self.cmd += ["-device", "virtio-serial-pci",
                     "-serial", f"file:{self.log.path}"]

    def shell(self):
        """Hands the terminal to the guest."""
        self.cmd += ["-chardev", "stdio,id=tty,signal=off",
                     "-device", "virtconsole,chardev=tty"]
        return subprocess.run(self.cmd, check=False).returncode

    def run(self, sink):
        """Runs the job; each line of its output goes to sink(). Returns the
        job's exit status, or a text that says what went wrong."""
        # Not "stdio": that closes the port as soon as stdin ends.
        self.cmd += ["-chardev", "file,id=out,path=/dev/stdout",
                     "-device", "virtserialport,chardev=out,name=out",
                     "-chardev", f"file,id=status,path={self.status}",
                     "-device", "virtserialport,chardev=status,name=status"]
        with open(self.output, "wb") as out, open(self.qemu_log, "wb") as err:
            for _ in range(BOOTS):
                problem = self.boot(sink, out, err)
                if self.log.booted or self.log.panic:
                    break
                print(f"sva: {self.name}: the kernel hung while it booted, once more",
                      file=sys.stderr)
        return self.verdict(problem)

    def boot(self, sink, out, err):
        self.log = KernelLog(self.log.path, self.log.faults)
        hand = Hand(MACHINES[self.machine].devices)
        proc = subprocess.Popen(self.cmd + hand.words(), stdin=subprocess.DEVNULL,
                                stdout=subprocess.PIPE, stderr=err,
                                pass_fds=[hand.theirs.fileno()])
        try:
            return self.watch(proc, hand, sink, out)
        finally:
            proc.kill()
            proc.wait()
            hand.close()
            self.log.poll()

    def watch(self, proc, hand, sink, out):
        start = last = time.monotonic()
        sel = selectors.DefaultSelector()
        sel.register(proc.stdout, selectors.EVENT_READ)
        sel.register(hand.ours, selectors.EVENT_READ)
        rest = b""
        while True:
            ready = [key.fileobj for key, _ in sel.select(0.2)]
            if hand.ours in ready:
                hand.listen()
            if proc.stdout in ready:
                data = os.read(proc.stdout.fileno(), 65536)
                if not data:
                    break
                last = time.monotonic()
                out.write(data)
                out.flush()
                *lines, rest = (rest + data).split(b"\n")
                for line in lines:
                    sink(line.decode(errors="replace").rstrip("\r"))
            self.log.poll()
            now = time.monotonic()
            if not self.log.booted and now - start > BOOT_LIMIT:
                return f"hang: not booted after {BOOT_LIMIT} s"
            if now - last > self.quiet_limit:
                return f"hang: no output for {self.quiet_limit} s"
            if now - start > self.limit:
                return f"hang: still running after {self.limit} s"
        if rest:
            sink(rest.decode(errors="replace"))
        return None

    def take_kept(self):
        """Takes /mnt/keep out of the guest, which may have died."""
        shutil.rmtree(self.keep, ignore_errors=True)
        subprocess.run(["debugfs", "-R", f"rdump /keep {self.tmp.name}", str(self.scratch)],
                       check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        kept = pathlib.Path(self.tmp.name) / "keep"
        if kept.exists():
            shutil.move(kept, self.keep)

    def keep_counts(self):
        """Puts aside what "make coverage" wants of it."""
        counts = self.keep / "gcov"
        if not counts.exists():
            return
        to = BUILD / "gcov" / f"{self.name}-{time.strftime('%H%M%S')}"
        to.mkdir(parents=True)
        shutil.move(counts, to)

    def verdict(self, problem):
        text = self.status.read_text() if self.status.exists() else ""
        self.take_kept()
        self.keep_counts()
        self.tmp.cleanup()
        if problem:
            return problem
        if self.log.panic:
            return "kernel panic"
        if text.startswith("exit "):
            return int(text.split()[1])
        return "the guest stopped before its job was done"


def show_splats(machine, write):
    for where, lines in machine.log.splats:
        write(f"--- kernel log of {machine.name}, during {where}:")
        for line in lines:
            write(f"    {line}")
