"""Writes tiny.onnx, a small network of the layers that PyTorch's exporter is known for, and tiny.safetensors: pictures and what
PyTorch computes of them.

Made with Python 3.11.7, torch 2.15.0, onnx 1.23.2, safetensors 0.8.0, float32 on a CPU.
"""
import os, warnings
import onnx, torch, torch.nn as nn
from safetensors.torch import save_file

warnings.filterwarnings("ignore")
torch.manual_seed(20261124)
MEAN, STD = torch.tensor([0.485, 0.456, 0.406]).reshape(1, 3, 1, 1), torch.tensor([0.229, 0.224, 0.225]).reshape(1, 3, 1, 1)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 6, 5, 2, 2, bias=False), nn.BatchNorm2d(6), nn.ReLU(), nn.MaxPool2d(3, 2, 1))
        self.body = nn.Sequential(nn.Conv2d(6, 8, 3, padding=1), nn.GELU(), nn.AvgPool2d(2), nn.Flatten(), nn.Linear(72, 5))
        self.stem[1].running_mean.normal_(0, 0.3)
        self.stem[1].running_var.uniform_(0.5, 1.5)

    def forward(self, x):
        y = self.stem(x)
        return self.body(y), y.mean((2, 3))


net = Net().eval()
here = os.path.dirname(os.path.abspath(__file__))
torch.onnx.export(net, (torch.zeros(2, 3, 24, 24),), f"{here}/tiny.onnx", dynamo=False, do_constant_folding=False, input_names=["image"],
                  output_names=["logits", "pooled"], dynamic_axes={"image": {0: "batch"}, "logits": {0: "batch"}, "pooled": {0: "batch"}})
ops = {n.op_type: [a.name for a in n.attribute] for n in onnx.load(f"{here}/tiny.onnx").graph.node}
assert "dilations" in ops["MaxPool"] and "count_include_pad" in ops["AveragePool"], ops
images = (torch.randn(5, 3, 48, 48) * 0.6).half().float()  # some beyond [-1, 1]
x = (nn.functional.avg_pool2d((images.clamp(-1, 1) + 1) / 2, 2) - MEAN) / STD
with torch.no_grad():
    logits, pooled = net(x)
save_file({"images": images.half(), "logits": logits.contiguous(), "pooled": pooled.contiguous()}, f"{here}/tiny.safetensors")
