"""Writes adversarial.safetensors: StyleGAN2's losses of a small discriminator and their gradients in float64, by PyTorch, R1's
by automatic differentiation of the gradient. Made with Python 3.11, torch 2.15.0 (CPU), safetensors 0.8.0."""
import os

import torch
import torch.nn.functional as F
from safetensors.torch import save_file

torch.manual_seed(4)
torch.set_default_dtype(torch.float64)
first = torch.randn(16, 12).requires_grad_()
second = torch.randn(1, 16).requires_grad_()
x, y = torch.randn(5, 12), torch.randn(5, 12)


def discriminate(x):
    return (torch.tanh(x @ first.T) @ second.T)[:, 0]


def grads(loss):
    return torch.autograd.grad(loss, [first, second])


real = x.clone().requires_grad_()
gradient, = torch.autograd.grad(discriminate(real).sum(), real, create_graph=True)
r1 = gradient.square().sum(1).mean()
r1_first, r1_second = grads(r1)
loss = F.softplus(discriminate(y)).mean() + F.softplus(-discriminate(x)).mean()
d_first, d_second = grads(loss)
generator = F.softplus(-discriminate(y)).mean()
g_first, g_second = grads(generator)
here = os.path.dirname(os.path.abspath(__file__))
save_file({k: v.detach().contiguous() for k, v in dict(
    first=first, second=second, x=x, y=y, r1=r1, r1_first=r1_first, r1_second=r1_second, discriminator=loss,
    discriminator_first=d_first, discriminator_second=d_second, generator=generator, generator_first=g_first,
    generator_second=g_second).items()}, os.path.join(here, "adversarial.safetensors"))
