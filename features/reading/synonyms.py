"""Common synonyms of canonical columns and tables, in English and German."""

_COLUMNS = {
    "customer_id": """
        customer client cust custid user member household account shopper visitor contact subscriber buyer kunde
        kunden customer_no customer_nr customer_number customer_key cust_id client_id clientnum user_id member_id
        household_id household_key account_id shopper_id visitor_id contact_id subscriber_id buyer_id kundennummer
        kunden_id kunden_nr kundennr uid person_id id
    """,
    "occurred_at": """
        date datetime date_time timestamp time when day ts at order_date order_datetime order_time invoice_date
        purchase_date purchased_at transaction_date transaction_time transaction_timestamp created_at created
        event_time event_date event_timestamp event_at sent_at sale_date paid_at datum zeit zeitpunkt bestelldatum
        kaufdatum bid_time
    """,
    "amount": """
        value total revenue sales spend net price paid betrag umsatz summe preis order_value order_total total_price
        total_amount sales_value sale_amount net_amount gross_amount transaction_amount purchase_amount amount_usd
        amount_eur grand_total payment
    """,
    "quantity": "qty units pieces count menge anzahl",
    "product_id": "product sku item item_id article article_id stock_code stockcode artikel artikelnummer",
    "order_id": """
        order order_no order_number invoice invoice_no invoice_id invoiceno basket_id basket receipt receipt_id
        bestellnummer rechnungsnummer
    """,
    "category": "product_category department kategorie",
    "channel": "medium utm_medium kanal",
    "campaign_id": "campaign utm_campaign campaign_name kampagne campaign_no",
    "churned": """
        churn churn_flag churn_label churn_value is_churn is_churned has_churned exited attrition attrition_flag
        left cancelled canceled gekuendigt
    """,
    "snapshot_at": "snapshot snapshot_date snapshot_day as_of as_of_date report_date",
    "market_price": "paying_price payprice winning_price win_price clearing_price second_price price",
    "click": "clicked clicks is_click",
    "predicted_ctr": "pctr ctr predicted_click_rate p_click",
    "responded_at": "response_at response_date responded",
    "creative_id": "creative ad ad_id adid ad_name creative_name banner banner_id asset asset_id anzeige anzeigen_id",
    "headline": "title ad_title heading subject ueberschrift titel",
    "body": "description ad_text primary_text text copy excerpt",
    "image": "image_url image_uri picture thumbnail_url bild",
    "format": "ad_format creative_type ad_type",
    "audience": "ad_set adset adset_name ad_group segment target_group zielgruppe",
    "impressions": "impression impr imps views shows einblendungen",
    "clicks": "click link_clicks klicks",
    "conversions": "conversion results converted actions konversionen",
    "engagements": "engagement post_engagement interactions reactions",
    "spend": "spent cost amount_spent ausgaben kosten",
    "experiment_id": "experiment test_id experiment_name",
    "arm": "variant variation test_group",
    "propensity": "propensity_score pscore",
    "unit_id": "unit visitor_id visitor user_id subject_id",
    "converted": "is_converted has_converted conversion_flag",
    "before": "pre_value before_value covariate",
    "text": """
        utterance sentence message tweet post comment review content query question feedback body beitrag kommentar
        bewertung nachricht
    """,
    "label": "category class intent sentiment emotion target tag kategorie klasse absicht stimmung",
    "task": "label_name aufgabe",
    "score": "rating polarity valence compound",
    "aspect": "brand entity target_term marke",
    "split": "set fold subset partition",
    "language": "lang locale sprache",
    "competitors": "competitor_count competing_ads",
    "author": "user username screen_name handle account user_id author_id autor nutzer",
    "source": "platform network site quelle plattform",
    "url": "link permalink address",
    "followers": "follower_count followers_count subscribers reach",
    "mention_id": "post_id tweet_id status_id comment_id id",
    "kind": "interaction_type event_type event_name event type action activity art typ",
    "renews_at": """
        renewal renewal_date contract_renewal contract_renewal_date contract_end contract_end_date verlaengerung
    """,
    "contract_months": "contract_length contract_term term_months laufzeit laufzeit_monate",
    "zone": "timezone time_zone tz zeitzone",
}

_TABLES = {
    "customers": "customer clients client users user members subscribers subscriptions accounts people kunden contacts",
    "transactions": "transaction orders order purchases sales invoices receipts baskets payments bestellungen umsatz",
    "touches": "touch touchpoints emails mailings sends messages contacts_made campaign_contacts kontakte",
    "interactions": "interaction activity activities usage usage_log engagement customer_events events support_tickets",
    "auctions": "auction bids bid bid_log bidding rtb",
    "creatives": "creative ads ad banners assets anzeigen",
    "impressions": "impression ad_stats ad_performance ad_insights insights performance ad_report",
    "benchmarks": "benchmark industry_benchmarks",
    "texts": "text utterances sentences reviews tweets posts comments messages_labelled labelled_texts intents",
    "images": "image pictures picture photos photo labelled_images image_labels bilder",
    "mentions": "mention social_posts brand_mentions erwaehnungen",
    "exposures": "exposure assignments assignment experiment_units ab_test",
}

_VALUES = {
    "login": "logins logged_in log_in sign_in signed_in signin session session_start anmeldung",
    "feature": "features feature_use feature_used feature_usage used usage",
    "content": "contents content_view content_viewed viewed read watched article video",
    "support": "support_ticket ticket tickets support_call support_contact helpdesk",
    "rating": "ratings rated review stars product_rating bewertung",
    "nps": "nps_score net_promoter_score nps_response",
    "complaint": "complaints complained beschwerde",
    "refund": "refunds refunded chargeback erstattung",
}

#: Synonyms in snake case by canonical column or table, the likeliest first.
COLUMNS = {name: words.split() for name, words in _COLUMNS.items()}
TABLES = {name: words.split() for name, words in _TABLES.items()}
#: The same by a value of a column that lists its valid ones.
VALUES = {name: words.split() for name, words in _VALUES.items()}
