"""`img2img` in float64, for comparing two orders of summation whose rounding in float32 Adam enlarges."""

import torch

torch.set_default_dtype(torch.float64)
torch.Tensor.float = torch.Tensor.double

from img2img.cli.app import main  # noqa: E402

if __name__ == "__main__":
    main()
