"""`overread networks`."""

from __future__ import annotations

import dataclasses
import json

import typer
from rich.console import Console
from rich.table import Table

from overread.cli.commands import app
from overread.cli.options import Json
from overread.machine.terminal import data_output


@app.command()
def networks(as_json: Json = False) -> None:
    """List the networks that can be trained here: size, parameters, weights, speed.

    Example: overread networks
    """
    from overread.networks.catalogue import SPEEDS, list_networks

    found = list_networks()
    if as_json:
        typer.echo(json.dumps([dataclasses.asdict(one) for one in found]), file=data_output())
        return
    table = Table("network", "px", "parameters", "ImageNet weights", "speed", "from")
    for one in found:
        name = f"{one.name} (default)" if one.is_default else one.name
        parameters = "" if one.parameters is None else f"{one.parameters / 1e6:.1f} M"
        table.add_row(name, str(one.size), parameters, one.weights, one.speed or "", one.origin)
    Console().print(table)
    means = "; ".join(f"{name}: {meaning}" for name, meaning in SPEEDS.items())
    typer.echo(f"speed: an epoch of 6,000 images on two cores without a GPU; {means}")
    typer.echo("choose one by --network NAME; your own by --network module:function (docs/own_network.md)")
