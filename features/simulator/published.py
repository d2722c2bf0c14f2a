"""Published campaign statistics that the simulator is fitted to, and the assumptions added to them.

Published:

- Display campaigns are the advertisers of iPinYou: impressions, clicks, cost and price counts of the training period,
  of the data set of Zhang, Yuan, Wang and Shen, "Real-Time Bidding Benchmarking with iPinYou Dataset" (2014),
  arXiv:1407.7073, as Cai et al., "Real-Time Bidding by Reinforcement Learning in Display Advertising" (2017), keep them
  in `*.info.json` beside their code, github.com/han-cai/rlb-dp. The spread of the market price is that of the counts.
- Search and display at Google: mean click rates, costs per click and conversion rates over industries, WordStream,
  "Google AdWords Benchmarks for YOUR Industry", as updated for 2018.
- Click rates are highest between 11 and 14 o'clock, 14% above the mean: Infolinks, first quarter of 2013, a trillion
  impressions, reported by marketingcharts.com on June 19, 2013.

Measured on the replay files of Cai et al., six advertisers of 100,000 auctions each:

- The rank correlation of predicted click rate and market price is .09 to .18, which corresponds to a Gaussian copula
  with a correlation of .09 to .19; the median is .15.
- The area under the predicted click rate's ROC curve is .69 to .84. The predictions are probably fitted in-sample, so
  all campaigns use a figure near the lower end, .7.

Assumed:

- The conversion rate of the display campaigns, which the replay files lack.
- Conversion delays: 80% within a day and 97% within a fortnight. Atlas is quoted as finding 70% to 90% within a day of
  the click or impression (onlinemediaanalyst.com), but delays at Criteo are longer, up to a month: Chapelle,
  "Modeling Delayed Feedback in Display Advertising" (2014).
- The relative spread of Google's prices: the median over the iPinYou campaigns.
- The channels, the weekly seasons, the prediction error, the number of auctions, and the value of a conversion, at
  which winning everything at the market price breaks even.
"""

from statistics import median

from features.simulator.campaigns import CampaignStatistics, Channel, Conversions, DelayMixture, Season

#: By advertiser: impressions, clicks, cost (the sum of market prices), standard deviation of the market price.
IPINYOU = {
    "1458": (3_083_056, 2_454, 212_400_241, 53.46),
    "2259": (835_556, 280, 77_754_898, 74.38),
    "2261": (687_617, 207, 61_610_942, 76.89),
    "2821": (1_322_561, 843, 118_082_339, 73.65),
    "2997": (312_437, 1_386, 19_689_072, 60.75),
    "3358": (1_742_104, 1_358, 160_943_087, 63.92),
}
#: Conversions per click, assumed.
IPINYOU_CONVERSION_RATE = 0.08
#: By network: click rate, dollars per click, conversions per click.
WORDSTREAM = {"search": (0.0317, 2.69, 0.0375), "display": (0.0046, 0.63, 0.0077)}
#: Auctions per day, assumed: a sample small enough for a laptop.
DAILY = 2_000


def _campaign(name: str, ctr: float, price: float, price_spread: float, conversion_rate: float) -> CampaignStatistics:
    value = price / ctr / conversion_rate
    return CampaignStatistics(
        name=name,
        ctr=ctr,
        price=price,
        price_spread=price_spread,
        auc=0.7,
        unseen=0.5,
        price_correlation=0.15,
        daily=DAILY,
        conversions=Conversions(
            rate=conversion_rate,
            spread=0.5,
            value=value,
            value_spread=value,
            delay=DelayMixture(quick_hours=1.0, within_day=0.8, within_fortnight=0.97),
        ),
        channels=(
            Channel(name="desktop", share=0.5, price=1.0, response=1.0),
            Channel(name="mobile", share=0.4, price=0.8, response=0.9),
            Channel(name="video", share=0.1, price=1.6, response=1.3),
        ),
        volume=Season(amplitude=0.6, peak=14.0, weekend=0.85),
        price_season=Season(amplitude=0.15, peak=20.0, weekend=0.95),
        response=Season(amplitude=0.14, peak=12.5, weekend=1.0),
    )


def _published() -> dict[str, CampaignStatistics]:
    found = {
        name: _campaign(name, clicks / impressions, cost / impressions, spread, IPINYOU_CONVERSION_RATE)
        for name, (impressions, clicks, cost, spread) in IPINYOU.items()
    }
    relative = median(campaign.price_spread / campaign.price for campaign in found.values())
    for name, (ctr, dollars, rate) in WORDSTREAM.items():
        price = 1000 * dollars * ctr  # cost per mille (1/1000 dollar per impression), as iPinYou's prices
        found[name] = _campaign(name, ctr, price, relative * price, rate)
    return found


#: By name: iPinYou's advertisers by their number, and `search` and `display`.
PUBLISHED = _published()
