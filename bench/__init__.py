"""Speed, as ratios within one run: `python -m bench`. What was measured, when and on what is in README.md."""
