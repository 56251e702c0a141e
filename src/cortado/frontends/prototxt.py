"""A network file (prototxt) -> NetSpec.

The fields of a layer type are the type's own dataclass, found in the registry of layers.
Source: `caffe.proto` and `upgrade_proto.cpp` of BVLC/caffe.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import count
from pathlib import Path

from cortado.errors import FieldError, ModelFileError
from cortado.frontends.binding import bind
from cortado.frontends.file import read_text
from cortado.frontends.net_fields import LayerFields, NetFields, RuleFields, TypeFields
from cortado.frontends.netstate import NetState, Phase, included
from cortado.frontends.text_token import error_at, shortened
from cortado.frontends.textformat import Field, Message, parse_text
from cortado.frontends.v1_layer import V1LayerFields
from cortado.graph.check import check
from cortado.graph.spec import LayerSpec, NetSpec
from cortado.layers.input import BlobShape, InputParameters
from cortado.layers.layer import layer_types

# Layer types of Caffe that are left out on purpose.
_LEFT_OUT = ("WindowData",)

# Fields that only SolverParameter has, and that every solver has one of.
SOLVER_FIELDS = ("net", "train_net", "base_lr", "lr_policy", "max_iter")


def read_prototxt(path: str | Path, *, phase: str = "TEST", level: int | None = None,
                  stages: tuple[str, ...] = ()) -> NetSpec:
    """The network a file describes for one phase ("TRAIN" or "TEST"), level and set of stages.

    `phase` and `level`, where given, replace those of the file's own `state`; `stages` add to its stages. Of several
    layers with one name the later ones are called NAME_2, NAME_3 and so on. Raises `ModelFileError` for a file that
    cannot be read as a network and `GraphError` for one whose layers do not fit together.
    """
    return parse_prototxt(read_text(path), file=str(path), phase=phase, level=level, stages=stages)


def parse_prototxt(text: str, *, file: str = "<text>", phase: str = "TEST", level: int | None = None,
                   stages: tuple[str, ...] = ()) -> NetSpec:
    """As `read_prototxt`, from text; `file` is the name errors show."""
    return network_of(parse_text(text, file), file=file, phase=phase, level=level, stages=stages)


def network_of(tree: Message, *, file: str, phase: str, level: int | None = None,
               stages: tuple[str, ...] = ()) -> NetSpec:
    """As `read_prototxt`, from the fields of a network."""
    _refuse_solver(tree)
    fields = bind(tree, NetFields, "network")
    state = replace(fields.state, phase=Phase[phase], stage=(*fields.state.stage, *stages),
                    level=fields.state.level if level is None else level)
    if fields.layer and fields.layers:
        raise error_at(tree.named("layers")[0].position,
                       "network: layers must be all 'layer' or all V1 'layers', not both")
    read_layer = _read_layer if fields.layer else _read_v1_layer
    messages = [message for message in fields.layer or fields.layers if _is_included(message, state)]
    layers = _with_own_names(tuple(read_layer(message, state.phase) for message in messages))
    if not layers:
        raise ModelFileError(f"network: at least one layer must be in phase {phase}, there is none", file=file)
    net = NetSpec(name=fields.name, phase=phase, layers=(*_input_layers(tree, fields, layers), *layers))
    check(net)
    return net


def _with_own_names(layers: tuple[LayerSpec, ...]) -> tuple[LayerSpec, ...]:
    """The layers, those called like an earlier one as NAME_2, NAME_3 and so on: Caffe lets several have one name."""
    taken = {layer.name for layer in layers}
    seen: set[str] = set()
    named = []
    for layer in layers:
        if layer.name in seen:
            own = next(name for number in count(2) if (name := f"{layer.name}_{number}") not in taken)
            taken.add(own)
            tops = tuple(_automatic_top(own) if top == _automatic_top(layer.name) else top for top in layer.tops)
            layer = replace(layer, name=own, tops=tops)
        seen.add(layer.name)
        named.append(layer)
    return tuple(named)


def _automatic_top(layer: str) -> str:
    """Caffe gives a loss that is not named a top of its own."""
    return f"(automatic)@{layer}"


def _refuse_solver(tree: Message) -> None:
    """A solver file is easily taken for the network file it names."""
    for name in SOLVER_FIELDS:
        for found in tree.named(name):
            raise error_at(found.position, f"network: '{name}' belongs to a solver file; the network file must be "
                                           "given, the solver names it in 'net' or 'train_net'")


def _is_included(message: Message, state: NetState) -> bool:
    # Bound on their own: a layer that is left out may be of a type that is not known here.
    rules = Message(message.named("include") + message.named("exclude"), message.position)
    who = _who(message)
    fields = bind(rules, RuleFields, who)
    if fields.include and fields.exclude:
        raise error_at(message.named("exclude")[0].position, f"{who}: rules must be all include or all exclude")
    return included(state, fields.include, fields.exclude)


def _who(message: Message) -> str:
    """How errors call a layer before its fields are known to be good."""
    names = message.named("name")
    return f"layer '{shortened(str(getattr(names[0].value, 'value', '')))}'" if names else "layer without a name"


def _read_layer(message: Message, phase: Phase) -> LayerSpec:
    who = _who(message)
    types = Message(message.named("type"), message.position)
    type_name = bind(types, TypeFields, who).type
    _check_type(who, type_name, types.fields[0])
    common, own = _split(message, type_name)
    fields = bind(common, LayerFields, who, also_known=_own_names(type_name))
    if fields.phase not in (None, phase):
        raise error_at(message.named("phase")[0].position,
                       f"{who}: phase must be the network's, {phase.name}; to leave a layer out of the others write "
                       f"include {{ phase: {fields.phase.name} }}")
    return _layer(message, fields, type_name, own, phase)


def _read_v1_layer(message: Message, phase: Phase) -> LayerSpec:
    who = _who(message)
    oldest = message.named("layer")
    if oldest:
        raise error_at(oldest[0].position, f"{who}: V0 layers (layers {{ layer {{ ... }} }}) are not supported; "
                                           "Caffe's upgrade_net_proto_text writes them anew")
    known = bind(Message(message.named("type") + message.named("name"), message.position), V1LayerFields, who)
    type_name = known.type.modern_name
    _check_type(who, type_name, message.named("type")[0])
    common, own = _split(message, type_name)
    fields = bind(common, V1LayerFields, who, also_known=_own_names(type_name))
    return _layer(message, fields, type_name, own, phase)


def _check_type(who: str, type_name: str, type_field: Field) -> None:
    if type_name in _LEFT_OUT:
        raise error_at(type_field.value.position,
                       f"{who}: layer type '{type_name}' is not supported; write the blobs as a layer of type 'Input', "
                       "or give the deploy network")
    if type_name not in layer_types:
        raise error_at(type_field.value.position, f"{who}: {layer_types.unknown(type_name)}")


def _own_names(type_name: str) -> tuple[str, ...]:
    """Fields of a layer that only its own type has."""
    layer_type = layer_types[type_name]
    return (layer_type.parameters_field, *layer_type.layer_fields)


def _split(message: Message, type_name: str) -> tuple[Message, tuple[Field, ...]]:
    """The fields every layer has, and those of the layer's own type."""
    names = _own_names(type_name)
    own = tuple(field for field in message.fields if field.name in names)
    common = tuple(field for field in message.fields if field.name not in names)
    return Message(common, message.position), own


def _layer(message: Message, fields: LayerFields | V1LayerFields, type_name: str,
           own: tuple[Field, ...], phase: Phase) -> LayerSpec:
    who = _who(message)
    for name in ("name", "bottom", "top"):
        for given in message.named(name):
            if not given.value.value or not given.value.value.isprintable():
                raise error_at(given.value.position, f"{who}: field '{name}' must be a name of printable characters")
    if not fields.name:
        raise error_at(message.position, f"{type_name} layer: field 'name' must be given")
    if fields.blobs:
        raise error_at(message.named("blobs")[0].position,
                       f"{who}: trained blobs must be in a caffemodel, not in the network file")
    tops = fields.top or ((_automatic_top(fields.name),) if layer_types[type_name].default_loss_weights else ())
    for name, values, kind, blobs in (("loss_weight", fields.loss_weight, "tops", tops),
                                      ("propagate_down", fields.propagate_down, "bottoms", fields.bottom)):
        if values and len(values) != len(blobs):
            raise error_at(message.named(name)[0].position, f"{who}: {name} must have one value for each of "
                                                            f"{len(blobs)} {kind}, not {len(values)}")
    return LayerSpec(name=fields.name, type=type_name, bottoms=fields.bottom, tops=tops,
                     parameters=_parameters(message, type_name, own, who), ocl_enable=fields.ocl_enable,
                     loss_weights=fields.loss_weight, propagate_down=fields.propagate_down,
                     blob_settings=fields.blob_settings, phase=phase.name, position=message.position)


def _parameters(message: Message, type_name: str, own: tuple[Field, ...], who: str) -> object:
    """The type's own parameters; a type whose message is absent gets its defaults."""
    layer_type = layer_types[type_name]
    messages = [field for field in own if field.name == layer_type.parameters_field]
    if len(messages) > 1:
        raise error_at(messages[1].position, f"{who}: field '{messages[1].name}' must be given once")
    value = messages[0].value if messages else Message((), message.position)
    if not isinstance(value, Message):
        raise error_at(value.position, f"{who}: field '{messages[0].name}' must be a message {{ ... }}")
    beside = tuple(field for field in own if field.name in layer_type.layer_fields)
    return bind(Message((*value.fields, *beside), value.position), layer_type.parameters_type,
                f"{who}: {layer_type.parameters_field}")


def _input_layers(tree: Message, fields: NetFields, layers: tuple[LayerSpec, ...]) -> tuple[LayerSpec, ...]:
    """The Input layer that `input` with `input_shape` or `input_dim` stands for; none if there is no `input`."""
    count = len(fields.input)
    if fields.input_shape and fields.input_dim:
        raise error_at(tree.named("input_dim")[0].position,
                       "network: inputs must have either input_shape or input_dim, not both")
    shapes = fields.input_shape
    if fields.input_dim:
        if len(fields.input_dim) != 4 * count:
            raise error_at(tree.named("input_dim")[-1].position,
                           f"network: input_dim must have four values for each of {count} inputs, "
                           f"not {len(fields.input_dim)}")
        places = tree.named("input_dim")
        shapes = tuple(_input_shape(places[start:start + 4], fields.input_dim[start:start + 4])
                       for start in range(0, 4 * count, 4))
    if len(shapes) != count and not (count and len(shapes) == 1):
        place = (tree.named("input") or tree.named("input_shape"))[0].position
        raise error_at(place, f"network: inputs must have one input_shape each, or four input_dim each: "
                              f"{count} inputs, {len(shapes)} shapes")
    if not count:
        return ()
    name = "input"
    while any(layer.name == name for layer in layers):
        name += "_"
    return (LayerSpec(name=name, type="Input", bottoms=(), tops=fields.input,
                      parameters=InputParameters(shape=shapes), position=tree.named("input")[0].position),)


def _input_shape(places: tuple[Field, ...], dims: tuple[int, ...]) -> BlobShape:
    try:
        return BlobShape(dim=dims)
    except FieldError as error:
        place = places[error.index or 0].position
        raise error_at(place, f"network: input_dim {error.message}") from None
