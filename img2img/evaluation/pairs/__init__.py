"""Pictures that a translator of pairs drew, beside the ones that it should have drawn."""
