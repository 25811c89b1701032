"""Measure the harness against the tutorial's loop, side by side in one run.

python scripts/benchmark.py step       seconds per epoch, ratio, and the floor of the arithmetic alone
python scripts/benchmark.py accuracy   test accuracies over seeds, and Welch's test
"""

import argparse

from benchmarks import accuracy, step


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    step_parser = commands.add_parser("step", help="seconds per epoch of ours, the tutorial's, and the floor")
    step_parser.add_argument("--steps", type=int, default=60, help="training steps of 128 images a round (default 60)")
    step_parser.add_argument("--rounds", type=int, default=5, help="rounds, taken in turn (default 5)")
    step_parser.add_argument("--threads", type=int, default=None, help="CPU threads (default: PyTorch's own choice)")
    accuracy_parser = commands.add_parser("accuracy", help="test accuracies of experiment=article and the tutorial")
    accuracy_parser.add_argument("--seeds", type=int, default=8, help="runs of each (default 8)")
    accuracy_parser.add_argument("--first-seed", type=int, default=0, help="the seeds start here (default 0)")
    accuracy_parser.add_argument("--jobs", type=int, default=2, help="runs at a time (default 2)")
    accuracy_parser.add_argument("--threads", type=int, default=1, help="CPU threads a run (default 1)")
    arguments = parser.parse_args()
    if arguments.command == "step":
        step.compare(arguments.steps, arguments.rounds, arguments.threads)
    else:
        accuracy.compare(
            range(arguments.first_seed, arguments.first_seed + arguments.seeds), arguments.jobs, arguments.threads
        )


if __name__ == "__main__":
    main()
