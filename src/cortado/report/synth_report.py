"""`cortado synth`: what an engine takes of an FPGA."""

from __future__ import annotations

from dataclasses import asdict

from cortado.report.figures import count
from cortado.report.report import Column, Report, Table
from cortado.synthesis.nextpnr import DEVICE, NOT_MODELLED, Timing
from cortado.synthesis.synthesis import Synthesis
from cortado.synthesis.tool_log import summary


def synth_report(synthesis: Synthesis) -> Report:
    """Cells, memories, the longest path, Fmax, warnings and what the tools took."""
    design, family, usage = synthesis.design, synthesis.family, synthesis.usage
    cells = (("DSP", usage.dsp), ("LUT", usage.luts), ("LUT as memory", usage.lut_ram), ("register", usage.registers),
             ("block RAM, 18 Kbit", usage.block_ram))
    dsp = tuple((owner, count(number), _purpose(synthesis, owner)) for owner, number in usage.dsp_by_owner.items())
    memories = tuple((name, count(number), f"{words} x {bits}", kind)
                     for (name, words, bits, kind), number in summary(synthesis.memories).items())
    return Report(
        command="synth",
        title=f"{design.engine}, {design.multipliers} multipliers, configuration {design.configuration_hash}, on "
              f"{family.title} ({family.name})",
        data={
            "engine": design.engine, "configuration": asdict(design.configuration),
            "configuration_hash": design.configuration_hash, "family": family.name, "multipliers": design.multipliers,
            "usage": {
                "dsp": usage.dsp, "lut": usage.luts, "lut_ram": usage.lut_ram, "register": usage.registers,
                "block_ram_18k": usage.block_ram, "dsp_by_unit": dict(usage.dsp_by_owner),
                "block_ram_18k_by_unit": dict(usage.block_ram_by_owner), "cells": dict(usage.cells)},
            "dsp_per_product": synthesis.dsp_per_product,
            "memories": [asdict(memory) for memory in synthesis.memories],
            "longest_path": asdict(synthesis.longest_path),
            "timing": _timing_data(synthesis),
            "allowed_warnings": [{"warning": text, "reason": reason} for text, reason in synthesis.warnings.allowed],
            "faults": list(synthesis.faults),
            "runs": [{"tool": run.tool, "version": run.version, **asdict(run.metering)} for run in synthesis.runs],
            "folders": [str(folder) for folder in synthesis.folders],
        },
        tables=(
            Table(columns=(Column(title="cells"), Column(title="number", number=True)),
                  rows=tuple((name, count(number)) for name, number in cells)),
            Table(columns=(Column(title="DSP of"), Column(title="number", number=True), Column(title="for")), rows=dsp),
            Table(columns=(Column(title="memory"), Column(title="number", number=True),
                           Column(title="words x bits", number=True), Column(title="is")), rows=memories),
            Table(columns=(Column(title="tool"), Column(title="version"), Column(title="wall s", number=True),
                           Column(title="CPU s", number=True), Column(title="MiB", number=True)),
                  rows=tuple((run.tool, run.version, f"{run.metering.wall_seconds:.0f}",
                              f"{run.metering.cpu_seconds:.0f}", count(run.metering.memory_mib))
                             for run in synthesis.runs))),
        lines=("", *_path_lines(synthesis), *_warning_lines(synthesis), *_fault_lines(synthesis)))


def _purpose(synthesis: Synthesis, owner: str) -> str:
    design = synthesis.design
    if owner != design.multiplier_unit:
        return "other arithmetic of the unit"
    wide, narrow = sorted(design.factor_bits, reverse=True)
    if synthesis.one_dsp_is_enough:
        return f"{count(design.multipliers)} products of {wide} x {narrow} bits, {synthesis.dsp_per_product:g} each"
    return (f"{count(design.multipliers)} products of {wide} x {narrow} bits, more than a DSP of "
            f"{' x '.join(map(str, synthesis.family.dsp_bits))} multiplies: {synthesis.dsp_per_product:g} each")


def _timing_data(synthesis: Synthesis) -> dict[str, object] | None:
    timing = synthesis.timing
    if timing is None:
        return None
    return {"device": DEVICE, "fmax_mhz": timing.fmax_mhz, "target_mhz": synthesis.target_mhz, "seed": synthesis.seed,
            "path_ns": timing.path_ns, "routing_ns": timing.routing_ns, "start": timing.start, "end": timing.end,
            "path": [asdict(step) for step in timing.path], "not_modelled": list(NOT_MODELLED)}


def _path_lines(synthesis: Synthesis) -> tuple[str, ...]:
    longest = synthesis.longest_path
    words = f"longest path   {longest.levels} levels of logic, {longest.start} -> {longest.end}"
    if synthesis.timing is None:
        return (words,)
    return (words, *_timing_lines(synthesis.timing))


def _timing_lines(timing: Timing) -> tuple[str, ...]:
    return (f"Fmax           {timing.fmax_mhz:.1f} MHz on {DEVICE}, out of context",
            (f"limited by     {timing.path_ns:.1f} ns, {timing.routing_ns:.1f} of it wires, {timing.start} -> "
            f"{timing.end}"),
            *(f"not modelled   {words}" for words in NOT_MODELLED))


def _warning_lines(synthesis: Synthesis) -> tuple[str, ...]:
    return tuple(f"warning        {text}\n               stands: {reason}"
                 for text, reason in synthesis.warnings.allowed)


def _fault_lines(synthesis: Synthesis) -> tuple[str, ...]:
    if not synthesis.faults:
        return ("no latch, no combinational loop, every memory where it belongs",)
    return tuple(f"FAULT          {fault}" for fault in synthesis.faults)
