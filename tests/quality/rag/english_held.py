"""English documents with questions that nothing was tuned for: they are only measured."""

from __future__ import annotations

from tests.quality.rag.papers import Paper

SUBLEASE = Paper(
    "workshop-lease.docx",
    [
        "# Lease of a workshop",
        "The lessor is Pembroke Estates LLP. The lessee is Dana Whitlock, cabinet maker.",
        "## Premises",
        "The workshop at 22 Foundry Lane has 180 square metres and a loading bay.",
        "## Rent",
        "The monthly rent is 1,340 pounds and is due on the third working day of each month. A deposit "
        "of 2,680 pounds is "
        "paid before the keys are handed over.",
        "## Term",
        "The lease starts on 1 April 2025 and runs for three years. Either party may terminate it with four months' "
        "notice.",
        "## Upkeep",
        "The lessor repairs the roof and the windows. The lessee pays for electricity and water and removes snow.",
        "Machines louder than 85 decibels may not be used after 20:00.",
    ],
    {
        "Who is the lessee?": "Dana Whitlock",
        "How large is the workshop?": "180 square metres",
        "How much is the deposit?": "2,680",
        "When does the lease start?": "1 April 2025",
        "How much notice is needed to terminate?": "four months",
        "Who repairs the roof?": "lessor repairs",
        "Who has to remove snow?": "lessee pays",
        "Is there a parking space?": None,
        "What is the telephone number of Pembroke Estates?": None,
        "Which insurance must the lessee take out?": None,
    },
)

BILL = Paper(
    "electricity-bill.pdf",
    [
        "# Electricity bill",
        "Solway Energy, PO Box 90, Carlisle",
        "Customer: Mr Leon Achterberg\nContract number: SE-55102\nBilling period: 1 January to 31 March "
        "2025\nDate of bill: "
        "9 April 2025",
        [
            ["Position", "Usage (kWh)", "Rate (pence)", "Amount"],
            ["Day tariff", "612", "28.4", "173.81"],
            ["Night tariff", "240", "15.1", "36.24"],
            ["Standing charge", "90", "52.0", "46.80"],
        ],
        "Net amount: 256.85\nVAT 5%: 12.84\nAmount payable: 269.69 GBP",
        "The amount is debited from your account on 23 April 2025. Meter readings can be sent through our website.",
    ],
    {
        "What is the contract number?": "SE-55102",
        "How much electricity was used at the night tariff?": "240",
        "What is the rate of the day tariff?": "28.4",
        "How much must be paid?": "269.69",
        "When is the money debited?": "23 April 2025",
        "Which period does the bill cover?": "31 March 2025",
        "How much gas was used?": None,
        "What is the meter number?": None,
    },
)

KETTLE = Paper(
    "espresso-machine.html",
    [
        "# Espresso machine Brava 3: guide",
        "## Preparation",
        "Rinse the water tank and fill it with 1.8 litres of fresh water. The machine needs two minutes to heat up.",
        "## Cleaning",
        "* Empty the drip tray every day.",
        "* Descale the machine after 200 cups with citric acid.",
        "* The brewing group is rinsed once a week.",
        "## Signals",
        [["Lamp", "Meaning"], ["blinks red", "water tank is empty"], ["blinks orange", "descaling is due"]],
        "## Technical data",
        "Power: 1,450 watts\nPressure: 15 bar\nWeight: 7.2 kg",
        "## Service",
        "Spare parts are available for eight years. Send the machine to Brava Service, 5 Dock Road, Cork.",
    ],
    {
        "How much water fits in the tank?": "1.8 litres",
        "How long does it take to heat up?": "two minutes",
        "How often should the drip tray be emptied?": "every day",
        "After how many cups must it be descaled?": "200 cups",
        "What does a red blinking lamp mean?": "tank is empty",
        "What is the weight of the machine?": "7.2 kg",
        "For how many years are spare parts available?": "eight years",
        "Where should I send the machine?": "Dock Road",
        "How long is the power cord?": None,
        "Does it have a milk frother?": None,
        "What does the machine cost?": None,
    },
)

MINUTES = Paper(
    "garden-committee.eml",
    [
        "From: Petra Lindholm <petra@example.com>\nTo: members@example.com\nSubject: Notes of the garden committee",
        "Dear members,",
        "the committee met on 4 March; seven people came. The new greenhouse will be built by Orchard "
        "Frames for 3,900 euros, "
        "with work beginning in May.",
        "Plot 12 is free again. Those interested should write to Yusuf by 20 March. The water is "
        "switched on again on 1 "
        "April.",
        "Anders resigned as treasurer; Mirela takes over. The yearly fee goes up to 65 euros.",
        "Petra",
    ],
    {
        "Which firm builds the greenhouse?": "Orchard Frames",
        "How much does the greenhouse cost?": "3,900",
        "Who is the new treasurer?": "Mirela",
        "How high is the yearly fee?": "65 euros",
        "When is the water switched on?": "1 April",
        "Whom should those interested in plot 12 contact?": "Yusuf",
        "How many people came to the meeting?": "seven people",
        "Where did the committee meet?": None,
        "When is the summer party?": None,
    },
)

PAPERS = [SUBLEASE, BILL, KETTLE, MINUTES]
