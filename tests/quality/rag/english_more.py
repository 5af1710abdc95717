"""More English documents with questions that retrieval was tuned with."""

from __future__ import annotations

from tests.quality.rag.papers import Paper

LOAN = Paper(
    "loan.pdf",
    [
        "# Loan agreement",
        "Between Brightwater Credit Union (lender) and Tomasz Kowal (borrower), signed on 3 May 2022 in Cardiff.",
        "## Amount and interest",
        "The lender grants a loan of 14,500 pounds. The interest rate is 5.9 percent a year, fixed for the whole term.",
        "## Repayment",
        "The loan is repaid in 48 monthly instalments of 339.80 pounds, the first on 1 July 2022. Early repayment is "
        "possible at any time; a fee of 1 percent of the remaining sum is charged.",
        "## Security",
        "As security the borrower pledges his car, a Skoda Octavia with the registration CF19 XTR.",
        "## Default",
        "If the borrower is late with two instalments, the whole remaining sum becomes due. A reminder "
        "costs 12 pounds.",
    ],
    {
        "How much money is lent?": "14,500",
        "What is the interest rate?": "5.9 percent",
        "Who borrows the money?": "Tomasz Kowal",
        "How high is each instalment?": "339.80",
        "What does early repayment cost?": "1 percent",
        "What serves as security?": "Skoda Octavia",
        "When was the agreement signed?": "3 May 2022",
        "What does a reminder cost?": "12 pounds",
        "What is the borrower's income?": None,
        "Who guarantees the loan?": None,
        "What is the address of the lender?": None,
    },
)

RECEIPT = Paper(
    "order-confirmation.html",
    [
        "# Order confirmation",
        "Thank you for your order at Fernhill Outdoor. Order number: FH-30412. Ordered on 22 August 2025.",
        [
            ["Article", "Size", "Quantity", "Price"],
            ["Rain jacket Skye", "L", "1", "129.00"],
            ["Wool socks", "43", "3", "14.50"],
            ["Trekking poles", "-", "1", "64.90"],
        ],
        "Shipping: 5.90\nTotal: 243.30 EUR",
        "## Delivery",
        "Your parcel is sent with DHL and arrives between 26 and 28 August. You can follow it with the number "
        "JD0146000033.",
        "## Returns",
        "You may send goods back within 60 days. Returns are free if you use the enclosed label.",
        "## Questions",
        "Write to help@fernhill.example or call +49 30 5550 1177 on weekdays from 9 to 17.",
    ],
    {
        "What is the order number?": "FH-30412",
        "How much do the trekking poles cost?": "64.90",
        "How many pairs of wool socks were ordered?": "3",
        "Which size is the rain jacket?": "L",
        "When will the parcel arrive?": "26 and 28 August",
        "How many days do I have for returns?": "60 days",
        "Which carrier delivers the parcel?": "DHL",
        "How can I reach customer service?": "5550 1177|help@fernhill",
        "What colour is the rain jacket?": None,
        "How was the order paid?": None,
        "Is there a discount code?": None,
    },
)

HANDBOOK = Paper(
    "staff-handbook.docx",
    [
        "# Staff handbook",
        "## Working time",
        "The working week has 37.5 hours. Core hours are from 10:00 to 15:00. Overtime is paid back in free time.",
        "## Leave",
        "Full-time employees have 28 days of annual leave. Up to five days may be carried over until the end of March.",
        "Parents may take 16 weeks of paid parental leave.",
        "## Sickness",
        "Call your manager before 9:30 on the first day. A doctor's note is needed from the fourth day.",
        "## Travel",
        "Trains are booked in second class. The daily allowance abroad is 48 euros. Hotels may cost up to 140 euros "
        "a night without approval.",
        "## Home office",
        "You may work from home on two days a week. The company pays 300 euros towards a desk.",
        "## Equipment",
        "Laptops are replaced every four years. Lost devices must be reported to the IT desk on extension 4455.",
    ],
    {
        "How many holidays do employees get?": "28 days",
        "When are the core hours?": "10:00 to 15:00",
        "How many weeks of parental leave are paid?": "16 weeks",
        "From which day on is a doctor's note needed?": "fourth day",
        "How expensive may a hotel be?": "140 euros",
        "On how many days may I work from home?": "two days",
        "Whom do I tell when I lose a device?": "IT desk",
        "How often are laptops replaced?": "every four years",
        "What is the dress code?": None,
        "How high is the Christmas bonus?": None,
        "When is salary paid?": None,
    },
)

SLIDES = Paper(
    "energy-review.pptx",
    [
        "# Energy review 2024",
        "Electricity use fell by 11 percent to 3.4 gigawatt hours.",
        "# Measures",
        "The new heat pump in hall B was started in April.",
        "LED lamps replaced 2,300 fluorescent tubes.",
        "# Next steps",
        "Solar panels on the roof of hall C are planned for 2026 and cost 410,000 euros.",
        "Responsible for the programme is Henrik Dahl.",
    ],
    {
        "By how much did electricity use fall?": "11 percent",
        "When was the heat pump started?": "April",
        "How many tubes were replaced by LED lamps?": "2,300",
        "What do the solar panels cost?": "410,000",
        "Who is responsible for the programme?": "Henrik Dahl",
        "How much gas was used?": None,
        "When was hall A built?": None,
    },
)

PRICES = Paper(
    "clinic-prices.csv",
    [
        [
            ["Treatment", "Duration", "Price", "Therapist"],
            ["Massage back", "30 minutes", "42 EUR", "Vera Lind"],
            ["Massage whole body", "60 minutes", "75 EUR", "Vera Lind"],
            ["Physiotherapy", "25 minutes", "38 EUR", "Jonas Abel"],
            ["Mud pack", "20 minutes", "19 EUR", "Ida Holm"],
        ]
    ],
    {
        "How much is a whole body massage?": "75 EUR",
        "Who gives physiotherapy?": "Jonas Abel",
        "How long does a mud pack take?": "20 minutes",
        "How much does acupuncture cost?": None,
        "When is the clinic open?": None,
    },
)

PAPERS = [LOAN, RECEIPT, HANDBOOK, SLIDES, PRICES]
