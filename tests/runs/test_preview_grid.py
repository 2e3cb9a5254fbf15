"""Preview grids: where each picture stands, and the white lines between."""

import torch

from img2img.runs.previews import preview_grid


def test_pictures_stand_in_rows_with_white_lines_of_two_pixels() -> None:
    rows = torch.full((2, 3, 3, 4, 5), -1.0)
    rows[1, 2] = torch.tensor([1.0, 0.0, -3.0]).view(3, 1, 1)  # what lies outside of the range is clipped
    grid = preview_grid(rows)
    assert (grid.shape, grid.dtype) == ((3, 2 * 6 + 2, 3 * 7 + 2), torch.uint8)
    levels = torch.tensor([255, 128, 0], dtype=torch.uint8).view(3, 1, 1)
    assert torch.equal(grid[:, 8:12, 16:21], levels.expand(3, 4, 5))
    black = torch.zeros(14, 23, dtype=torch.bool)
    for top in (2, 8):
        for left in (2, 9, 16):
            black[top : top + 4, left : left + 5] = True
    black[8:12, 16:21] = False
    assert torch.equal((grid == 0).all(0), black)
    black[8:12, 16:21] = True
    assert (grid[:, ~black] == 255).all()
