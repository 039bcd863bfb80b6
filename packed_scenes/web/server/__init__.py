"""The workbench's server: Starlette on the local address, one page of plain ES modules, JSON between them."""
