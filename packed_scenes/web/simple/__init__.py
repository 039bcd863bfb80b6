"""One plain streamlit page: extract, cluster, retrieve. The workbench is packed_scenes.web.server."""
