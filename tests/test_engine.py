"""The engine: it checks before it reads, runs asynchronously with buffers of its own, and says what went wrong."""

from __future__ import annotations

import json
import subprocess
import sys
import threading

import numpy as np
import pytest

from mirror import engine as engine_module
from mirror.engine import Engine, EngineError
from mirror.errors import ModelError
from mirror.modelset import load_model_set
from tests.networks import half_identity, read_manifest, write_manifest, write_tiny_set


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_tiny_set(tmp_path_factory.mktemp("set"))


@pytest.fixture(scope="module")
def engine(folder, tmp_path_factory):
    with_cache = Engine(folder, threads=1, cache=tmp_path_factory.mktemp("cache"))
    yield with_cache
    with_cache.close()


def inputs_of(network, value: float = 1.0) -> dict[str, np.ndarray]:
    return {port.name: np.full(port.shape, value, np.float32) for port in network.spec.inputs}


def test_a_network_answers_by_name(engine):
    out = engine["cwm_person"].run(inputs_of(engine["cwm_person"], 0.5))
    assert np.allclose(out["coverage"], 0.25)
    assert np.allclose(out["flow"], half_identity())


def test_what_runs_is_reported(engine):
    assert engine.precision.startswith("cwm_garment f32; cwm_person f32; igm f32")


def test_inputs_may_change_once_they_are_handed_over(engine):
    network = engine["cwm_person"]
    given = inputs_of(network, 0.5)
    ticket = network.submit(given)
    for array in given.values():
        array[:] = 9.0
    assert np.allclose(ticket.result()["coverage"], 0.25)


def test_results_under_way_do_not_mix(engine):
    network = engine["cwm_person"]
    values = [k / 16 for k in range(16)]
    tickets = [network.submit(inputs_of(network, value)) for value in values]
    found = [float(ticket.result()["coverage"].mean()) for ticket in reversed(tickets)][::-1]
    assert found == pytest.approx([value**2 for value in values], abs=1e-6)


def test_results_stay_when_the_request_is_used_again(engine):
    network = engine["cwm_person"]
    first = network.run(inputs_of(network, 0.5))["coverage"]
    network.run(inputs_of(network, 1.0))
    assert np.allclose(first, 0.25)


def test_what_follows_runs_on_the_runtimes_thread_and_is_the_result(engine):
    network = engine["cwm_person"]
    ticket = network.submit(inputs_of(network), lambda out: (threading.get_ident(), float(out["coverage"].max())))
    thread, value = ticket.result()
    assert ticket.ready
    assert value == 1.0
    assert thread != threading.get_ident()


def test_an_error_in_a_callback_reaches_the_caller_with_its_cause(engine):
    network = engine["cwm_person"]

    def broken(_):
        raise KeyError("no such thing")

    ticket = network.submit(inputs_of(network), broken)
    with pytest.raises(EngineError, match="cwm_person failed: 'no such thing'") as raised:
        ticket.result()
    assert isinstance(raised.value.__cause__, KeyError)
    assert network.run(inputs_of(network))["coverage"].max() == 1.0  # and the network goes on


def test_an_inference_that_fails_reaches_the_caller_with_its_cause(folder, tmp_path, monkeypatch):
    class Broken:
        def set_callback(self, *_): ...
        def start_async(self): ...
        def wait(self):
            raise RuntimeError("out of paper\n")

    network = Engine(folder, threads=1, cache=tmp_path)["cwm_person"]
    slots = [network._free.get() for _ in range(engine_module.REQUESTS)]
    real = slots[0].request
    slots[0].request = Broken()
    network._free.put(slots[0])
    with pytest.raises(EngineError, match="cwm_person failed: out of paper") as raised:
        network.run(inputs_of(network))
    assert isinstance(raised.value.__cause__, RuntimeError)
    slots[0].request, slots[0].started = real, False
    assert network.run(inputs_of(network))["coverage"].max() == 1.0  # its place was given back


def test_a_network_that_never_answers_is_named(folder, tmp_path, monkeypatch):
    monkeypatch.setattr(engine_module, "STUCK_AFTER_S", 0.01)
    network = Engine(folder, threads=1, cache=tmp_path)["igm"]
    for _ in range(engine_module.REQUESTS):
        network._free.get()
    with pytest.raises(EngineError, match="igm has not answered for"):
        network.submit(inputs_of(network))


def test_inputs_that_do_not_fit_are_named(engine):
    network = engine["cwm_person"]
    with pytest.raises(EngineError, match="got no input 'mask'"):
        network.run({"person_maps": inputs_of(network)["person_maps"]})
    with pytest.raises(EngineError, match=r"'mask' of cwm_person is \(3,\) and not \(1, 1, 128, 96\)"):
        network.run(inputs_of(network) | {"mask": np.zeros(3, np.float32)})


def test_a_network_the_set_lacks_is_named(engine):
    assert "igm" in engine
    assert "teacher" not in engine
    with pytest.raises(ModelError, match="no network teacher"):
        engine["teacher"]


def flip(file: str, at: int = 100):
    def change(folder):
        content = bytearray((folder / file).read_bytes())
        content[at % len(content)] ^= 1
        (folder / file).write_bytes(content)

    return change


def remove(file: str):
    return lambda folder: (folder / file).unlink()


def write(text: str):
    return lambda folder: (folder / "manifest.json").write_text(text)


def edit(change):
    def run(folder):
        manifest = read_manifest(folder)
        change(manifest)
        (folder / "manifest.json").write_text(json.dumps(manifest))

    return run


SPOILT = [
    ("a flipped byte in a network", flip("cwm_person.xml"), r"cwm_person\.xml is damaged"),
    ("a flipped byte in weights", flip("igm.bin", 0), r"igm\.bin is damaged"),
    ("an empty file", lambda f: (f / "igm.bin").write_bytes(b""), r"igm\.bin is damaged"),
    ("a missing file", remove("cwm_garment.bin"), r"cwm_garment\.bin cannot be read \(No such file"),
    ("no manifest", remove("manifest.json"), "no model set"),
    (
        "a manifest of another version",
        edit(lambda m: m.update(schema=2)),
        "has version 2 and this program reads version 1",
    ),
    ("a manifest without a version", edit(lambda m: m.pop("schema")), "has version None"),
    ("a manifest cut short", write('{"schema": 1, "networks"'), "cannot be read as JSON"),
    ("a manifest of another kind", write("[1, 2]"), "is not a manifest"),
    ("no networks", edit(lambda m: m.pop("networks")), "is incomplete"),
    ("networks of another form", edit(lambda m: m.update(networks=[1])), "is incomplete"),
    ("a file without a hash", edit(lambda m: m["files"].pop("igm.xml")), r"no SHA-256 for igm\.xml"),
    ("a file outside the folder", edit(lambda m: m["files"].update({"../igm.xml": "0"})), "outside its folder"),
]


@pytest.mark.parametrize(("spoil", "sentence"), [row[1:] for row in SPOILT], ids=[row[0] for row in SPOILT])
def test_a_spoilt_set_gets_one_sentence_before_anything_is_interpreted(tmp_path, monkeypatch, spoil, sentence):
    folder = write_tiny_set(tmp_path / "set")
    spoil(folder)

    def never(*_, **__):
        raise AssertionError("a file was interpreted before all were checked")

    monkeypatch.setattr(engine_module.ov.Core, "compile_model", never)
    with pytest.raises(ModelError, match=sentence) as raised:
        Engine(folder, threads=1, cache=tmp_path)
    assert "\n" not in str(raised.value)
    assert "--engine geometric" in str(raised.value)


def test_a_manifest_that_disagrees_with_its_network_is_refused(tmp_path):
    folder = write_tiny_set(tmp_path / "set")
    manifest = read_manifest(folder)
    manifest["networks"]["cwm_person"]["outputs"][0]["shape"] = [1, 2, 64, 48]
    write_manifest(folder, manifest)
    with pytest.raises(ModelError, match=r"cwm_person\.xml has the output 'flow' as \(1, 2, 128, 96\)"):
        Engine(folder, threads=1, cache=tmp_path)


def test_a_file_with_the_right_hash_that_is_no_network_gets_one_sentence(tmp_path):
    folder = write_tiny_set(tmp_path / "set")
    (folder / "igm.xml").write_text("<nothing/>")
    write_manifest(folder, read_manifest(folder))
    with pytest.raises(ModelError, match=r"igm\.xml does not run here") as raised:
        Engine(folder, threads=1, cache=tmp_path)
    assert "\n" not in str(raised.value)


def test_compiled_networks_are_kept_by_content(tmp_path):
    folder = write_tiny_set(tmp_path / "set")
    cache = tmp_path / "cache"
    Engine(folder, threads=1, cache=cache).close()
    kept = sorted(cache.rglob("*.blob"))
    assert len(kept) == 3
    Engine(folder, threads=1, cache=cache).close()
    assert sorted(cache.rglob("*.blob")) == kept
    assert load_model_set(folder).digest("igm")[:16] in {place.name for place in cache.iterdir()}


def test_a_cache_that_cannot_be_written_is_done_without(tmp_path):
    folder = write_tiny_set(tmp_path / "set")
    (tmp_path / "cache").write_text("a file is in the way")
    engine = Engine(folder, threads=1, cache=tmp_path / "cache")
    assert engine["igm"].run(inputs_of(engine["igm"]))["repair_mask"].max() == 0.0
    engine.close()


OFFLINE = """
import os, socket, sys

def forbidden(*args, **kwargs):
    os.write(2, f"a connection was tried: {args}".encode())
    os._exit(9)  # from whatever thread

for name in ("connect", "connect_ex", "sendto"):
    setattr(socket.socket, name, forbidden)
socket.getaddrinfo = socket.gethostbyname = socket.create_connection = forbidden

from pathlib import Path
import numpy as np
from mirror.engine import Engine
import mirror.tryon

engine = Engine(Path(sys.argv[1]), threads=1, cache=Path(sys.argv[2]))
for network in engine:
    network.run({p.name: np.zeros(p.shape, np.float32) for p in network.spec.inputs})
engine.close()
print("ran", sys.modules.get("openvino_telemetry"))
"""


def test_no_connection_is_opened(folder, tmp_path):
    """`import openvino` looks up an analytics host through openvino_telemetry where that can be imported."""
    done = subprocess.run(
        [sys.executable, "-c", OFFLINE, str(folder), str(tmp_path)], capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "ran None"


def test_a_convolution_with_one_output_is_parted_and_answers_the_same() -> None:
    ov, op = engine_module.ov, engine_module.op
    rng = np.random.default_rng(5)

    def weights(*shape: int):
        return op.constant(rng.normal(0.0, 0.3, shape).astype(np.float32))

    given = op.parameter([1, 6, 12, 10], np.float32)
    wide = op.convolution(given, weights(6, 6, 3, 3), [1, 1], [1, 1], [1, 1], [1, 1])
    narrow = op.convolution(op.relu(wide), weights(1, 6, 3, 5), [2, 1], [1, 2], [0, 2], [1, 1])
    model = ov.Model([op.result(op.add(narrow, weights(1, 1, 1, 1)))], [given])
    options = {"INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": 1}
    picture = rng.normal(size=(1, 6, 12, 10)).astype(np.float32)
    before = ov.compile_model(model, "CPU", options)([picture])[0]
    engine_module.part_narrow_convolutions(model)
    after = ov.compile_model(model, "CPU", options)([picture])[0]
    assert before.shape == after.shape and np.abs(before - after).max() < 1e-5
    windows = [tuple(o.get_input_shape(1)) for o in model.get_ordered_ops() if o.get_type_name() == "Convolution"]
    assert sorted(windows) == [(1, 6, 1, 1), (6, 6, 3, 3)]
