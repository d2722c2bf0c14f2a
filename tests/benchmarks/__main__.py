"""`make benchmark`: measure, print the table, and keep the rows in `benchmark.json` under the home."""

from collections.abc import Iterator
from importlib import import_module
from time import monotonic

import click
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from features.privacy import stay_private
from features.settings import Settings
from pipelines.console import console as terminal_or_log
from serving.integrations.catalog import NAMES as PLATFORMS
from tests.benchmarks.rows import Row, chosen, load, merge, row, write

#: What each part measures, in the module of its name; a part runs if any of its rows is asked for.
PARTS = {
    "ltv": (
        *(f"ltv.cdnow.{name}" for name in ("gini", "spearman", "mae", "coverage80")),
        *(f"ltv.cdnow.past_spend.{name}" for name in ("gini", "spearman")),
        *(f"ltv.cdnow.bg_nbd_gamma_gamma.{name}" for name in ("gini", "spearman", "mae")),
        *(
            f"ltv.{figure}.{split}"
            for split in (
                "cdnow_84d",
                "cdnow_273d",
                "complete_journey_84d",
                "complete_journey_220d",
                "online_retail_90d",
                "online_retail_160d",
                "online_retail_first_autumn",
            )
            for figure in ("coverage80", "worst_band", "held_of_buyers", "width_vs_past_spend", "vs_best_baseline")
        ),
    ),
    "churn": (
        "churn.telco.auc",
        "churn.telco.ece",
        "churn.telco.vs_best_baseline",
        "churn.complete_journey.auc",
        "churn.complete_journey.vs_best_baseline",
    ),
    "churn.interactions": ("churn.interactions.auc", "churn.interactions.auc_gain"),
    "bidding": (
        *(f"bidding.ipinyou.{policy}vs_{other}" for policy in ("", "dqn_") for other in ("linear", "mcpc", "rlb")),
        "bidding.ipinyou.dqn_below_linear",
        "bidding.ipinyou.share_of_hindsight",
        *(
            f"bidding.ipinyou.{name}_1in{part}"
            for name in ("vs_linear", "vs_mcpc", "vs_rlb", "share_of_hindsight")
            for part in (32, 16, 8, 4)
        ),
        "bidding.auctions_per_s",
    ),
    "bidding.simulator": (
        "bidding.simulator.vs_best_rule",
        "bidding.simulator.vs_best_rule_by_chance",
        *(
            f"bidding.simulator.{kind}{name}"
            for kind in ("", "shifted.")
            for name in (
                *(f"value_per_spend_vs_{other}" for other in ("linear", "mcpc", "constant", "pid", "ortb", "rlb")),
                "value_vs_linear",
                "budget_use",
                "overspent",
            )
        ),
        *(
            f"bidding.simulator.first_price.{what}_vs_{other}"
            for what in ("value", "value_per_spend")
            for other in ("unshaded", "linear")
        ),
        "bidding.simulator.first_price.overspent",
        "bidding.simulator.dqn_branched_vs_whole",
    ),
    "creative.prior": ("creative.prior.impressions_ratio", "creative.prior.impressions_ratio_by_means"),
    "creative.bandit": ("creative.bandit.impressions_vs_fixed", "creative.bandit.value_vs_vw"),
    "creative.fatigue": (
        "creative.fatigue.false_alarms_per_100_weeks",
        "creative.fatigue.dip_alarms",
        "creative.fatigue.delay_days",
        "creative.fatigue.delay_days_2000_a_day",
    ),
    "creative.aa": tuple(
        f"creative.aa.{name}" for name in ("false_positive", "daily_t_test", "ratio_alarms", "power", "power_by_half")
    ),
    "creative.winners_curse": ("creative.winners_curse",),
    "creative.upworthy": tuple(
        f"creative.upworthy.{name}"
        for name in (
            "pairs_significant",
            "pairs_all",
            "ece",
            *(f"pairs_significant.{other}" for other in ("tfidf", "minilm", "surface", "logistic")),
        )
    ),
    "creative.hillstrom": ("creative.hillstrom.personalised_gain", "creative.hillstrom.gain_is_shown"),
    "attribution": ("attribution.null_campaign.coverage", "attribution.null_campaign.last_touch_share"),
    "attribution.geo": tuple(
        f"attribution.geo.{name}"
        for name in ("walkthrough_att", "walkthrough_lift", "walkthrough_incremental", "coverage", "power")
    ),
    "retention": ("retention.value_vs_risk_ranking", "retention.value_vs_stake_ranking"),
    "campaigns.rules": (
        "campaigns.rules.false_actions_per_100_quiet_weeks",
        *(f"campaigns.rules.detection_days{name}" for name in ("", "_60_a_day", ".thresholds_as_quiet")),
    ),
    "campaigns.value": tuple(
        f"campaigns.value_vs_{name}" for name in ("fixed_rules", "fixed_rules.steps", "no_rules", "no_rules.fixed")
    ),
    "nlp.banking77": ("nlp.banking77.accuracy", "nlp.banking77.accuracy_10shot"),
    "nlp.oos": ("nlp.oos.auroc",),
    "nlp.emotion": ("nlp.emotion.macro_f1",),
    "nlp.sentiment": ("nlp.sentiment.movies.macro_f1", "nlp.sentiment.tweets.macro_f1", "nlp.sentiment.p50_ms"),
    "creative.score100": ("creative.score100.p50_ms", "creative.score100.decision_p50_ms"),
    "nlp.generation": tuple(
        f"nlp.generation.{name}"
        for name in ("planted_recall", "false_refusals", "rule_pass", "from_templates", "refused")
    ),
    "nlp.generation.best_of_n": tuple(f"nlp.generation.best_of_n{name}" for name in ("", ".longest", ".possible")),
    "nlp.voice": ("nlp.voice.wer", "nlp.voice.silence_words"),
    "nlp.headlines10": ("nlp.headlines10.seconds",),
    "vision.detector": ("vision.detector.parity",),
    "vision.grocery": ("vision.grocery.accuracy",),
    "vision.raccoon": ("vision.raccoon.ap50", "vision.raccoon.ap50.untrained", "vision.raccoon.seconds"),
    "vision.analyse": tuple(
        f"vision.analyse.{name}" for name in ("seconds", "seconds.with_logos", "images_per_s", "peak_rss_mb")
    ),
    "vision.logo": ("vision.logo.recall", "vision.logo.false_alarms"),
    "vision.crop": (
        *(f"vision.crop.kept_of_possible{name}" for name in ("", ".centre", ".smartcrop")),
        "vision.crop.infeasible_padded",
    ),
    "vision.compress": (
        *(
            f"vision.compress.bytes{kind}.{peer}"
            for kind in ("", "_at_its_ssim", "_as_jpeg")
            for peer in ("jpeg85", "webp")
        ),
        "vision.compress.similar",
    ),
    "serving": ("serving.predict.p50_vs_kserve", "serving.predict.p50_ms", "serving.predict.p99_ms"),
    "batch": ("batch.rows_per_s",),
    "decisions": (
        "decisions.p50_ms",
        "decisions.p99_ms",
        "decisions.at_750_per_s.p50_ms",
        "decisions.at_750_per_s.p99_ms",
        "decisions.per_s_core",
        "decisions.per_s",
        "decisions.vs_feast_kserve",
        "decisions.rate_vs_bare",
        "decisions.p50_vs_bare",
        "decisions.p99_vs_bare",
        "decisions.bare.p50_ms",
        "decisions.bare.p99_ms",
        "decisions.replicas.per_s",
        "decisions.batch_1.per_s_core",
        "decisions.batch_10.per_s_core",
        "decisions.batch_100.per_s_core",
        "decisions.batch_1000.per_s_core",
        "decisions.campaigns_1.p50_ms",
        "decisions.campaigns_1000.p50_ms",
        "decisions.campaigns_100000.p50_ms",
    ),
    "scale": ("scale.seconds", "scale.seconds_ratio", "scale.peak_mib", "scale.peak_ratio"),
    "monitoring": (
        "monitoring.false_alarms_per_90_days",
        *(f"monitoring.false_alarms_per_90_days.{family}" for family in ("churn", "ltv", "bidding")),
        "monitoring.delay_days",
    ),
    "decisions.delivery": ("decisions.delivery_share", "decisions.delivery_overspent"),
    "integrations.google_ads": tuple(f"integrations.google_ads.mutates_per_s{other}" for other in ("", ".vs_batched")),
    "integrations": tuple(f"integrations.{name}.exactly_once" for name in PLATFORMS),
    "infra": (
        "infra.spark_equal",
        "infra.rows_per_s_spark_vs_duckdb",
        "infra.server_image_mb",
        "infra.cold_start_s",
        "infra.rolling_update.failed_requests",
    ),
    "nlp.crisis": tuple(
        f"nlp.crisis.{name}"
        for name in (
            "false_alarms_per_month",
            "false_alarms_per_month.overdispersed",
            "false_alarms_per_month.drifting",
            "delay_posts",
            "found",
            "voices_ratio",
            "mentions_per_s_core",
        )
    ),
    "money": ("money.overspend",),
    "run": ("run.seconds", "run.again_seconds", "run.peak_rss_mb"),
}


@click.command()
@click.option("--only", help="Rows whose name begins so: ltv, churn.telco, serving.predict.p99_ms; default: all.")
def main(only: str | None) -> None:
    """Measure the project's figures beside their baselines. Rows whose data is not there say so."""
    stay_private()
    settings, console = Settings(), terminal_or_log()
    target = settings.home / "benchmark.json"
    parts = [part for part, names in PARTS.items() if any(chosen(name, only) for name in names)]
    if not parts:
        raise click.BadParameter(f"no row begins with {only!r}", param_hint="--only")
    kept = load(target) if only else []
    for part in parts:
        fresh = [one for one in measured(part, settings, console) if chosen(one.name, only)]
        kept = merge(kept, fresh)
        write(target, kept)  # after every part: one that breaks costs no other its figures
    console.print(table([one for one in kept if chosen(one.name, only)]))
    console.print(f"{len(kept)} rows in {target}")


def measured(part: str, settings: Settings, console: Console) -> Iterator[Row]:
    """The rows of one part, telling how long it took."""
    begun = monotonic()
    with console.status(f"measuring {part}"):
        rows = [row(record) for record in import_module(f"tests.benchmarks.{part.replace('.', '_')}").rows(settings)]
    console.print(f"measured {part} in {monotonic() - begun:.0f} s", style="dim")
    return iter(rows)


def table(rows: list[Row]) -> Table:
    """Name, value with interval, baseline and goal, a row a figure; of the unit what comes before the first comma."""
    result = Table(title="adloop benchmark", title_justify="left")
    for column in ("figure", "value", "interval", "baseline", "goal", "", "unit"):
        result.add_column(column, no_wrap=column in ("figure", "interval", "baseline"))
    for one in rows:
        mark = {True: "[green]met[/]", False: "[red]missed[/]", None: ""}[one.met]
        if one.absent is not None:
            result.add_row(one.name, "[yellow]absent[/]", "", "", one.goal, "", escape(one.absent))
            continue
        interval = "" if one.low is None or one.high is None else f"{_figure(one.low)} to {_figure(one.high)}"
        value, unit = f"[bold]{_figure(one.value)}[/]", one.unit.partition(",")[0]
        result.add_row(one.name, value, interval, _figure(one.baseline), one.goal, mark, escape(unit))
    return result


def _figure(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"


if __name__ == "__main__":
    main()
