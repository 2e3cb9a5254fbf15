"""The folder of a run: its settings, states, records, previews and chart."""
