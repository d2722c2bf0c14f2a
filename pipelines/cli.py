"""The `adloop` command."""

import click

from features import __version__
from features.privacy import keep_private, stay_private
from features.settings import Settings
from pipelines.commands import (
    attribution,
    campaign,
    chat,
    content,
    customers,
    decisions,
    experiments,
    geo,
    image,
    leads,
    listening,
    models,
    platforms,
    rules,
    tables,
    trials,
)
from pipelines.explained import Explained


@click.group(cls=Explained, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__)
def main() -> None:
    """Train, gate, release and monitor the models that decide how ad money is spent.

    \b
    First:             adloop run                         the whole loop on bundled real data
    Your tables:       adloop check --data DIR            can they be used? proposes a schema file
                       adloop evaluate ltv --data DIR     does it beat the usual baselines on them?
                       adloop run --data DIR              the loop on them
    Afterwards:        adloop status    adloop serve    adloop rollback churn
                       adloop score churn --data DIR --out DIR      many rows, without a server
    Decisions:         adloop budget ACCOUNT CAMPAIGN --daily 50    adloop kill    adloop key
                       adloop rotate                      which creatives are worn out
                       adloop simulate                    simulated days through the endpoint
                       adloop explain DECISION_ID    adloop replay FILE
    Campaigns:         adloop campaign plan FILE.yaml    check    approve    launch    pause    end    show
    Experiments:       adloop experiment plan NAME ...    start    status    stop    list
    Attribution:       adloop attribution --data DIR      which channels brought the orders
                       adloop geo plan FILE    geo analyse FILE    tests on regions
    Customers:         adloop prevent    prevent --effect           keep those about to leave
                       adloop customers acquisition    customers growth    win and grow them
    Copy:              adloop content draft SHEET.yaml    check    feedback
    Pictures:          adloop image analyse FILE...       what is in them, how they look; drawn with --out
                       adloop image optimise FILE --platform meta    check
    Assistant:         adloop chat    chat summary    show    correct    corrections --out DIR    resolve
                       chat --say FILE.wav --answer FILE.wav    a spoken turn, with adloop[voice]
    Listening:         adloop listen SOURCE --brands FILE      what people say about brands
    Platforms:         adloop connect PLATFORM    adloop sync    adloop apply --dry-run    adloop apply
                       adloop changes    timeline    adloop undo CHANGE    adloop holds
                       adloop leads score salesforce ...    leads list hubspot ...
    Rules:             adloop rules check FILE    test FILE --data DIR    run FILE    log FILE
    Kubeflow:          adloop compile --out DIR    adloop submit --host URL

    DIR is a folder or s3:// prefix with customers, transactions, touches, interactions, auctions, creatives and
    impressions as Parquet or CSV, or with iPinYou replay files, or a decision log. Families whose tables are missing
    are left out. All state is in one folder, ADLOOP_HOME (default .adloop). Other services are set by ADLOOP_*
    variables (features/settings.py lists them).
    """
    stay_private()
    keep_private(Settings().home)


for subcommand in (
    *(models.run, tables.check, tables.evaluate, models.release, models.rollback, models.score, models.status),
    *(decisions.serve, decisions.key, decisions.budget, decisions.kill, decisions.rotate),
    *(experiments.simulate, experiments.explain, experiments.replay),
    trials.experiment,
    campaign.campaign,
    attribution.attribution,
    geo.geo,
    *(customers.prevent, customers.customers),
    content.content,
    image.image,
    chat.chat,
    listening.listen,
    *(platforms.connect, platforms.sync, platforms.apply_changes, platforms.undo),
    *(platforms.changes, platforms.timeline, platforms.holds),
    leads.leads,
    rules.rules,
    *(models.compile_pipelines, models.submit),
):
    main.add_command(subcommand)


if __name__ == "__main__":
    main()
