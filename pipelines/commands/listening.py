"""`adloop listen`: what people say about brands."""

from pathlib import Path

import click

from features.settings import Settings
from pipelines.commands.options import JSON


@click.command()
@click.argument("source", required=False)
@click.option(
    "--brands",
    "brands_file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Brand list (YAML). Default: ADLOOP_BRANDS, or listening/brands.yaml in the home.",
)
@click.option("--days", type=click.IntRange(1, 400), default=30, show_default=True, help="Days that are told.")
@click.option("--follow", is_flag=True, help="Go on listening to a feed or topic until stopped, and print alarms.")
@JSON
def listen(source: str | None, brands_file: Path | None, days: int, follow: bool, as_json: bool) -> None:
    """Read posts of SOURCE, then tell what is said about the brands of a list, and how that changes.

    \b
    posts.jsonl                  a JSON object a line, with the columns of the table `mentions`
    DIR, s3://...                the table mentions (Parquet or CSV)
    https://example.org/feed     an RSS or Atom feed
    kafka://host:9092/topic      JSON messages; ADLOOP_KAFKA_CONFIG has further settings
    (none)                       only tell what was heard before

    Each post counts once, however often it is read; a source is resumed where it ended. Copies of a text and the posts
    of one author of a day are one voice. An alarm comes when negative voices rise beyond the forecast of their hour of
    the week, after two weeks of learning; false ones at most alarms_per_month times a month and brand. The plot is
    written to listening/index.html in the home. A brand list:

    \b
    zone: Europe/Berlin          # whose week has the rhythm; default UTC
    alarms_per_month: 1          # most false alarms of a brand
    brands:
      - name: Apple
        aliases: ["@apple", AAPL]
        context: [iphone, mac]   # words that only texts about the brand have
        mentions: [Apple presents a new phone, my Apple laptop broke]
        others: [my grandmother's apple pie, apple juice for breakfast]   # that have its name and mean no brand
    competitors:
      - name: Samsung
    """
    from pipelines import listening
    from pipelines.console import console

    if follow and source is None:
        raise click.UsageError("--follow: expected a SOURCE to follow")
    heard = listening.listen(source, brands_file, days, follow, Settings())
    if as_json:
        click.echo(listening.as_json(heard))
    else:
        listening.show(heard, console())
