"""`overread networks`."""

from __future__ import annotations

import dataclasses
import json

import typer
from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

from overread.cli.commands import app
from overread.cli.options import Json
from overread.machine.terminal import data_output, say


@app.command()
def networks(as_json: Json = False) -> None:
    """List the networks that can be trained here: size, parameters, weights, speed.

    Example: overread networks
    """
    from overread.networks.catalogue import SPEEDS, list_networks

    found, output = list_networks(), Console()
    if as_json:
        typer.echo(json.dumps([dataclasses.asdict(one) for one in found]), file=data_output())
        return
    table = Table(
        Column("network", no_wrap=True), "px", Column("parameters", justify="right"), "weights", "speed", "of"
    )
    for one in found:
        name = f"{one.name} *" if one.is_default else one.name
        parameters = "" if one.parameters is None else f"{one.parameters / 1e6:.1f} M"
        table.add_row(Text(name), str(one.size), parameters, one.weights, one.speed or "", one.origin)
    output.print(table)
    means = ", ".join(f"{name} {meaning}" for name, meaning in SPEEDS.items())
    say(output, "* trained where --network names no other; your own: --network module:function")
    say(output, "weights: of ImageNet; Keras downloads those that it has, once")
    say(output, f"speed, as the time of an epoch of 6,000 images on two cores: {means}")
