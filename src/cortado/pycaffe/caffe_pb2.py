"""Messages of `caffe.proto` that Python programs handle themselves: BlobProto, BlobProtoVector, BlobShape and Datum.

Source of names and numbers: `caffe.proto` of BVLC/caffe. The classes are made by protobuf.
"""

from __future__ import annotations

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

_Field = descriptor_pb2.FieldDescriptorProto

_INT32, _INT64, _FLOAT, _DOUBLE, _BYTES, _BOOL = (_Field.TYPE_INT32, _Field.TYPE_INT64, _Field.TYPE_FLOAT,
                                                  _Field.TYPE_DOUBLE, _Field.TYPE_BYTES, _Field.TYPE_BOOL)

# (name, number, type or message, whether it is repeated and packed: None where it is no list).
_MESSAGES = {
    "BlobShape": [("dim", 1, _INT64, True)],
    "BlobProto": [("shape", 7, "BlobShape", None), ("data", 5, _FLOAT, True), ("diff", 6, _FLOAT, True),
                  ("double_data", 8, _DOUBLE, True), ("double_diff", 9, _DOUBLE, True), ("num", 1, _INT32, None),
                  ("channels", 2, _INT32, None), ("height", 3, _INT32, None), ("width", 4, _INT32, None)],
    "BlobProtoVector": [("blobs", 1, "BlobProto", False)],
    "Datum": [("channels", 1, _INT32, None), ("height", 2, _INT32, None), ("width", 3, _INT32, None),
              ("data", 4, _BYTES, None), ("label", 5, _INT32, None), ("float_data", 6, _FLOAT, False),
              ("encoded", 7, _BOOL, None)],
}


def _descriptors() -> descriptor_pb2.FileDescriptorProto:
    # A package of its own: a program may have Caffe's generated module too.
    file = descriptor_pb2.FileDescriptorProto(name="cortado/caffe.proto", package="cortado.caffe", syntax="proto2")
    for message, fields in _MESSAGES.items():
        made = file.message_type.add(name=message)
        for name, number, kind, packed in fields:
            field = made.field.add(name=name, number=number, label=_Field.LABEL_OPTIONAL if packed is None
                                   else _Field.LABEL_REPEATED)
            if isinstance(kind, str):
                field.type, field.type_name = _Field.TYPE_MESSAGE, f".cortado.caffe.{kind}"
            else:
                field.type = kind
            if packed:
                field.options.packed = True
    return file


_pool = descriptor_pool.DescriptorPool()
_pool.Add(_descriptors())

BlobShape, BlobProto, BlobProtoVector, Datum = (
    message_factory.GetMessageClass(_pool.FindMessageTypeByName(f"cortado.caffe.{name}")) for name in _MESSAGES)
