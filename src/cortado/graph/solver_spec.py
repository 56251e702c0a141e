"""How a network is trained, as frozen values: what Caffe calls SolverParameter, without the networks."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from cortado.errors import FieldError


class SnapshotFormat(Enum):
    """How Caffe writes snapshots."""

    HDF5 = 0
    BINARYPROTO = 1


class SolverMode(Enum):
    """Who computes in Caffe; here torch decides, on the CPU."""

    CPU = 0
    GPU = 1


class Precision(Enum):
    """The numbers a network is trained with; Caffe is compiled for one of them."""

    SINGLE = 0
    DOUBLE = 1


class SolverType(Enum):
    """The update rule in files from before `type` was a name."""

    SGD = 0
    NESTEROV = 1
    ADAGRAD = 2
    RMSPROP = 3
    ADADELTA = 4
    ADAM = 5


# The names they became (`upgrade_proto.cpp`, UpgradeSolverType).
_TYPE_NAMES = {SolverType.SGD: "SGD", SolverType.NESTEROV: "Nesterov", SolverType.ADAGRAD: "AdaGrad",
               SolverType.RMSPROP: "RMSProp", SolverType.ADADELTA: "AdaDelta", SolverType.ADAM: "Adam"}

REGULARIZATIONS = ("L2", "L1")

# The fields without which a policy has no meaning.
_POLICY_NEEDS = {"fixed": (), "step": ("stepsize",), "exp": (), "inv": (), "multistep": (), "poly": ("max_iter",),
                 "sigmoid": ("stepsize",)}


@dataclass(frozen=True, kw_only=True)
class SolverSpec:
    """Caffe's SolverParameter with its defaults; field names and meanings are those of `caffe.proto`.

    `solver_mode`, `device_id` and `layer_wise_reduce` choose between implementations of Caffe and change nothing here.
    `precision` and `tolerance` are not Caffe's: a rule that can tell ends the training once no value of the gradient
    is beyond `tolerance`.
    Raises `FieldError`.
    """

    type: str = "SGD"
    solver_type: SolverType | None = None
    base_lr: float = 0.0
    lr_policy: str = "fixed"
    gamma: float = 0.0
    power: float = 0.0
    stepsize: int = 0
    stepvalue: tuple[int, ...] = ()
    max_iter: int = 0
    iter_size: int = 1
    momentum: float = 0.0
    momentum2: float = 0.999
    rms_decay: float = 0.99
    delta: float = 1e-8
    weight_decay: float = 0.0
    regularization_type: str = "L2"
    clip_gradients: float = -1.0
    test_iter: tuple[int, ...] = ()
    test_interval: int = 0
    test_compute_loss: bool = False
    test_initialization: bool = True
    display: int = 0
    average_loss: int = 1
    snapshot: int = 0
    snapshot_prefix: str = ""
    snapshot_diff: bool = False
    snapshot_format: SnapshotFormat = SnapshotFormat.BINARYPROTO
    snapshot_after_train: bool = True
    random_seed: int = -1
    weights: tuple[str, ...] = ()
    solver_mode: SolverMode = SolverMode.GPU
    device_id: int = 0
    layer_wise_reduce: bool = True
    debug_info: bool = False
    precision: Precision = Precision.SINGLE
    tolerance: float = 0.0

    def __post_init__(self) -> None:
        if self.solver_type is not None and self.type not in ("SGD", _TYPE_NAMES[self.solver_type]):
            raise FieldError("solver_type", f"is the older spelling of type and must agree with '{self.type}', not be "
                                            f"{self.solver_type.name}")
        if self.lr_policy not in _POLICY_NEEDS:
            raise FieldError("lr_policy", f"must be one of {', '.join(_POLICY_NEEDS)}, not '{self.lr_policy}'")
        for name in _POLICY_NEEDS[self.lr_policy]:
            if getattr(self, name) < 1:
                raise FieldError(name, f"must be at least 1 for lr_policy {self.lr_policy}, not {getattr(self, name)}")
        for name in ("base_lr", "gamma", "weight_decay", "max_iter", "test_interval", "display", "snapshot",
                     "tolerance"):
            if getattr(self, name) < 0:
                raise FieldError(name, f"must be at least 0, not {getattr(self, name)}")
        for name in ("iter_size", "average_loss"):
            if getattr(self, name) < 1:
                raise FieldError(name, f"must be at least 1, not {getattr(self, name)}")
        for index, (step, later) in enumerate(zip(self.stepvalue, self.stepvalue[1:], strict=False), 1):
            if later <= step:
                raise FieldError("stepvalue", f"must grow from one to the next, {later} is not above {step}",
                                 index=index)
        if self.regularization_type not in REGULARIZATIONS:
            raise FieldError("regularization_type", f"must be one of {', '.join(REGULARIZATIONS)}, not "
                                                    f"'{self.regularization_type}'")
        self._check_rule()
        self._check_tests_and_snapshots()

    def _check_rule(self) -> None:
        for name in ("momentum", "momentum2", "rms_decay"):
            if not 0 <= getattr(self, name) < 1:
                raise FieldError(name, f"must be at least 0 and below 1, not {getattr(self, name)}")
        if self.rule == "LBFGS":
            # Its line search compares losses, which must be all there is to minimise.
            for name, wanted in (("momentum", 0), ("weight_decay", 0), ("clip_gradients", -1), ("iter_size", 1)):
                if getattr(self, name) != wanted:
                    raise FieldError(name, f"must be {wanted} for LBFGS, not {getattr(self, name):g}")
        # As the constructors of Caffe's solvers have it.
        if self.rule in ("AdaGrad", "RMSProp") and self.momentum:
            raise FieldError("momentum", f"must be 0 for {self.rule}, which has none, not {self.momentum}")

    def _check_tests_and_snapshots(self) -> None:
        for index, count in enumerate(self.test_iter):
            if count < 1:
                raise FieldError("test_iter", f"must be at least 1, not {count}", index=index)
        if self.test_iter and not self.test_interval:
            raise FieldError("test_interval", "must be above 0 where test_iter is given, not 0")
        if self.snapshot_diff:
            raise FieldError("snapshot_diff", "must be false; gradients are not written into snapshots")
        if self.debug_info:
            raise FieldError("debug_info", "must be false; per-layer logs of values are not written")

    @property
    def rule(self) -> str:
        """Name of the update rule."""
        return self.type if self.solver_type is None else _TYPE_NAMES[self.solver_type]
