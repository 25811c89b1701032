"""The batch script of an array of jobs, as the submitit library writes it from parameters."""

import shlex
from pathlib import Path

from hydra_plugins.workstation_launcher._new_interpreter import command
from hydra_plugins.workstation_launcher._orders import Batch
from hydra_plugins.workstation_launcher._slurm_node import WARNING
from hydra_plugins.workstation_launcher._slurm_options import SlurmOptions


def batch_script(batch: Batch, jobs: int, options: SlurmOptions, name: str) -> str:
    """The text that ``sbatch`` is given.

    Args:
        batch: the orders, in an absolute folder.
        jobs: how many there are.
        options: of the launcher.
        name: what people see in the queue.
    """
    # Its executors would put pickles of their own on disk and ask accounting; what is needed of it is this text.
    from submitit.slurm.slurm import _make_sbatch_string

    node = [*command("main", "_slurm_node"), str(batch.folder), batch.digest, str(options.requeues)]
    text: str = _make_sbatch_string(
        # In the place of the shell, which is what Slurm's warning goes to.
        command=f"exec {shlex.join(node)}",
        folder=batch.folder,
        job_name=name,
        partition=options.partition,
        account=options.account,
        qos=options.qos,
        time=options.time_minutes,
        cpus_per_task=options.cpus,
        mem=options.memory,
        constraint=options.constraint,
        setup=list(options.setup) or None,
        comment=batch.name,
        wckey=None,  # type: ignore[arg-type, unused-ignore]
        array_parallelism=options.array_parallelism,
        map_count=jobs,
        use_srun=False,
        stderr_to_stdout=True,
        additional_parameters={
            **({} if options.gpus is None else {"gres": f"gpu:{options.gpus}"}),
            **options.additional_parameters,
            "hold": True,
            "requeue" if options.requeues else "no-requeue": True,
            "signal": f"B:{WARNING.name.removeprefix('SIG')}@{options.warn_seconds}",
            "output": str(batch.folder / "%A_%a.log"),
            "chdir": str(Path.cwd()),
        },
    )
    return text
