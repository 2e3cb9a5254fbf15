"""The rows of steer.py: each module measures one way of steering."""
