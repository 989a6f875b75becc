"""Static quantisation of an ONNX network by Intel's neural-compressor, to stand beside NNCF's.

Not among the workshop's packages: neural-compressor has left ONNX behind since 3.0 (3.10 holds torch, TensorFlow and
JAX alone), and that part lives on as onnx-neural-compressor 1.0, which does not name all that it imports:
`uv run --extra workshop --with onnx-neural-compressor --with prettytable --with py-cpuinfo --with "setuptools<80" ...`.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from mirror.errors import InstallationError


class NeuralCompressorError(InstallationError):
    """The package is not there, or does not run with the others installed; the message says which error."""


def quantize_onnx(source: Path, out: Path, feeds: Sequence[dict[str, np.ndarray]]) -> None:
    """Write OUT: the network with its convolutions in INT8 (quantise and dequantise nodes around them).

    feeds: inputs by name, on which the ranges are found. Raises NeuralCompressorError with the package's own reason."""
    try:
        from onnx_neural_compressor import data_reader
        from onnx_neural_compressor.quantization import QuantFormat, config, quantize

        class Feeds(data_reader.CalibrationDataReader):
            def __init__(self) -> None:
                self.rewind()

            def get_next(self) -> Any:
                return next(self.left, None)

            def rewind(self) -> None:
                self.left = iter(feeds)

        wanted = config.StaticQuantConfig(Feeds(), quant_format=QuantFormat.QDQ, op_types_to_quantize=["Conv"])
        quantize(str(source), str(out), wanted)
    except Exception as error:  # whatever it stumbles on is the finding
        reason = (str(error).strip().splitlines() or [""])[-1]
        raise NeuralCompressorError(
            f"neural-compressor did not quantise {source.name} ({type(error).__name__}: {reason})."
        ) from error
