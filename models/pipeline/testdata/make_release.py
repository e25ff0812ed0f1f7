"""Writes image prompts in the official release's form: a tensor [1,E]; one of another size; and one in half precision in a dict.

python make_release.py, with torch 2.15.0
"""
import torch

torch.save(torch.tensor([[1.0, -2.0, 2.0]]), "image_prompt.pth")
torch.save(torch.zeros(1, 4), "image_prompt_long.pth")
torch.save({"prompt": torch.tensor([3.0, 0.0, 4.0], dtype=torch.float16)}, "image_prompt_half.pth")
