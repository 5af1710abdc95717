"""English documents with questions that the rules and thresholds of retrieval were chosen with."""

from __future__ import annotations

from tests.quality.rag.papers import Paper

CONTRACT = Paper(
    "maintenance-agreement.docx",
    [
        "# Maintenance agreement",
        "This agreement is made between Calder Lifts Ltd (the contractor) and the Hillview Housing Association "
        "(the client) on 12 February 2024.",
        "## 1. Services",
        "The contractor services the nine passenger lifts of the client every three months. Work on public holidays "
        "needs the client's consent in writing.",
        "The contractor answers emergency calls around the clock. A technician is on site within four hours.",
        "## 2. Price and payment",
        "The yearly fee is 21,600 pounds plus value added tax. It is paid in four equal parts at the end of each "
        "quarter. Spare parts are invoiced separately at list price less 15 percent.",
        "Invoices are due within 30 days. Interest on late payments is 4 percent above the base rate.",
        "## 3. Term and termination",
        "The agreement runs for five years. It may be ended by either party with six months' notice to the end of a "
        "calendar year. In case of a serious breach it may be ended at once.",
        "## 4. Liability",
        "The contractor's liability is limited to 2 million pounds for each event. Loss of profit is not covered.",
        "## 5. Disputes",
        "Disputes are settled by arbitration in Leeds under the law of England and Wales.",
    ],
    {
        "Who is the contractor?": "Calder Lifts",
        "How often are the lifts serviced?": "every three months",
        "How quickly must a technician arrive in an emergency?": "four hours",
        "What does the maintenance cost per year?": "21,600",
        "How long is the contract?": "five years",
        "What notice period applies?": "six months",
        "Up to what amount is the contractor liable?": "2 million",
        "Where does arbitration take place?": "Leeds",
        "What discount applies to spare parts?": "15 percent",
        "Who insures the lifts against fire?": None,
        "What is the penalty for missing an appointment?": None,
        "How old are the lifts?": None,
    },
)

INVOICE = Paper(
    "invoice-2088.pdf",
    [
        "# Invoice",
        "Marlow Print & Sign, 8 Canal Street, Hull",
        "Invoice number: 2088\nInvoice date: 14 March 2025\nCustomer number: K-7731\nDue date: 13 April 2025",
        "Bill to: Ashby Garden Centre, 71 Mill Road, York",
        [
            ["Item", "Quantity", "Unit price", "Amount"],
            ["Poster A1", "40", "6.20", "248.00"],
            ["Vinyl banner 3 m", "4", "58.50", "234.00"],
            ["Door sticker", "120", "0.85", "102.00"],
        ],
        "Subtotal: 584.00\nVAT 20%: 116.80\nTotal due: 700.80 GBP",
        "Please pay by bank transfer to sort code 20-44-19, account 63118207. Goods remain our property until paid.",
    ],
    {
        "What is the invoice number?": "2088",
        "When must the invoice be paid?": "13 April 2025",
        "How much is the total?": "700.80",
        "What is the unit price of a vinyl banner?": "58.50",
        "How many door stickers were ordered?": "120",
        "How much is the VAT?": "116.80",
        "Who is the customer?": "Ashby Garden Centre",
        "To which account should we pay?": "63118207",
        "When will the goods be delivered?": None,
        "What is the phone number of Marlow Print?": None,
        "How much are the flyers?": None,
    },
)

MANUAL = Paper(
    "dishwasher.html",
    [
        "# Dishwasher DW 60: user manual",
        "## Before first use",
        "Remove the transport locks at the back. Fill the salt container with 1.5 kg of salt and the dispenser with "
        "rinse aid.",
        "## Programmes",
        [
            ["Programme", "Temperature", "Duration", "Water"],
            ["Eco", "50 °C", "3 h 15 min", "9.5 l"],
            ["Intensive", "70 °C", "2 h 30 min", "13 l"],
            ["Quick", "45 °C", "30 min", "8 l"],
        ],
        "## Care",
        "* Clean the filter under running water once a week.",
        "* Wipe the door seal with a damp cloth every month.",
        "* Never use steel wool.",
        "## Troubleshooting",
        "E15: the leak protection has been triggered. Close the tap and call customer service.",
        "E24: water is not pumped out. Check whether the drain hose is bent.",
        "## Guarantee",
        "The guarantee is valid for 24 months from the date of purchase. Keep the receipt.",
    ],
    {
        "How long does the quick programme take?": "30 min",
        "How hot is the water in the intensive programme?": "70 °C",
        "How much water does the Eco programme use?": "9.5 l",
        "How often should I clean the filter?": "once a week",
        "What does E24 mean?": "not pumped out",
        "How much salt is needed?": "1.5 kg",
        "How many years of guarantee are there?": "24 months",
        "What does error E30 mean?": None,
        "How loud is the dishwasher?": None,
        "How many place settings does it hold?": None,
    },
)

MAIL = Paper(
    "offsite.eml",
    [
        "From: Nora Whitfield <nora@example.com>\nTo: team@example.com\nSubject: Team offsite in October",
        "Hi everyone,",
        "our offsite takes place from 8 to 10 October in the Pinewood Lodge near Aviemore. We take the 9:40 train "
        "from Edinburgh Waverley; Omar has the tickets.",
        "Please tell Beatriz by 12 September whether you have any allergies. The budget is 310 pounds a head, which "
        "covers rooms and meals. Drinks in the bar are on you.",
        "On the second day Dr Lang gives a workshop on negotiation. Bring walking boots and a warm jacket.",
        "Best, Nora",
    ],
    {
        "Where is the offsite?": "Pinewood Lodge",
        "Which train do we take?": "9:40",
        "Who has the tickets?": "Omar",
        "Whom should I tell about allergies?": "Beatriz",
        "What is the budget per person?": "310 pounds",
        "Who sent the e-mail?": "Nora Whitfield",
        "What is the workshop about?": "negotiation",
        "What should I bring?": "walking boots",
        "What is the wifi password of the lodge?": None,
        "When does the train back leave?": None,
    },
)

STAFF = Paper(
    "sites.xlsx",
    [
        "# Sites 2024",
        [
            ["Site", "Country", "Head", "Employees", "Revenue (million EUR)"],
            ["Lyon", "France", "Claire Fabre", "214", "38.2"],
            ["Turin", "Italy", "Paolo Renzi", "167", "29.7"],
            ["Gothenburg", "Sweden", "Elin Sjöberg", "92", "17.4"],
            ["Porto", "Portugal", "Rui Tavares", "131", "12.9"],
        ],
    ],
    {
        "Who runs the Turin site?": "Paolo Renzi",
        "How many people work in Gothenburg?": "92",
        "What was the revenue of Porto?": "12.9",
        "In which country is Lyon?": "France",
        "How many employees does Madrid have?": None,
        "What was the profit of Lyon?": None,
    },
)

PAPERS = [CONTRACT, INVOICE, MANUAL, MAIL, STAFF]
