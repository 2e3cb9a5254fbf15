"""The commands for those who train: data, trainings, their runs, exports and figures."""
