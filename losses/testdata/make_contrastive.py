"""Writes contrastive.safetensors: CLIP's loss and its gradients in float64, by PyTorch. The loss is written as in figure 3 of
Radford et al. 2021. Made with Python 3.11, torch 2.15.0 (CPU), safetensors 0.8.0: python make_contrastive.py"""
import os

import torch
import torch.nn.functional as F
from safetensors.torch import save_file

torch.manual_seed(3)
images = torch.randn(7, 5, dtype=torch.float64, requires_grad=True)
texts = torch.randn(7, 5, dtype=torch.float64, requires_grad=True)
scale = torch.tensor(2.1, dtype=torch.float64, requires_grad=True)
logits = F.normalize(images, dim=1) @ F.normalize(texts, dim=1).T * scale.exp()
own = torch.arange(7)
loss = (F.cross_entropy(logits, own) + F.cross_entropy(logits.T, own)) / 2
loss.backward()
here = os.path.dirname(os.path.abspath(__file__))
save_file({"images": images.detach(), "texts": texts.detach(), "scale": scale.detach(), "loss": loss.detach(),
           "images_grad": images.grad, "texts_grad": texts.grad, "scale_grad": scale.grad},
          os.path.join(here, "contrastive.safetensors"))
