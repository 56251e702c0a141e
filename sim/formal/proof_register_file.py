"""The registers answer every access once, keep their answers, start no job while one runs, and leave its list."""

from __future__ import annotations

from amaranth.hdl import Signal
from formal.proof import Proof
from formal.steps import Steps

from cortado.gateware.register_file import RegisterFile

CASES = {"only": {}}
STEPS = Steps(bounded=3, induction=2, reach=8)


def part(**case: int) -> RegisterFile:
    """The circuit of one case."""
    return RegisterFile(**case)


def claims(proof: Proof) -> None:
    """Accesses are counted outside as well; a job begins only behind a start."""
    m, registers = proof.m, proof.part
    control = registers.control
    # The states of `AxiEngine`: it is not busy when it comes out of reset, and leaves IDLE for a start only.
    started, busy = Signal(), Signal()
    address, count = Signal(32), Signal(32)
    m.d.sync += [started.eq(registers.start), busy.eq(registers.busy), address.eq(registers.descriptor_address),
                 count.eq(registers.descriptor_count)]
    proof.assume("a_start_begins_a_job", ~registers.busy | busy | started)
    written, read = Signal(2), Signal(2)
    addressed, given = control.awvalid & control.awready, control.wvalid & control.wready
    m.d.sync += [
        written.eq(written + addressed - (control.bvalid & control.bready)),
        read.eq(read + (control.arvalid & control.arready) - (control.rvalid & control.rready)),
    ]
    proof.claim("addresses_and_data_go_together", addressed == given)
    proof.claim("one_answer_a_write", written == control.bvalid)
    # The address of a read waits a cycle ahead of its answer.
    proof.claim("one_answer_a_read", read == control.rvalid + proof.inside("reads"))
    proof.claim("one_read_at_a_time", read <= 1)
    proof.claim("no_start_while_busy", ~registers.start | ~registers.busy)
    proof.claim("the_list_of_a_job_stays",
                ~busy | ((registers.descriptor_address == address) & (registers.descriptor_count == count)))
    proof.claim("a_start_is_no_reset", ~registers.start | ~registers.reset)
    written_before = Signal()
    m.d.sync += written_before.eq(addressed)
    proof.claim("starts_are_written", ~(registers.start | registers.reset) | written_before)
    proof.reach("start", registers.start)
    proof.reach("reset", registers.reset)
    proof.reach("interrupt", registers.interrupt)
    proof.reach("refused", control.bvalid & (control.bresp != 0))
