"""The web app: its pages, and the state of a visit behind them."""
