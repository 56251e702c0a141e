"""Wrong jobs end with their code, and the next job is right."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from cortado.conformance.bench import ConformanceBench
from cortado.conformance.check import conformance_check
from cortado.conformance.registers import transport_of
from cortado.conformance.wrapped_job import CorruptedJob
from cortado.device.driver import Driver
from cortado.engines.job import Job
from cortado.errors import CycleLimitError, EngineError, MismatchError
from cortado.gateware.descriptor import DESCRIPTOR_BYTES, FIELD_NAMES, ErrorCode, Flag
from cortado.gateware.register import Register
from cortado.graph.shape import TensorShape

MAPS = (1, 5, 14, 14)
RESET_CYCLES = (1, 30, 100, 200, 300)


def _put(name: str, value: int) -> Callable[[np.ndarray], None]:
    """A field changed, the checksum fitting it."""
    def change(words: np.ndarray) -> None:
        words[FIELD_NAMES.index(name)] = value
        words[-1] = 0
        words[-1] = -int(words.sum(dtype=np.uint64)) % 2**32

    return change


def _break_checksum(words: np.ndarray) -> None:
    words[-1] ^= 1


# None of them makes the engine touch memory that is not its own: a board would not forgive that.
_WRONG = (
    ("another magic", _put("magic", 0x12345678), ErrorCode.BAD_MAGIC),
    ("another configuration", _put("configuration", 0xDEADBEEF), ErrorCode.WRONG_CONFIGURATION),
    ("a wrong checksum", _break_checksum, ErrorCode.BAD_CHECKSUM),
    ("no tiles", _put("tile_rows", 0), ErrorCode.OUT_OF_RANGE),
    ("too many tiles", _put("tile_rows", 2**16), ErrorCode.OUT_OF_RANGE),
)


def _job(bench: ConformanceBench) -> Job:
    return bench.engine.job("errors", bench.convolution(5, 7), TensorShape(MAPS))


@conformance_check("error-codes", "wrong descriptors end with their code")
def check_error_codes(bench: ConformanceBench) -> str:
    """Each wrong descriptor, and a right job behind it."""
    transport_of(bench)
    job = _job(bench)
    source = job.source.pack(bench.maps(MAPS))
    for words, change, code in _WRONG:
        _require_code(bench, CorruptedJob(job=job, change=change), source, job, words, code)
        bench.check(job, source, job.weights)
    without_end = _put("flags", int(job.descriptors(input_address=0, weights_address=0, output_address=0)[-1].flags)
                       & ~Flag.LAST)
    _require_code(bench, CorruptedJob(job=job, change=without_end), source, job, "a list without an end",
                  ErrorCode.BAD_LIST)
    bench.check(job, source, job.weights)
    return f"{len(_WRONG) + 1} wrong lists, each followed by a right job"


@conformance_check("reset", "a job that is ended by the reset register, and the next one")
def check_reset(bench: ConformanceBench) -> str:
    """At several times in a job; the reset must end it with its code, unless the job was faster."""
    transport = transport_of(bench)
    job, ended = _job(bench), 0
    source = job.source.pack(bench.maps(MAPS))
    driver = Driver(transport)
    with bench.buffers(job.source_bytes, job.weights_bytes, job.target_bytes, DESCRIPTOR_BYTES * job.descriptor_count
                       ) as (first, second, target, list_):
        bench.device.write(first, source)
        bench.device.write(second, job.weights)
        descriptors = job.descriptors(input_address=first.address, weights_address=second.address,
                                      output_address=target.address)
        bench.device.write(list_, np.concatenate([each.encode(job.configuration_hash) for each in descriptors]))
        for limit in RESET_CYCLES:
            try:
                driver.run(list_.address, job.descriptor_count, max_cycles=limit, timeout_s=transport.timeout_s)
            except CycleLimitError:
                code = transport.register_read(Register.ERROR)
                if code not in (ErrorCode.ABORTED, ErrorCode.NONE):
                    raise MismatchError(f"reset: the job must end with error code {ErrorCode.ABORTED.value}, not {code}"
                                        ) from None
                ended += code == ErrorCode.ABORTED
            bench.check(job, source, job.weights)
    return f"{ended} of {len(RESET_CYCLES)} jobs ended by the reset, each followed by a right job"


def _require_code(bench: ConformanceBench, wrong: CorruptedJob, source: np.ndarray, job: Job, words: str,
                  code: ErrorCode) -> None:
    try:
        bench.check(wrong, source, job.weights)
    except EngineError as error:
        if error.code != code:
            raise MismatchError(f"{words}: the job must end with error code {code.value}, not {error.code}") from None
    else:
        raise MismatchError(f"{words}: the job must end with error code {code.value}, not well")


