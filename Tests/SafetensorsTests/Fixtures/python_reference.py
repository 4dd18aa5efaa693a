"""Writes python.safetensors with the reference implementation (pip install torch safetensors):
every element type that the reader takes, shapes with no and with zero elements, metadata with escapes."""

import pathlib

import torch
from safetensors.torch import save_file

tensors = {
    "float32": torch.tensor([[1.5, -2.25, float("inf")], [0.0, 1e-45, 3.4028235e38]]),
    "float64": torch.tensor([0.1, -1e300], dtype=torch.float64),
    "float16": torch.tensor([0.5, -65504.0, 6e-8], dtype=torch.float16),
    "bfloat16": torch.tensor([1.0, -3.140625], dtype=torch.bfloat16),
    "int64": torch.tensor(-(2**62), dtype=torch.int64),
    "int32": torch.tensor([-(2**31), 7], dtype=torch.int32),
    "int16": torch.tensor([-(2**15)], dtype=torch.int16),
    "int8": torch.tensor([-128, 127], dtype=torch.int8),
    "uint8": torch.arange(6, dtype=torch.uint8).reshape(1, 2, 3),
    "bool": torch.tensor([True, False, True]),
    "empty": torch.zeros(0, 3),
}
metadata = {"format": "pt", "text": 'a "quoted" \\ line\nbreak \t \u00e9 \U0001f4f7'}
save_file(tensors, pathlib.Path(__file__).with_name("python.safetensors"), metadata)
