"""Numbers moved out of the graphs into one file that both map into memory."""

from collections.abc import Sequence

import onnx

_LEAST_BYTES = 1024
"""Smaller tensors stay in their graph: the runtime needs some of them to understand its shapes."""
_ALIGNMENT = 64


def move_numbers_out(models: Sequence[onnx.ModelProto], location: str) -> bytes:
    """Replace the models' large tensors by references into the file ``location``, and return that file.

    Tensors of one name are one tensor: it is written once, whichever models hold it.

    Raises:
        ValueError: two tensors of one name differ.
    """
    blob = bytearray()
    written: dict[str, tuple[int, bytes]] = {}
    for model in models:
        for tensor in model.graph.initializer:
            numbers = tensor.raw_data
            if len(numbers) < _LEAST_BYTES:
                continue
            if tensor.name not in written:
                blob += bytes(-len(blob) % _ALIGNMENT)
                written[tensor.name] = len(blob), numbers
                blob += numbers
            offset, same = written[tensor.name]
            if numbers != same:
                raise ValueError(f"Two different tensors are named {tensor.name}.")
            _refer(tensor, location, offset, len(numbers))
    return bytes(blob)


def _refer(tensor: onnx.TensorProto, location: str, offset: int, length: int) -> None:
    tensor.ClearField("raw_data")
    tensor.data_location = onnx.TensorProto.EXTERNAL
    for key, value in (("location", location), ("offset", offset), ("length", length)):
        entry = tensor.external_data.add()
        entry.key, entry.value = key, str(value)
