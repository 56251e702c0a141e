"""The `cortado` command, one file a command. It only translates: options in, a report out, errors as one message."""

from importlib import import_module

from cortado.cli.entry import main
from cortado.cli.group import cli

__all__ = ["cli", "main"]

# In the order of a user's work, which is the order of the help.
for _command in ("run", "inspect", "verify", "generate", "export", "bench_new", "train", "test", "time", "workload",
                 "bench", "bench_device", "bench_overlap", "bench_workloads", "synth", "device", "selftest", "doctor",
                 "data"):
    import_module(f"cortado.cli.{_command}")
