"""The fetcher against lists of descriptors in a dictionary."""

from __future__ import annotations

from collections import deque

import cocotb
from benches.burst import cut
from benches.case import CASES
from benches.payload import unpack
from benches.streams import PROFILES, Bench
from cocotb.handle import SimHandleBase

from cortado.gateware.descriptor import DESCRIPTOR_BYTES, DESCRIPTOR_WORDS, FIELD_NAMES, Flag
from cortado.gateware.descriptor_fetcher import DECODE_CYCLES, DescriptorFetcher
from cortado.gateware.stream_reader import REQUEST_LAYOUT

FLAGS = FIELD_NAMES.index("flags")
LATENCY_CYCLES = 20
LIMIT_CYCLES = 30_000


def part(**case: int) -> DescriptorFetcher:
    """The circuit of one case."""
    return DescriptorFetcher(**case)


class FetcherBench:
    """A fetcher with its memory."""

    def __init__(self, dut: SimHandleBase, case: str, profile: str) -> None:
        self.beat_bytes = CASES[case]["beat_bits"] // 8
        self.bench = Bench(dut, case, part(**CASES[case]), profile)
        self.answers, self.words = self.bench.source("i"), self.bench.checked("o")
        self.content: dict[int, int] = {}
        self.bursts: deque[dict[str, int]] = deque()
        self._waiting: deque[tuple[int, int]] = deque()
        self.bad_list_at: int | None = None
        self.bench.sink("request", self._ask)
        self.bench.on_drive.append(self._answer)
        self.bench.on_look.append(self._look)
        self.bench.port("start").value = 0

    def _ask(self, bits: int) -> None:
        burst = unpack(REQUEST_LAYOUT, bits)
        assert self.bursts, f"a burst too many: {burst}"
        assert burst == self.bursts.popleft()
        for beat in range(burst["beats"]):
            address = burst["address"] + beat * self.beat_bytes
            words = [self.content.get(address + byte, 0) for byte in range(0, self.beat_bytes, 4)]
            self._waiting.append((self.bench.cycle + LATENCY_CYCLES,
                                  sum(word << 32 * index for index, word in enumerate(words))))

    def _answer(self) -> None:
        while self._waiting and self._waiting[0][0] <= self.bench.cycle:
            self.answers.send(self._waiting.popleft()[1])

    def _look(self) -> None:
        if int(self.bench.port("bad_list").value) and self.bad_list_at is None:
            self.bad_list_at = self.bench.cycle

    def store(self, address: int, last: list[bool]) -> list[list[int]]:
        """Puts descriptors of random words there, flagged as the last or not; their words."""
        rng = self.bench.rng
        descriptors = []
        for index, is_last in enumerate(last):
            words = [rng.getrandbits(32) for _ in range(DESCRIPTOR_WORDS)]
            words[FLAGS] = words[FLAGS] & ~Flag.LAST | (Flag.LAST if is_last else 0)
            descriptors.append(words)
            for word, value in enumerate(words):
                self.content[address + DESCRIPTOR_BYTES * index + 4 * word] = value
        return descriptors

    async def start(self, address: int, count: int) -> None:
        """One cycle of start; the list is there in the cycle before."""
        for name, value in (("address", address), ("count", count)):
            self.bench.port(name).value = value
        await self.bench.step()
        self.bench.port("start").value = 1
        await self.bench.step()
        self.bench.port("start").value = 0


@cocotb.test()
@cocotb.parametrize(case=list(CASES), profile=list(PROFILES))
async def descriptors_come_word_by_word(dut: SimHandleBase, case: str, profile: str) -> None:
    fetcher = FetcherBench(dut, case, profile)
    bench, rng = fetcher.bench, fetcher.bench.rng
    await bench.reset()
    for count in (1, 2, 9, 40):
        assert int(bench.port("sent").value) == 1
        address = rng.randrange(2**20) * fetcher.beat_bytes
        descriptors = fetcher.store(address, [index == count - 1 for index in range(count)])
        fetcher.words.expect(*(word for words in descriptors for word in words))
        fetcher.bursts.extend(cut(address, count * DESCRIPTOR_BYTES // fetcher.beat_bytes, fetcher.beat_bytes))
        await fetcher.start(address, count)
        cycles = await bench.run(LIMIT_CYCLES)
        assert not fetcher.bursts
        if profile == "free":
            assert cycles <= count * DESCRIPTOR_WORDS + LATENCY_CYCLES + 8, f"{cycles} cycles for {count} descriptors"
    assert fetcher.bad_list_at is None


@cocotb.test()
@cocotb.parametrize(case=list(CASES), last=[(False,), (False, False), (True, True), (True, False, True)])
async def a_misplaced_last_one_is_found(dut: SimHandleBase, case: str, last: tuple[bool, ...]) -> None:
    """The words of its descriptor still come, and its decoder has time to find a fault of its own."""
    fetcher = FetcherBench(dut, case, "free")
    bench = fetcher.bench
    await bench.reset()
    descriptors = fetcher.store(0, list(last))
    wrong = next(index for index, is_last in enumerate(last) if is_last != (index == len(last) - 1))
    fetcher.words.expect(*(word for words in descriptors[:wrong + 1] for word in words))
    fetcher.bursts.extend(cut(0, len(last) * DESCRIPTOR_BYTES // fetcher.beat_bytes, fetcher.beat_bytes))
    await fetcher.start(0, len(last))
    for _ in range(LIMIT_CYCLES):
        if fetcher.words.drained:
            break
        await bench.step()
    end = bench.cycle - 1
    for _ in range(2 * DECODE_CYCLES):
        await bench.step()
    assert fetcher.bad_list_at is not None
    assert fetcher.bad_list_at - end == DECODE_CYCLES
    assert int(bench.port("sent").value) == 0


@cocotb.test()
@cocotb.parametrize(case=list(CASES), list_of=[(4, 1), (0, 0), (0, 2**25), (0, 2**32 - 1)])
async def no_list_at_all(dut: SimHandleBase, case: str, list_of: tuple[int, int]) -> None:
    fetcher = FetcherBench(dut, case, "free")
    await fetcher.bench.reset()
    begin = fetcher.bench.cycle
    await fetcher.start(*list_of)
    assert fetcher.bad_list_at == begin + 1, "it is known at once"
    for _ in range(50):
        await fetcher.bench.step()
