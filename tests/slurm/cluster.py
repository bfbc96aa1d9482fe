"""A real Slurm on this machine: munged, a controller and virtual nodes, all in one folder.

Nothing under /etc is read or written: the daemons and their clients find each other through
SLURM_CONF, and munged has a key and a socket of its own.
"""

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "srun", "scancel", "scontrol", "squeue")
NODES = ("node1", "node2")


class Unavailable(Exception):
    """Why there can be no Slurm here."""


def install() -> None:
    """Install Debian's Slurm and munge if they are missing; no service of theirs is started."""
    if os.geteuid() != 0:
        raise Unavailable("Slurm's daemons are started by root, and this is another user")
    if all(shutil.which(program) for program in PROGRAMS):
        return
    if not shutil.which("apt-get"):
        raise Unavailable("Slurm is not installed, and there is no apt-get to install it with")
    with _no_services():
        _apt(30, "update", "-o", "APT::Update::Error-Mode=any")
        _apt(300, "install", "--yes", "--no-install-recommends", "slurm-wlm", "munge")


def _apt(seconds: float, *arguments: str) -> None:
    quickly = ("-o", "Acquire::Retries=0", "-o", "Acquire::http::Timeout=10")
    try:
        done = subprocess.run(
            ["apt-get", "-qq", *quickly, *arguments],
            env=os.environ | {"DEBIAN_FRONTEND": "noninteractive"},
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise Unavailable(f"apt-get {arguments[0]} took over {seconds:g} s") from None
    if done.returncode != 0:
        said = done.stderr.strip().splitlines() or ["without a word"]
        raise Unavailable(f"apt-get {arguments[0]} failed: {said[0]}")


@contextmanager
def _no_services() -> Iterator[None]:
    """Debian's own way to say that installing a package must start no service."""
    policy = Path("/usr/sbin/policy-rc.d")
    if policy.exists():
        yield
        return
    policy.write_text("#!/bin/sh\nexit 101\n")
    policy.chmod(0o755)
    try:
        yield
    finally:
        policy.unlink()


class Cluster:
    """Slurm's daemons, started by `start` and stopped, with all that they run, by `stop`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environment = {
            "SLURM_CONF": str(folder / "slurm.conf"),
            "PATH": f"{folder}/bin:{os.environ['PATH']}",
        }
        self.daemons: dict[str, subprocess.Popen[bytes]] = {}

    def start(self) -> None:
        """Start everything and wait until every node is idle."""
        self._configure()
        self._daemon("munged", "--foreground", "--force", *self._munge_options())
        wait(lambda: (self.folder / "munge.socket").exists(), "munged opens its socket", 20)
        self.start_controller()
        for node in NODES:
            self._daemon("slurmd", "-D", "-N", node, name=node)
        wait(lambda: self.states() == dict.fromkeys(NODES, "idle"), "the nodes are idle", 60)

    def start_controller(self) -> None:
        self._daemon("slurmctld", "-D")

    def stop_controller(self) -> None:
        self._end("slurmctld")

    def stop(self) -> None:
        """End every job and every daemon that this cluster started."""
        for name in (*NODES, "slurmctld", "munged"):
            if name in self.daemons:
                self._end(name)
        for process in self._left():
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        wait(lambda: not self._left(), "its processes end", 20)

    def command(self, *arguments: str) -> str:
        """What a Slurm command prints."""
        done = subprocess.run(
            arguments,
            env=os.environ | self.environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        if done.returncode != 0:
            raise RuntimeError(f"{' '.join(arguments)}: {done.stderr.strip()}")
        return done.stdout

    def states(self) -> dict[str, str]:
        """The state of every node; none while the controller does not answer."""
        try:
            lines = self.command("sinfo", "-N", "-h", "-p", "main", "-o", "%N %t").split("\n")
        except RuntimeError:
            return {}
        return dict(line.split() for line in lines if line)

    def wait_for(self, rule: str, *, besides: str = "") -> tuple[str, str]:
        """Job and node of the first running job of a rule that is seen, other than `besides`."""
        found: list[tuple[str, str]] = []

        def look() -> bool:
            lines = self.command("squeue", "-h", "-t", "running", "-o", "%i %N %k").splitlines()
            jobs = [line.split(maxsplit=2) for line in lines]
            found[:] = [
                (job, node)
                for job, node, comment in jobs
                if job != besides and comment.startswith(f"rule_{rule}")
            ]
            return bool(found)

        wait(look, f"a job of {rule} runs", 180)
        return found[0]

    def resume(self, node: str) -> None:
        """Take a node that was set down into use again, once no step of its jobs is left.

        Before that it would be sent second copies of jobs that still end there, and be drained.
        """
        wait(lambda: not any(map(_is_step, self._left())), "the last steps end", 60)
        self.command("scontrol", "update", f"nodename={node}", "state=resume")

    def restarts(self, job: str) -> int:
        """How often Slurm itself has put a job back into its queue."""
        described = self.command("scontrol", "--oneliner", "show", "job", job)
        return int(described.partition("Restarts=")[2].split()[0])

    def _configure(self) -> None:
        host = socket.gethostname().split(".")[0]
        controller, *ports = _free_ports(1 + len(NODES))
        nodes = [
            f"NodeName={node} NodeHostname={host} NodeAddr=127.0.0.1 Port={port}"
            f" CPUs=2 RealMemory=16000 State=UNKNOWN"
            for node, port in zip(NODES, ports, strict=True)
        ]
        (self.folder / "state").mkdir()
        (self.folder / "munge.key").write_bytes(os.urandom(128))
        (self.folder / "munge.key").chmod(0o400)
        conf = Path(self.environment["SLURM_CONF"])
        conf.write_text(
            SLURM_CONF.format(folder=self.folder, host=host, port=controller)
            + "".join(f"{node}\n" for node in nodes)
        )
        # Snakemake's plugin takes SLURM_CONF from the environment of its srun; this one knows it.
        srun = self.folder / "bin" / "srun"
        srun.parent.mkdir()
        srun.write_text(f'#!/bin/sh\nSLURM_CONF={conf} exec {shutil.which("srun")} "$@"\n')
        srun.chmod(0o755)

    def _munge_options(self) -> list[str]:
        places = {"key-file": "key", "socket": "socket", "pid-file": "pid", "log-file": "log"}
        places["seed-file"] = "seed"
        return [f"--{option}={self.folder}/munge.{end}" for option, end in places.items()]

    def _daemon(self, program: str, *arguments: str, name: str | None = None) -> None:
        name = name or program
        with open(self.folder / f"{name}.out", "ab") as out:
            self.daemons[name] = subprocess.Popen(
                [shutil.which(program) or program, *arguments],
                env=os.environ | self.environment,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                start_new_session=True,
            )

    def _end(self, name: str) -> None:
        daemon = self.daemons.pop(name)
        daemon.terminate()
        try:
            daemon.wait(20)
        except subprocess.TimeoutExpired:
            daemon.kill()
            daemon.wait()

    def _left(self) -> list[int]:
        """Processes that carry this cluster's SLURM_CONF: its daemons, job steps and jobs."""
        mark = f"SLURM_CONF={self.environment['SLURM_CONF']}".encode()
        found = []
        for place in Path("/proc").glob("[0-9]*/environ"):
            try:
                if mark in place.read_bytes().split(b"\0"):
                    found.append(int(place.parent.name))
            except OSError:
                continue  # it has ended, or is not ours to look at
        return found


def _is_step(process: int) -> bool:
    try:
        return b"slurmstepd" in Path(f"/proc/{process}/cmdline").read_bytes()
    except OSError:
        return False


# A node has the cores and the memory that it is said to have (config_overrides). Jobs over their
# memory are killed by Slurm's accounting, which looks every second: there may be no cgroups here.
# A requeued job waits until its old credential has expired: ten seconds. A node that was set down
# stays down until it is resumed (ReturnToService).
SLURM_CONF = """\
ClusterName=zerogap
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={port}
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket,cred_expire=10
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool-%n
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd-%n.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd-%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
SlurmdParameters=config_overrides
SchedulerParameters=batch_sched_delay=1,sched_interval=5
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=task=1
JobAcctGatherParams=OverMemoryKill
AccountingStorageType=accounting_storage/none
KillWait=5
UnkillableStepTimeout=300
ReturnToService=0
MailProg=/bin/true
PartitionName=main Nodes=ALL Default=YES State=UP
PartitionName=spare Nodes=ALL State=UP
"""


def _free_ports(count: int) -> list[int]:
    held = [socket.socket() for _ in range(count)]
    try:
        for one in held:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in held]
    finally:
        for one in held:
            one.close()


def wait(happens: Callable[[], bool], what: str, seconds: float) -> None:
    end = time.monotonic() + seconds
    while not happens():
        if time.monotonic() > end:
            raise TimeoutError(f"waited {seconds:g} s in vain: {what}")
        time.sleep(0.25)
