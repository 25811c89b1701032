"""Measure the harness against the tutorial's loop and its launcher against Hydra's, side by side in one run.

python scripts/benchmark.py step       seconds per epoch, ratio, and the floor of the arithmetic alone
python scripts/benchmark.py accuracy   test accuracies over seeds, and Welch's test
python scripts/benchmark.py sweep      runs an hour under each launcher, and by the tutorial's loop
python scripts/benchmark.py overhead   what a job that does nothing costs under each launcher
python scripts/benchmark.py results    how long the runs of a large sweep take to read
"""

import argparse

from benchmarks import accuracy, overhead, results, step, sweep


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
    sweep_parser = commands.add_parser("sweep", help="runs an hour: basic, joblib and workstation launcher, tutorial")
    sweep_parser.add_argument("--jobs", type=int, default=8, help="runs (default 8)")
    sweep_parser.add_argument("--images", type=int, default=60_000, help="training images of a run (default 60000)")
    sweep_parser.add_argument("--network", action="append", choices=sweep.NETWORKS, help="only this one (repeatable)")
    sweep_parser.add_argument("--alternatives", action="store_true", help="other numbers of jobs at a time as well")
    overhead_parser = commands.add_parser("overhead", help="milliseconds of a job that does nothing, by launcher")
    overhead_parser.add_argument("--jobs", type=int, default=40, help="jobs of the longer sweep (default 40)")
    overhead_parser.add_argument("--rounds", type=int, default=3, help="rounds, taken in turn (default 3)")
    results_parser = commands.add_parser("results", help="seconds to read the runs of a large sweep")
    results_parser.add_argument("--runs", type=int, default=10_000, help="runs (default 10000)")
    arguments = parser.parse_args()
    if arguments.command == "step":
        step.compare(arguments.steps, arguments.rounds, arguments.threads)
    elif arguments.command == "sweep":
        sweep.compare(
            arguments.jobs,
            arguments.images,
            networks=arguments.network or list(sweep.NETWORKS),
            alternatives=arguments.alternatives,
        )
    elif arguments.command == "overhead":
        overhead.compare(arguments.jobs, arguments.rounds)
    elif arguments.command == "results":
        results.measure(arguments.runs)
    else:
        accuracy.compare(
            range(arguments.first_seed, arguments.first_seed + arguments.seeds), arguments.jobs, arguments.threads
        )


if __name__ == "__main__":
    main()
