"""What commands have in common at their edge with the shell, met in this process."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from rnn_mnist import shell
from rnn_mnist.errors import ExpectedError


def test_a_command_returns_its_exit_code() -> None:
    assert shell.run(lambda: None) == 0
    assert shell.run(lambda: 3) == 3


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (ExpectedError("model.dropout=2:\nmust be at most 1"), 1, "error: model.dropout=2: must be at most 1"),
        (KeyboardInterrupt(), 130, "interrupted"),
    ],
)
def test_what_a_user_can_act_on_is_one_line(
    error: BaseException, code: int, line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    def command() -> None:
        raise error

    assert shell.run(command) == code
    assert capsys.readouterr().err.splitlines() == [line]


def test_the_operating_systems_errors_name_their_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def command() -> None:
        (tmp_path / "none" / "file").write_text("")

    assert shell.run(command) == 1
    assert capsys.readouterr().err == f"error: {tmp_path / 'none' / 'file'}: {os.strerror(2)}\n"


def test_bugs_and_usage_errors_stay_what_they_are() -> None:
    with pytest.raises(ZeroDivisionError):
        shell.run(lambda: 1 // 0)
    with pytest.raises(SystemExit) as caught:
        shell.run(lambda: sys.exit(2))
    assert caught.value.code == 2


@pytest.mark.parametrize("module", ["rnn_mnist.__main__", "rnn_mnist.train", "rnn_mnist.explain.__main__"])
def test_ctrl_c_is_met_from_the_start(module: str) -> None:
    """Whatever takes time to import is imported by :func:`shell.run`'s command."""
    program = f"import sys, {module}; print(*sys.modules)"
    shown = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    imported = {name.partition(".")[0] for name in shown.stdout.split()}
    assert "rnn_mnist" in imported
    assert not imported & {"torch", "hydra", "omegaconf", "pandas", "matplotlib", "numpy", "rich"}


@pytest.mark.parametrize(
    ("encoding", "expected"),
    [("ascii", "+/-0.1 - 2 x e -|+"), ("latin-1", "±0.1 - 2 × é -|+"), ("utf-8", "±0.1 – 2 × é ─│┼")],
)
def test_a_character_that_the_output_lacks_is_replaced_by_its_nearest(encoding: str, expected: str) -> None:
    program = r"from rnn_mnist import shell; shell.run(lambda: print('\xb10.1 \u2013 2 \xd7 \xe9 \u2500\u2502\u253c'))"
    environment = os.environ | {"PYTHONIOENCODING": encoding}
    shown = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True, env=environment)
    assert shown.stdout.decode(encoding) == f"{expected}\n"
    assert not shown.stderr


INTERRUPTED = """
import os, signal, sys, time
from rnn_mnist import shell

def interrupt():
    os.kill(os.getpid(), signal.SIGINT)
    time.sleep(1)

def swallowed():
    try:
        interrupt()
    except KeyboardInterrupt:
        pass
    time.sleep(30)

def in_a_callback():
    class Callback:
        def __del__(self):
            interrupt()
    Callback()
    time.sleep(30)

def turned_into_another():
    try:
        interrupt()
    except KeyboardInterrupt as error:
        raise ImportError("initialization failed") from error

def put_in_order():
    try:
        interrupt()
    except KeyboardInterrupt:
        time.sleep(1.2)  # longer than it takes to be interrupted again
        print("in order")
        raise

sys.exit(shell.run(globals()[sys.argv[1]]))
"""


@pytest.mark.parametrize("what", ["swallowed", "in_a_callback", "turned_into_another", "put_in_order"])
def test_ctrl_c_is_one_line_and_130_whatever_meets_it(what: str) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", INTERRUPTED, what], capture_output=True, text=True, check=False, timeout=20
    )
    assert (ended.returncode, ended.stderr) == (130, "interrupted\n")
    assert ended.stdout == ("in order\n" if what == "put_in_order" else "")


def test_leaving_does_what_an_interpreter_does_at_its_end() -> None:
    program = """
import atexit, sys, threading, time
from rnn_mnist import shell

def late():
    time.sleep(0.2)
    print("the thread")

def command():
    atexit.register(lambda: print("exit handler"))
    threading.Thread(target=late).start()
    threading.Thread(target=lambda: time.sleep(60), daemon=True).start()
    print("no newline at its end", end=" ")
    sys.exit(3)

shell.leave(command)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 3, done.stderr
    assert done.stdout.split("\n") == ["no newline at its end the thread", "exit handler", ""]


def test_a_pool_of_processes_does_not_outlive_the_command() -> None:
    program = """
import os
from concurrent.futures import ProcessPoolExecutor
from rnn_mnist import shell

def command():
    global pool
    pool = ProcessPoolExecutor(1)
    print(pool.submit(os.getpid).result(), flush=True)

if __name__ == "__main__":
    shell.leave(command)
"""
    # A process that was left would hold the other end of the pipe that is read here.
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 0, done.stderr
    with pytest.raises(ProcessLookupError):
        os.kill(int(done.stdout), 0)


def test_leaving_with_an_error_shows_it() -> None:
    program = "from rnn_mnist import shell; shell.leave(lambda: 1 / 0)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 1
    assert "ZeroDivisionError" in done.stderr
