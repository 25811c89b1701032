"""A program whose tasks start processes that want to outlive them, and one that looks for them."""

import os
import signal
import subprocess
import time
from pathlib import Path

import hydra
from omegaconf import DictConfig

NOTE = Path(os.environ["HERE"]) / "daemon"


def daemon() -> int:
    """A process in a session of its own, whose parent has ended."""
    started = subprocess.run(["setsid", "--fork", "sh", "-c", f"echo $$ > {NOTE}; exec sleep 300"], check=True)
    while not NOTE.exists() or not NOTE.read_text():
        time.sleep(0.01)
    return started.returncode


def is_alive(process: int) -> bool:
    try:
        state = Path(f"/proc/{process}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


@hydra.main(version_base=None, config_path=None)
def app(config: DictConfig) -> object:
    with (Path(os.environ["HERE"]) / "parents").open("a") as file:
        file.write(f"{os.getppid()}\n")
    if config.do == "daemon":
        daemon()
    if config.do == "kill_server":
        daemon()
        os.kill(os.getppid(), signal.SIGKILL)
        time.sleep(300)
    if config.do == "wait":
        (Path(os.environ["HERE"]) / "waiting").touch()
        time.sleep(300)
    if config.do == "look":
        return is_alive(int(NOTE.read_text()))
    if config.do == "locks":
        lock = (Path(os.environ["HERE"]) / config.launcher / ".lock").resolve()
        holders = []
        for process in ("self", os.getppid()):
            held = [entry.resolve() for entry in Path(f"/proc/{process}/fd").iterdir()]
            holders.append(lock in held)
        return holders
    if config.do == "fail_in_clean_up":
        (Path(os.environ["HERE"]) / "waiting").touch()
        try:
            time.sleep(300)
        finally:
            raise OSError("the checkpoint could not be written")
    if config.do == "exit_in_clean_up":
        (Path(os.environ["HERE"]) / "waiting").touch()
        try:
            time.sleep(300)
        except KeyboardInterrupt:
            raise SystemExit(0) from None
    return None


with (Path(os.environ["HERE"]) / "imports").open("a") as file:
    file.write(f"{os.getpid()}\n")
if __name__ == "__main__":
    app()
