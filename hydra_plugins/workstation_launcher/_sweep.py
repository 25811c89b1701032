"""The jobs of a sweep: their configurations, directories and identities, and which of them are done already."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf, flag_override

from hydra_plugins.workstation_launcher._composition import SweepConfigLoader
from hydra_plugins.workstation_launcher._identity import job_identities
from hydra_plugins.workstation_launcher._options import Options
from hydra_plugins.workstation_launcher._records import State, Status, SweepRecord, read_status


@dataclass
class Job:
    """One job of a sweep."""

    number: int
    """Its place in the sweep, from 0; Hydra's ``hydra.job.num`` unless that directory was another job's."""
    overrides: list[str]
    config: DictConfig
    fingerprint: str
    former: tuple[str, ...]
    """Fingerprints that it had earlier: a directory of one of them is its own."""
    place: str
    """Its directory, as seen from the sweep's."""
    directory: Path
    status: Status | None = None
    """How it ended, now or earlier; None while it has not."""
    earlier: Status | None = None
    """The record that an earlier command left."""
    twin: "Job | None" = None
    """An earlier job of this sweep with the same identity, which runs for both."""
    skipped: bool = field(default=False)
    """Whether it counts as done because of an earlier command."""
    is_damaged: bool = False
    """Whether it was completed, and the application finds its results gone or damaged."""
    source: Path | None = None
    """The directory of the same job, completed beside this sweep, that it takes over instead of running."""
    taken_from: Path | None = None
    """The folder beside this sweep's in which that lies."""
    same_because: str = ""
    """What makes it the same as its twin."""

    @property
    def identities(self) -> tuple[str, ...]:
        """Its fingerprint, and those that it had earlier."""
        return (self.fingerprint, *self.former)

    @property
    def is_to_run(self) -> bool:
        """Whether it is to be run: it is not done, is not taken from elsewhere and is no other job again."""
        return self.twin is None and not self.skipped and self.taken_from is None

    @property
    def outcome(self) -> Status | None:
        """Its own status, or its twin's."""
        return self.status if self.twin is None else self.twin.status

    label: str = "(defaults)"
    """The overrides in which it differs from others of its sweep; all, if it is the only one."""


def plan_jobs(
    *,
    batch: Sequence[Sequence[str]],
    first_number: int,
    loader: SweepConfigLoader,
    master: DictConfig,
    options: Options,
    record: SweepRecord,
    is_whole: Callable[[Path, tuple[str, ...]], bool] = lambda *_: True,
) -> list[Job]:
    """Compose all jobs of a batch, give each its directory, and recognise those that need not run.

    Nothing is written. Whatever is wrong with a configuration is raised here, before any job starts. ``is_whole`` says
    whether the results of a completed job are in its directory.
    """
    jobs: list[Job] = []
    places = _Places(record)
    by_fingerprint: dict[str, Job] = {}
    for number, overrides in enumerate(batch, first_number):
        config = loader.take(master, list(overrides))
        set_hydra(config, "job.num", number)
        set_hydra(config, "job.id", str(number))
        # For ${hydra:...}. Hydra's own set_config copies the node, which is most of what planning a job would cost.
        HydraConfig.instance().cfg = config  # type: ignore[assignment]
        identities = job_identities(config, options.identity, options.not_identity)
        identity, *former = identities
        twin = by_fingerprint.get(identity)
        place = twin.place if twin is not None else places.settle(config, identities)
        job = Job(number, list(overrides), config, identity, tuple(former), place, record.directory / place, twin=twin)
        if twin is None:
            by_fingerprint[identity] = job
            _recognise(job, options, is_whole)
        set_hydra(config, "sweep.subdir", place.replace("${", "\\${"))
        jobs.append(job)
    loader.forget()
    common = common_overrides(jobs)
    for job in jobs:
        differing = [override for override in job.overrides if override not in common or len(jobs) == 1]
        job.label = " ".join(differing) or "(defaults)"
    return jobs


def common_overrides(jobs: Sequence[Job]) -> list[str]:
    """The overrides that all jobs share."""
    return (
        [override for override in jobs[0].overrides if all(override in job.overrides for job in jobs)] if jobs else []
    )


def _recognise(job: Job, options: Options, is_whole: Callable[[Path, tuple[str, ...]], bool]) -> None:
    earlier = read_status(job.directory)
    if earlier is None or earlier.fingerprint not in job.identities:
        return
    job.earlier = earlier
    finished = earlier.state == State.completed or (earlier.state == State.failed and not options.retry_failed)
    if not finished or not options.resume:
        return
    if earlier.state == State.completed and not is_whole(job.directory, job.identities):
        job.is_damaged = True
    else:
        job.status, job.skipped = earlier, True


class _Places:
    """The directories of a sweep: none is ever given to two jobs."""

    def __init__(self, record: SweepRecord) -> None:
        self._sweep = record.directory
        self._known = {fingerprint: entry["directory"] for fingerprint, entry in record.jobs.items()}
        self._taken = {place: fingerprint for fingerprint, place in self._known.items()}
        self._highest = -1

    def settle(self, config: DictConfig, fingerprints: tuple[str, ...]) -> str:
        """The place of a job: where it lies already, else where the app wants it, else a free one like that."""
        place = next((self._known[each] for each in fingerprints if each in self._known), None)
        if place is None:
            place = self._free_place(config, fingerprints)
            self._known[fingerprints[0]] = place
            self._taken[place] = fingerprints[0]
        return place

    def _free_place(self, config: DictConfig, fingerprints: tuple[str, ...]) -> str:
        wanted = str(OmegaConf.select(config, "hydra.sweep.subdir"))
        if self._is_free(wanted, fingerprints, config):
            return wanted
        # Hydra's numbers: go on after the highest that is in use.
        number = max(config.hydra.job.num, self._highest)
        while True:
            number += 1
            set_hydra(config, "job.num", number)
            set_hydra(config, "job.id", str(number))
            numbered = str(OmegaConf.select(config, "hydra.sweep.subdir"))
            if numbered == wanted:
                return f"{wanted}__{fingerprints[0][:40]}"  # the name does not depend on the number
            if self._is_free(numbered, fingerprints, config):
                self._highest = number
                return numbered

    def _is_free(self, place: str, fingerprints: tuple[str, ...], config: DictConfig) -> bool:
        if place in self._taken:
            return False
        directory = self._sweep / place
        status = read_status(directory)
        if status is not None:
            return status.fingerprint in fingerprints
        # A job that another launcher made is known by its overrides.
        try:
            theirs = OmegaConf.load(directory / str(config.hydra.output_subdir) / "overrides.yaml")
        except OSError:
            return True
        return bool(theirs == config.hydra.overrides.task)


def set_hydra(config: DictConfig, key: str, value: object) -> None:
    """Set a value under ``hydra``, which is read-only once Hydra knows of the configuration."""
    with flag_override(config.hydra, ["readonly", "struct"], values=False):
        OmegaConf.update(config.hydra, key, value)


def factors(jobs: Sequence[Job]) -> dict[str, list[str]]:
    """The keys whose overrides differ between jobs, each with its values in order of appearance."""
    values: dict[str, dict[str, None]] = {}
    for job in jobs:
        for override in job.overrides:
            key, _, value = override.partition("=")
            values.setdefault(key, {})[value] = None
    return {key: list(found) for key, found in values.items() if len(found) > 1}
