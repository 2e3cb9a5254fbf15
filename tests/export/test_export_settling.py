"""A generator whose norms settle, as a graph: before, with statistics to give and take; after, without norms."""

import numpy as np
import onnx
import pytest
import torch
from tiny_run import TINY

from img2img.export.onnx_graph import to_onnx
from img2img.export.parity import measure_parity
from img2img.inference.runtimes.onnx_runtime import OnnxRuntime
from img2img.networks.settling_norm import following, settling_norms
from img2img.recipes.cyclegan import CycleganRecipe
from img2img.recipes.settings import make_config

CONFIG = make_config(CycleganRecipe, [*TINY["cyclegan"], "generator=residual-unet", "norm=act"])


def generator() -> torch.nn.Module:
    """One that has followed a batch."""
    torch.manual_seed(0)
    network = CycleganRecipe.exported_network(CONFIG).train()
    for norm in settling_norms(network):
        torch.nn.init.uniform_(norm.weight, 0.5, 2)
    with following(network):
        network(torch.rand(2, 3, 64, 64) * 2 - 1)
    return network.eval()


def graph_of(network: torch.nn.Module) -> bytes:
    graph = to_onnx(network, CycleganRecipe, CONFIG)
    parity = measure_parity("light", network, graph, CycleganRecipe, CONFIG)
    assert max(one.difference for one in parity) < 0.05  # of 255 grey levels
    return graph


@pytest.mark.slow
def test_graph_computes_the_same_before_and_after_its_norms_settle() -> None:
    network = generator()
    graph = graph_of(network)
    model, channels = onnx.load_from_string(graph).graph, sum(norm.num_channels for norm in settling_norms(network))
    assert [output.name for output in model.output] == ["translated", "statistics"]
    assert [output.shape for output in CycleganRecipe.further_outputs(network)] == [(1, 2, channels)]
    averages = [torch.cat([norm.get_buffer(name) for norm in settling_norms(network)]) for name in ("mean", "variance")]
    frozen = torch.stack(averages)[None].numpy()

    for norm in settling_norms(network):
        norm.settle()
    settled = graph_of(network)
    folded = onnx.load_from_string(settled).graph
    assert [output.name for output in folded.output] == ["translated"]
    assert "ReduceMean" in {node.op_type for node in model.node}
    assert {node.op_type for node in folded.node}.isdisjoint({"ReduceMean", "InstanceNormalization"})
    assert CycleganRecipe.further_outputs(network) == ()

    # Given the averages, a graph of before computes what one of after does.
    picture = np.random.default_rng(0).uniform(-1, 1, (1, 3, 64, 96)).astype(np.float32)
    given, kept = (OnnxRuntime(one, device="cpu", threads=1) for one in (graph, settled))
    np.testing.assert_allclose(given.run_all(picture, frozen)[0], kept.run(picture), atol=1e-4)
