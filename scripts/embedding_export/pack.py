"""Proto."""
import onnx


def move_out(models, location, least=1024):
    """Move numbers out of the models into one blob; returns it."""
    blob = bytearray(); at = {}
    for model in models:
        for tensor in model.graph.initializer:
            raw = tensor.raw_data
            if len(raw) < least: continue
            if tensor.name not in at:
                blob += bytes(-len(blob) % 64)
                at[tensor.name] = len(blob), raw
                blob += raw
            offset, same = at[tensor.name]
            assert same == raw
            tensor.ClearField("raw_data")
            tensor.data_location = onnx.TensorProto.EXTERNAL
            for k, v in (("location", location), ("offset", offset), ("length", len(raw))):
                e = tensor.external_data.add(); e.key = k; e.value = str(v)
    return bytes(blob)
