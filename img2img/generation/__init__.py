"""Pictures drawn by a sampler: grids, walks between latents, folders of classes, and directions that steer."""
