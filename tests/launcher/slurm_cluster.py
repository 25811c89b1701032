"""A real Slurm cluster of two nodes on this machine, in a folder, for as long as tests want it."""

import contextlib
import os
import shutil
import socket
import subprocess
import time
from pathlib import Path

_CONFIGURATION = """
ClusterName=tests
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={controller}
SlurmUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
MpiDefault=none
ReturnToService=2
SlurmdParameters=config_overrides
SchedulerParameters=sched_interval=1,bf_interval=1
KillWait=10
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool-%n
SlurmdPidFile={folder}/slurmd-%n.pid
SlurmdLogFile={folder}/slurmd-%n.log
SlurmctldPidFile={folder}/slurmctld.pid
SlurmctldLogFile={folder}/slurmctld.log
NodeName=n1 NodeHostname=localhost Port={first} CPUs=2
NodeName=n2 NodeHostname=localhost Port={second} CPUs=2
PartitionName=main Nodes=n1,n2 Default=YES MaxTime=INFINITE State=UP
"""
_UP_SECONDS = 30.0
_DOWN_SECONDS = 10.0


def why_not() -> str | None:
    """Why there can be no cluster here, if so."""
    if os.getuid() != 0:
        return "a Slurm cluster is brought up by root only"
    missing = [name for name in ("munged", "slurmctld", "slurmd", "sbatch") if _path_of(name) is None]
    return f"Slurm is not installed: there is no {missing[0]} (apt-get install slurm-wlm munge)" if missing else None


class SlurmCluster:
    """Nodes ``n1`` and ``n2`` with two cores each; no accounting."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.configuration = folder / "slurm.conf"
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self.environment = {"SLURM_CONF": str(self.configuration)}

    def start(self) -> None:
        controller, first, second = _free_ports(3)
        host = socket.gethostname().partition(".")[0]
        self.configuration.write_text(
            _CONFIGURATION.format(host=host, controller=controller, folder=self.folder, first=first, second=second)
        )
        for name in ("state", "spool-n1", "spool-n2"):
            (self.folder / name).mkdir()
        key = self.folder / "munge.key"
        key.touch(mode=0o400)
        key.write_bytes(os.urandom(1024))
        # Its socket lies below a folder that others cannot enter, which it would refuse.
        self._begin(
            "munged", "--foreground", "--force", f"--key-file={key}", f"--socket={self.folder}/munge.socket",
            f"--pid-file={self.folder}/munged.pid", f"--log-file={self.folder}/munged.log",
            f"--seed-file={self.folder}/munge.seed",
        )  # fmt: skip
        self._wait_for(lambda: (self.folder / "munge.socket").exists())
        self._begin("slurmctld", "-D", "-f", str(self.configuration))
        for node in ("n1", "n2"):
            self.start_node(node)
        self._wait_for(lambda: self.ask("sinfo", "--noheader", "--format=%T %D") == "idle 2")

    def start_node(self, node: str) -> None:
        self._begin("slurmd", "-D", "-f", str(self.configuration), "-N", node, called=node)

    def stop(self) -> None:
        self.ask("scancel", "--user=root")
        self._wait_for(lambda: self.ask("squeue", "--noheader") == "", _DOWN_SECONDS, quiet=True)
        for process in reversed(self._processes.values()):
            process.terminate()
        for process in self._processes.values():
            try:
                process.wait(_DOWN_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def ask(self, *command: str) -> str:
        done = subprocess.run(
            command, env=os.environ | self.environment, capture_output=True, text=True, timeout=60, check=False
        )
        return done.stdout.strip() if done.returncode == 0 else f"failed: {done.stderr}"

    def warn(self, place_job: str) -> None:
        """As Slurm does some time before the time limit."""
        # The signal is sent at once; of an array that still waits in part, Slurm then says for a minute that it is not.
        with contextlib.suppress(subprocess.TimeoutExpired):
            subprocess.run(
                ["scancel", "--batch", "--signal=USR2", place_job.removeprefix("slurm ")],
                env=os.environ | self.environment, timeout=2, check=False, stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )  # fmt: skip

    def begin_requeued(self) -> None:
        """Slurm lets a requeued job wait for two minutes: not here."""
        for job in self.ask("squeue", "--noheader", "--array", "--states=PENDING", "--format=%F_%K %r").splitlines():
            name, _, reason = job.partition(" ")
            if reason == "BeginTime":
                self.ask("scontrol", "update", f"JobId={name}", "StartTime=now")

    def _begin(self, program: str, *arguments: str, called: str = "") -> None:
        path = _path_of(program)
        assert path is not None
        with (self.folder / f"{called or program}.out").open("ab") as output:
            self._processes[called or program] = subprocess.Popen(
                [path, *arguments], env=os.environ | self.environment, stdout=output, stderr=output,
                stdin=subprocess.DEVNULL, start_new_session=True,
            )  # fmt: skip

    def _wait_for(self, condition: "object", seconds: float = _UP_SECONDS, *, quiet: bool = False) -> None:
        deadline = time.monotonic() + seconds
        assert callable(condition)
        while not condition():
            if time.monotonic() > deadline:
                if quiet:
                    return
                logs = "\n".join(path.read_text(errors="replace")[-2000:] for path in self.folder.glob("*.out"))
                raise AssertionError(f"the cluster did not come up: {logs}")
            time.sleep(0.1)


def _path_of(name: str) -> str | None:
    return shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")


def _free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    try:
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]
    finally:
        for each in sockets:
            each.close()
