"""The workbench in the browser: drop photos, see the groups, correct them, teach, search, report."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from packed_scenes.cli.console import application
from packed_scenes.cli.options import EMBEDDER, ClassNames, Trust, Weights

app = application()

EPILOG = """
Examples:

`packed-scenes app` — then open the address it prints

`packed-scenes app runs/shelf` — go on with a project, or with a run folder of `analyze`; a new name makes a project

`packed-scenes app --preset crowd --weights yolox_s.onnx` — people; --embedder takes any network, too

`packed-scenes app --photos /data/shop --catalogue shop` — take photos by path from below that folder, and keep names
in the catalogue `shop`
"""


@app.command(epilog=EPILOG)
def main(
    project: Annotated[
        Path | None, typer.Argument(help="Project, or run folder of analyze, to open; made if it is not there.")
    ] = None,
    projects: Annotated[Path, typer.Option(help="Folder of the projects that are made here.")] = Path("runs/projects"),
    photos: Annotated[
        list[Path] | None, typer.Option(help="Folder below which photos may be opened by path; repeat for more.")
    ] = None,
    catalogue: Annotated[Path | None, typer.Option(help="Catalogue that names come from and go to.")] = None,
    weights: Weights = None,
    classes: Annotated[
        list[str] | None, typer.Option(help="Keep only these detector classes, such as person; repeat for more.")
    ] = None,
    class_names: ClassNames = None,
    embedder: Annotated[str | None, typer.Option(help=f"{EMBEDDER}  [default: the preset's, else default]")] = None,
    preset: Annotated[str | None, typer.Option(help="crowd or vehicles, as in analyze.  [default: none]")] = None,
    trust: Trust = False,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port on this machine; 0 = any free one.")] = 8501,
    address: Annotated[
        str, typer.Option(help="Address to listen on; another than the default opens it to other machines.")
    ] = "127.0.0.1",
    max_upload: Annotated[int, typer.Option(min=1, max=4000, help="Largest upload in MB.")] = 100,
    open_browser: Annotated[bool, typer.Option("--open", help="Open the browser.")] = False,
    simple: Annotated[
        bool, typer.Option("--simple", help="One plain page (streamlit) that extracts, clusters and retrieves.")
    ] = False,
) -> None:
    """Start the workbench on this machine; stop it with Ctrl+C. Work is saved as it is done."""
    if simple:
        from packed_scenes.web.simple.run import run_simple

        run_simple(port=port or 8501, max_upload=max_upload)
        return
    from packed_scenes.data.errors import InputError
    from packed_scenes.data.files import check_file
    from packed_scenes.detect.class_names import parse_class_names
    from packed_scenes.embed.registry import check_name
    from packed_scenes.observe import Observer
    from packed_scenes.settings import Settings
    from packed_scenes.web.server.app import serve
    from packed_scenes.web.server.workplace import Workplace

    for folder in photos or ():
        if not folder.is_dir():
            raise InputError("no such folder", file=folder, remedy="Name a folder of photos.")
    settings = Settings.choose(
        preset=preset, weights=weights, classes=tuple(classes) if classes else None,
        class_names=parse_class_names(class_names), embedder=embedder, trust=trust,
    )  # fmt: skip
    settings.require_detector()
    check_name(settings.embedder)
    if weights is not None and Path(weights).suffix in (".onnx", ".xml"):  # now, not with the first photo
        check_file(weights, what="weights")
    place = Workplace(
        projects, observer=Observer(settings), photos=photos or (), catalogue=catalogue,
        max_upload=max_upload * 1_000_000,
    )  # fmt: skip
    if project is not None:
        place.name(project)
    serve(place, port=port, host=address, open_browser=open_browser)
